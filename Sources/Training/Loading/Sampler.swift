import DeepfakeCore
import FaceData
import Measures

/// The order of samples in an epoch. It depends on the seed and the epoch alone.
///
/// If the manifest has made fakes (`FaceManifest.withMadeFakes`), `madeShare` is their fraction of
/// the fakes. In an alternating order, half real and half fake, a made fake is made of the real
/// face that it alternates with, or of another if that is impossible. Such an epoch is as long as
/// the manifest without made fakes, or twice as long if that has only real samples.
public struct Sampler: Sendable {
  /// The order of samples in an epoch.
  public enum Order: String, Sendable, CaseIterable {
    /// Every sample once, shuffled. As many made fakes are added as their share requires, each at
    /// most once. With a share of 1, all made fakes and no other fakes are shown.
    case shuffled
    /// Real and fake samples alternate, in random order; an epoch is as long as the manifest. Over
    /// the epochs, all samples of a label are shown equally often. They are shuffled again after
    /// each pass.
    case balanced
    /// Real and fake samples alternate. Each is drawn independently: first a person who has samples
    /// of the label, then one of the person's videos, then one of the video's frames, all with
    /// equal probability. A sample without a person counts its video as the person. A sample with
    /// neither is a person of its own.
    case people
    /// As `balanced`, but a fake alternates with a real face of its `original`, if the manifest has
    /// one. So neither the person nor the scene tells the two apart. Other fakes alternate with
    /// real faces of which no fake was made.
    case pairs
    /// The order of the manifest. As many fakes are made as in `shuffled`, the first ones.
    case sequential

    /// Whether real and fake samples alternate.
    var alternates: Bool { self != .shuffled && self != .sequential }
  }

  /// The order of samples.
  public let order: Order
  /// Random seed; the same seed gives the same order.
  public let seed: UInt64
  /// The number of this process among the processes that share the work, from 0.
  public let rank: Int
  /// The number of processes that share the work.
  public let processes: Int
  /// The length of an epoch: the number of samples without made fakes.
  private let count: Int
  private let labels: [[Int32]]
  private let people: [[People]]
  /// The real samples of each fake's original, and those without fakes; empty unless the order is
  /// `pairs`.
  private let originals: OriginalSamples
  /// The made fakes; nil if there are none.
  private let made: MadeSamples?

  /// One person's samples of one label, by video.
  struct People: Sendable {
    var videos: [[Int32]]
  }

  /// Makes a sampler of a manifest.
  ///
  /// Of every `processes` consecutive samples, the process `rank` gets one. Remaining samples at
  /// the end are left out, so all processes get the same number.
  ///
  /// - Parameter madeShare: The fraction of the fakes that are made of real faces, if the manifest
  ///   has made fakes. It is 1 if there are no other fakes.
  /// - Throws: `DatasetError.impossible` if the order alternates and a label has no samples.
  public init(
    _ manifest: FaceManifest, order: Order, madeShare: Float = 0.5, seed: UInt64, rank: Int = 0,
    processes: Int = 1
  ) throws(DatasetError) {
    precondition((0...1).contains(madeShare), "Sampler: madeShare \(madeShare) is not in 0...1")
    precondition(rank >= 0 && rank < processes, "Sampler: rank \(rank) of \(processes)")
    self.order = order
    self.seed = seed
    self.rank = rank
    self.processes = processes
    made = manifest.hasMadeFakes ? MadeSamples(manifest, share: madeShare) : nil
    count = made?.epochCount ?? manifest.count
    guard order.alternates else {
      labels = []
      people = []
      originals = OriginalSamples()
      return
    }
    var labels: [[Int32]] = [[], []]
    for (index, row) in manifest.table.rows.enumerated() {
      if !row.isMade { labels[Int(row.label.rawValue)].append(Int32(clamping: index)) }
    }
    for label in FaceLabel.allCases where labels[Int(label.rawValue)].isEmpty {
      if label == .fake, made != nil { continue }
      throw .impossible(
        problem: "the data has no \(label.word) sample, so it cannot be balanced; add some, or"
          + " choose the order 'shuffled'")
    }
    people = order == .people ? labels.map { Self.people($0, manifest.table) } : []
    originals = order == .pairs ? OriginalSamples(labels, manifest.table) : OriginalSamples()
    self.labels = labels
  }

