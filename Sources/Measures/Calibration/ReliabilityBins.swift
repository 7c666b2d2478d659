import Foundation

/// Judgements in bins by their probability, to compare what is said with what is true
/// (DeGroot and Fienberg 1983).
package struct ReliabilityBins: Sendable, Equatable {
  /// How probabilities are divided into bins.
  package enum Division: Sendable, Equatable {
    /// Bins of one width from 0 to 1; a probability on a border belongs to the upper one.
    case equalWidth(Int)
    /// Bins of about as many judgements each; equal probabilities stay together.
    case equalCount(Int)
  }

  /// Judgements of like probability.
  package struct Bin: Sendable, Equatable {
    /// The probabilities that belong here: the bin's borders, or the lowest and highest that there
    /// are.
    package var range: ClosedRange<Double>
    /// Judgements.
    package var count: Int
    /// What they count together.
    package var weight: Double
    /// Their mean probability.
    package var probability: Double
    /// The share of fakes among them.
    package var share: Double
    /// Where the share may lie: Wilson's interval at 95 %, for as many judgements of equal weight
    /// as these are worth (Kish's effective number).
    package var interval: ClosedRange<Double>
  }

  /// The bins that are not empty, by rising probability.
  package let bins: [Bin]
  private let weight: Double

  /// Judgements whose probabilities are not NaN, in bins.
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

  /// The mean distance between mean probability and share of fakes, by what the bins count: the
  /// expected calibration error (Naeini et al. 2015). NaN without bins.
  package var calibrationError: Double {
    bins.reduce(0) { $0 + $1.weight * abs($1.probability - $1.share) } / weight
  }

  /// Wilson's interval (1927) for a share seen in `count` independent cases; `z` is 1.96 for 95 %.
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
