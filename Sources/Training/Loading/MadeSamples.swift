import DeepfakeCore
import FaceData

/// The fakes of a manifest that are to be made, as a `Sampler` hands them out.
struct MadeSamples: Sendable {
  /// All of them.
  private let samples: [Int32]
  /// All others, in order: real samples and fakes.
  private let others: [Int32]
  /// The real ones among the others.
  private let real: [Int32]
  /// Which of `samples` is made of a real sample.
  private let made: [Int32: Int32]
  /// By person and video.
  private let people: [Sampler.People]
  /// The part of the fakes that are made.
  private let share: Double

  init(_ manifest: FaceManifest, share: Float) {
    let rows = manifest.table.rows
    var samples: [Int32] = []
    var others: [Int32] = []
    var pictures: [UInt32: Int32] = [:]
    for (index, row) in rows.enumerated() {
      let index = Int32(clamping: index)
      if row.isMade { samples.append(index) } else { others.append(index) }
      if row.isMade { pictures[row.nameStart] = index }
    }
    var made: [Int32: Int32] = [:]
    for index in others where rows[Int(index)].label == .real {
      made[index] = pictures[rows[Int(index)].nameStart]
    }
    let real = others.filter { rows[Int($0)].label == .real }
    self.samples = samples
    self.others = others
    self.real = real
    self.made = made
    people = Sampler.people(samples, manifest.table)
    self.share = real.count == others.count ? 1 : Double(share)
  }

  /// Fakes that are there already.
  private var fakes: Int { others.count - real.count }

  /// How many samples an epoch has that is half real and half fake.
  var epochCount: Int { fakes == 0 ? 2 * others.count : others.count }

  /// How many of so many fakes are made.
  func count(of fakes: Int) -> Int { Int((Double(fakes) * share).rounded()) }

  /// The fakes that an epoch has in which the others come once.
  private var madeOnce: Int {
    guard share < 1 else { return samples.count }
    return min(samples.count, Int((Double(fakes) * share / (1 - share)).rounded()))
  }

  /// How many samples such an epoch has.
  var onceCount: Int { madeOnce + (share < 1 ? others.count : real.count) }

  /// The samples of such an epoch: the others (with a share of 1 the real ones), then those that
  /// are made; over the epochs these come equally often, or, without an epoch, they are the first.
  func once(epoch: Int?, seed: UInt64) -> [Int] {
    let kept = share < 1 ? others : real
    let count = madeOnce
    let chosen =
      epoch.map {
        Sampler.part(of: samples, named: "MADE", $0 * count..<($0 + 1) * count, seed: seed)
      } ?? Array(samples.prefix(count))
    return (kept + chosen).map { Int($0) }
  }

  /// The fake that is made of a real sample, or else of another one.
  func sample(
    of real: Int, byPerson: Bool, _ generator: inout SeededGenerator
  ) -> Int {
    if let own = made[Int32(clamping: real)] { return Int(own) }
    if byPerson { return Sampler.sample(of: people, &generator) }
    guard let any = samples.randomElement(using: &generator) else {
      preconditionFailure("Sampler: no fake can be made")
    }
    return Int(any)
  }
}