  static func people(_ samples: [Int32], _ table: SampleTable) -> [People] {
    struct Key: Hashable {
      var kind: Int
      var number: Int32
    }
    var people: [People] = []
    var numbers: [Key: Int] = [:]
    var videos: [Key: Int] = [:]
    for sample in samples {
      let row = table.rows[Int(sample)]
      let person =
        row.person >= 0
        ? Key(kind: 0, number: row.person)
        : row.video >= 0 ? Key(kind: 1, number: row.video) : Key(kind: 2, number: sample)
      let number = numbers[person] ?? people.count
      if number == people.count {
        numbers[person] = number
        people.append(People(videos: []))
      }
      // A video may show several people: each person gets their own frames of it.
      let video = Key(kind: number, number: row.video >= 0 ? row.video : -1 - sample)
      if let place = videos[video] {
        people[number].videos[place].append(sample)
      } else {
        videos[video] = people[number].videos.count
        people[number].videos.append([sample])
      }
    }
    return people
  }

  /// Number of samples in an epoch, for this process.
  public var epochLength: Int {
    let whole = order.alternates ? count / 2 * 2 : made?.onceCount ?? count
    return processes == 1 ? whole : whole / processes
  }

  /// The indices of an epoch's samples, for this process, in order.
  public func indices(epoch: Int) -> [Int] {
    precondition(epoch >= 0, "Sampler: epoch \(epoch)")
    let all = order(epoch)
    guard processes > 1 else { return all }
    return (0..<epochLength).map { all[$0 * processes + rank] }
  }

  private func order(_ epoch: Int) -> [Int] {
    var generator = SeededGenerator(seed: seed, label: "order of epoch \(epoch)")
    switch order {
    case .sequential: return made?.once(epoch: nil, seed: seed) ?? Array(0..<count)
    case .shuffled:
      return (made?.once(epoch: epoch, seed: seed) ?? Array(0..<count)).shuffled(using: &generator)
    case _ where made != nil: return pairsWithMade(epoch, &generator)
    case .balanced:
      let half = count / 2
      let parts = FaceLabel.allCases.map { part($0, epoch * half..<(epoch + 1) * half) }
      return pairs(half, &generator) { pair, label, _ in Int(parts[label][pair]) }
    case .pairs:
      let half = count / 2
      let fakes = part(.fake, epoch * half..<(epoch + 1) * half)
      let real = partners(of: fakes, epoch: epoch)
      return pairs(half, &generator) { pair, label, _ in Int(label == 0 ? real[pair] : fakes[pair])
      }
    case .people:
      return pairs(count / 2, &generator) { _, label, generator in
        Self.sample(of: people[label], &generator)
      }
    }
  }

  static func sample(of people: [People], _ generator: inout SeededGenerator) -> Int {
    guard let person = people.randomElement(using: &generator),
      let video = person.videos.randomElement(using: &generator),
      let sample = video.randomElement(using: &generator)
    else { preconditionFailure("Sampler: a person without samples") }
    return Int(sample)
  }

