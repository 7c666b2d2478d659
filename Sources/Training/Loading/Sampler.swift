import DeepfakeCore
import FaceData
import Measures

/// The order in which an epoch shows the samples of a manifest: a function of the seed and the
/// epoch alone.
///
/// Where the manifest has fakes that are to be made (`FaceManifest.withMadeFakes`), `madeShare`
/// says how many of the fakes are. In an order that is half real and half fake, such a fake is made
/// of the real face that it alternates with, or, if none can be made of that one, of another; an
/// epoch is as long as the rest of the manifest, or twice as long where that is all real.
public struct Sampler: Sendable {
  /// In which order an epoch shows samples.
  public enum Order: String, Sendable, CaseIterable {
    /// Every sample once, shuffled. Of the fakes that can be made as many, at most each once, as it
    /// takes for their share; with a share of 1, all of them and no others.
    case shuffled
    /// As many real samples as fake ones, alternating in random order; an epoch is as long as the
    /// manifest. Each label's samples come equally often over the epochs, shuffled anew each time
    /// all have come.
    case balanced
    /// As many real samples as fake ones, drawn one by one: a person of those with such samples,
    /// then one of the person's videos, then one of the video's frames, all equally likely. A
    /// sample without a person counts its video as one; without either, itself.
    case people
    /// As `balanced`, but a fake alternates with the real face that it was made from (of its
    /// `original`), where the manifest has that: what then tells the two apart is neither the
    /// person nor the scene. A fake without one alternates with a real face of which no fake was
    /// made.
    case pairs
    /// As the manifest has them. As many fakes are made as in `shuffled`: the first ones.
    case sequential

    /// Whether real and fake samples alternate.
    var alternates: Bool { self != .shuffled && self != .sequential }
  }

  /// How the epoch is ordered.
  public let order: Order
  /// What the order depends on.
  public let seed: UInt64
  /// This process's number of those that share the work.
  public let rank: Int
  /// How many processes share the work.
  public let processes: Int
  /// Samples of the manifest, without the fakes that are to be made, that an epoch is as long as.
  private let count: Int
  private let labels: [[Int32]]
  private let people: [[People]]
  /// The real samples of each fake, and those of no fake; empty unless the order is `pairs`.
  private let originals: OriginalSamples
  /// The fakes that are to be made; nil where there are none.
  private let made: MadeSamples?

  /// One person's samples of one label: video by video.
  struct People: Sendable {
    var videos: [[Int32]]
  }

  /// A sampler of a manifest.
  ///
  /// Of each `processes` samples, the process `rank` gets one; those at the end that do not go
  /// round are left out, so that all have equally many.
  ///
  /// - Parameter madeShare: The part of the fakes that are made of real faces, where there are
  ///   such; all where there are no others.
  /// - Throws: `DatasetError.impossible` where half and half is asked for and a label is missing.
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
      // A video may show several people: its frames are theirs each.
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

  /// The number of samples that an epoch has for this process.
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

  /// A real sample and a fake each, either first; of the fakes, the share that is made.
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

  /// A real sample for each of an epoch's fakes, by `pairs`.
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

  /// A real and a fake sample each, either first.
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

  /// A part of a label's endless sequence: all its samples, shuffled, again and again.
  private func part(_ label: FaceLabel, _ range: Range<Int>) -> [Int32] {
    Self.part(of: labels[Int(label.rawValue)], named: label.word, range, seed: seed)
  }

  /// The same of any samples.
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

/// Which real samples fakes were made from.
private struct OriginalSamples: Sendable {
  /// Of each fake that has such, the real samples of its original.
  var ofFake: [Int32: [Int32]] = [:]
  /// The real samples of which no fake was made.
  var loose: [Int32] = []

  init() {}

  /// The samples of a table by label: real ones, then fakes.
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
