import DeepfakeCore
import FaceData

/// The made fakes of a manifest, for a `Sampler`.
struct MadeSamples: Sendable {
  /// All made fakes.
  private let samples: [Int32]
  /// All other samples in order: real samples and existing fakes.
  private let others: [Int32]
  /// The real samples.
  private let real: [Int32]
  /// The made fake of each real sample that has one.
  private let made: [Int32: Int32]
  /// The made fakes by person and video.
  private let people: [Sampler.People]
  /// The fraction of fakes that are made; 1 if there are no existing fakes.
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

  /// Number of existing fakes.
  private var fakes: Int { others.count - real.count }

  /// Number of samples in an epoch of an alternating order, half real and half fake.
  var epochCount: Int { fakes == 0 ? 2 * others.count : others.count }

  /// Of a number of fakes, how many are made.
  func count(of fakes: Int) -> Int { Int((Double(fakes) * share).rounded()) }

  /// Number of made fakes in an epoch that shows every other sample once.
  private var madeOnce: Int {
    guard share < 1 else { return samples.count }
    return min(samples.count, Int((Double(fakes) * share / (1 - share)).rounded()))
  }

  /// Number of samples in an epoch that shows every other sample once.
  var onceCount: Int { madeOnce + (share < 1 ? others.count : real.count) }

  /// The samples of an epoch that shows every other sample once (with a share of 1, only the real
  /// ones), followed by made fakes. Over the epochs, each made fake is shown equally often. If
  /// `epoch` is nil, the first made fakes are used.
  func once(epoch: Int?, seed: UInt64) -> [Int] {
    let kept = share < 1 ? others : real
    let count = madeOnce
    let chosen =
      epoch.map {
        Sampler.part(of: samples, named: "MADE", $0 * count..<($0 + 1) * count, seed: seed)
      } ?? Array(samples.prefix(count))
    return (kept + chosen).map { Int($0) }
  }

  /// The made fake of a real sample, or if it has none, a random one.
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
