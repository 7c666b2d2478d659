import Foundation

/// Judgements grouped into bins by their probability, to compare predicted probabilities with the
/// actual fractions of fakes (DeGroot and Fienberg 1983).
package struct ReliabilityBins: Sendable, Equatable {
  /// How probabilities are divided into bins.
  package enum Division: Sendable, Equatable {
    /// Bins of equal width from 0 to 1; a probability on a border belongs to the upper bin.
    case equalWidth(Int)
    /// Bins of about the same number of judgements; equal probabilities stay in one bin.
    case equalCount(Int)
  }

  /// The judgements of one bin.
  package struct Bin: Sendable, Equatable {
    /// The range of the bin: its borders for equal widths, or its lowest and highest probability
    /// for equal counts.
    package var range: ClosedRange<Double>
    /// The number of judgements.
    package var count: Int
    /// The sum of their weights.
    package var weight: Double
    /// Their mean probability.
    package var probability: Double
    /// The fraction of fakes among them, by weight.
    package var share: Double
    /// The 95 % confidence interval of `share` by Wilson's method. The number of cases is Kish's
    /// effective sample size: as many judgements of equal weight as these are worth.
    package var interval: ClosedRange<Double>
  }

  /// The bins that are not empty, by rising probability.
  package let bins: [Bin]
  private let weight: Double

  /// Groups judgements into bins. No probability may be NaN; judgements of weight 0 are ignored.
  package init(_ judgements: [Judgement], _ division: Division) {
    let judgements = judgements.filter { $0.weight > 0 }
    var bins: [Bin] = []
    switch division {
    case .equalWidth(let count):
      precondition(count > 0, "ReliabilityBins: \(count) bins")
      var members = [[Judgement]](repeating: [], count: count)
      for judgement in judgements {
        let place = min(max(Int(judgement.score * Double(count)), 0), count - 1)
        members[place].append(judgement)
      }
      for (place, members) in members.enumerated() where !members.isEmpty {
        let range = Double(place) / Double(count)...Double(place + 1) / Double(count)
        bins.append(Bin(members[...], range))
      }
    case .equalCount(let count):
      precondition(count > 0, "ReliabilityBins: \(count) bins")
      let sorted = judgements.sorted { $0.score < $1.score }
      var start = 0
      for number in 1...count where start < sorted.count {
        var end = max(start + 1, sorted.count * number / count)
        while end < sorted.count, sorted[end].score == sorted[end - 1].score {
          end += 1
        }
        let members = sorted[start..<end]
        bins.append(Bin(members, members[start].score...members[end - 1].score))
        start = end
      }
    }
    self.bins = bins
    weight = bins.reduce(0) { $0 + $1.weight }
  }

  /// The expected calibration error (Naeini et al. 2015): the mean distance between a bin's mean
  /// probability and its fraction of fakes, by weight. NaN without bins.
  package var calibrationError: Double {
    bins.reduce(0) { $0 + $1.weight * abs($1.probability - $1.share) } / weight
  }

  /// Wilson's confidence interval (1927) for a fraction observed in `count` independent cases; `z`
  /// is 1.96 for 95 %. 0...1 for no cases.
  package static func wilsonInterval(
    share: Double, count: Double, z: Double = 1.959963984540054
  ) -> ClosedRange<Double> {
    guard count > 0 else { return 0...1 }
    let square = z * z / count
    let middle = (share + square / 2) / (1 + square)
    let half = z / (1 + square) * (share * (1 - share) / count + square / count / 4).squareRoot()
    let low = max(0, middle - half)
    return low...max(low, min(1, middle + half))
  }
}

extension ReliabilityBins.Bin {
  fileprivate init(_ members: ArraySlice<Judgement>, _ range: ClosedRange<Double>) {
    var (weight, squares, probability, fakes) = (0.0, 0.0, 0.0, 0.0)
    for member in members {
      weight += member.weight
      squares += member.weight * member.weight
      probability += member.weight * member.score
      if member.label == .fake { fakes += member.weight }
    }
    let share = min(1, fakes / weight)
    self.init(
      range: range, count: members.count, weight: weight, probability: probability / weight,
      share: share,
      interval: ReliabilityBins.wilsonInterval(share: share, count: weight * weight / squares))
  }
}