  /// Pairs of a real sample and a fake, in random order within a pair. The share of made fakes is
  /// kept.
  private func pairsWithMade(_ epoch: Int, _ generator: inout SeededGenerator) -> [Int] {
    guard let made else { return [] }
    let half = count / 2
    let before = made.count(of: epoch * half)
    let wanted = made.count(of: (epoch + 1) * half) - before
    let isMade = (0..<half).map { $0 < wanted }.shuffled(using: &generator)
    var others = 0
    var real: [Int32] = []
    var fake: [Int32] = []
    if order != .people {
      real = part(.real, epoch * half..<(epoch + 1) * half)
      let start = epoch * half - before
      if wanted < half { fake = part(.fake, start..<start + half - wanted) }
      if order == .pairs {
        var partners = partners(of: fake, epoch: epoch).makeIterator()
        for pair in 0..<half where !isMade[pair] { real[pair] = partners.next() ?? real[pair] }
      }
    }
    var result: [Int] = []
    result.reserveCapacity(2 * half)
    for pair in 0..<half {
      let isRealFirst = generator.next() >> 63 == 0
      let first =
        order == .people ? Self.sample(of: people[0], &generator) : Int(real[pair])
      let second: Int
      if isMade[pair] {
        second = made.sample(of: first, byPerson: order == .people, &generator)
      } else {
        second =
          order == .people ? Self.sample(of: people[1], &generator) : Int(fake[others])
        others += 1
      }
      result += isRealFirst ? [first, second] : [second, first]
    }
    return result
  }

  /// A real sample for each of an epoch's fakes, in the order `pairs`.
  private func partners(of fakes: [Int32], epoch: Int) -> [Int32] {
    var generator = SeededGenerator(seed: seed, label: "originals of epoch \(epoch)")
    let loose = originals.loose.isEmpty ? labels[0] : originals.loose
    var others = Self.part(
      of: loose, named: "loose", epoch * fakes.count..<(epoch + 1) * fakes.count, seed: seed
    ).makeIterator()
    return fakes.map { fake in
      originals.ofFake[fake]?.randomElement(using: &generator) ?? others.next() ?? loose[0]
    }
  }

  /// Pairs of a real and a fake sample, in random order within a pair.
  private func pairs(
    _ count: Int, _ generator: inout SeededGenerator,
    _ sample: (_ pair: Int, _ label: Int, _ generator: inout SeededGenerator) -> Int
  ) -> [Int] {
    var result: [Int] = []
    result.reserveCapacity(2 * count)
    for pair in 0..<count {
      let first = Int(generator.next() >> 63)
      result.append(sample(pair, first, &generator))
      result.append(sample(pair, 1 - first, &generator))
    }
    return result
  }

  /// A range of a label's infinite sequence: repeated passes over all its samples, each shuffled.
  private func part(_ label: FaceLabel, _ range: Range<Int>) -> [Int32] {
    Self.part(of: labels[Int(label.rawValue)], named: label.word, range, seed: seed)
  }

  /// A range of the infinite sequence of any samples, of which there must be at least one.
  static func part(
    of samples: [Int32], named name: String, _ range: Range<Int>, seed: UInt64
  ) -> [Int32] {
    var result: [Int32] = []
    result.reserveCapacity(range.count)
    var place = range.lowerBound
    while place < range.upperBound {
      let pass = place / samples.count
      var generator = SeededGenerator(seed: seed, label: "\(name) pass \(pass)")
      let shuffled = samples.shuffled(using: &generator)
      let end = min(range.upperBound, (pass + 1) * samples.count)
      result += shuffled[place - pass * samples.count..<end - pass * samples.count]
      place = end
    }
    return result
  }
}

/// The real samples that fakes were made from.
private struct OriginalSamples: Sendable {
  /// For each fake, the real samples of its original; fakes without any are left out.
  var ofFake: [Int32: [Int32]] = [:]
  /// The real samples of which no fake was made.
  var loose: [Int32] = []

  init() {}

  /// Finds the originals of fakes. `labels` holds the real samples, then the fake ones.
  init(_ labels: [[Int32]], _ table: SampleTable) {
    let videos = table.realSamplesByVideo
    var used: Set<Int32> = []
    for sample in labels[1] {
      let original = table.rows[Int(sample)].original
      guard original >= 0, let real = videos[original] else { continue }
      ofFake[sample] = real
      used.insert(original)
    }
    loose = labels[0].filter { !used.contains(table.rows[Int($0)].video) }
  }
}
