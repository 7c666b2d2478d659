import HeapModule

/// Joins tracklets into people by looks: the likest two first, as long as any are alike enough, and
/// never two that were seen in one frame.
///
/// First those that are alike beyond doubt, within stretches of the video, then within stretches of
/// two stretches and so on; then what is left. No group is compared with more than a fixed number
/// of others, those just before it and the longest of all. So time grows about as the number of
/// tracklets does.
struct TrackletJoining {
  /// Groups that every one is compared with, just before it and among the longest.
  private static let neighbours = 64
  /// Others with which a group may be compared that others have been joined to.
  private static let candidateLimit = 128
  /// Tracklets of the shortest stretch.
  private static let stretch = 32
  /// The likeness beyond doubt.
  private static let certain: Float = 0.85

  var minimumSimilarity: Float
  var minimumScore: Float

  /// The sightings of each person, in the order of time.
  func groups(of tracklets: [Tracklet]) -> [[Sighting]] {
    var joinable: [Group] = []
    var apart: [[Sighting]] = []
    for tracklet in tracklets {
      if tracklet.surest >= minimumScore && !tracklet.exemplars.isEmpty {
        joinable.append(Group(sightings: tracklet.sightings, exemplars: tracklet.exemplars))
      } else {
        apart.append(tracklet.sightings)
      }
    }
    let sure = joinedInStretches(joinable[...])
    return joined(sure, from: minimumSimilarity).map(\.sightings) + apart
  }

  /// Groups of tracklets that are alike beyond doubt.
  private func joinedInStretches(_ groups: ArraySlice<Group>) -> [Group] {
    let least = max(Self.certain, minimumSimilarity)
    guard groups.count > Self.stretch else { return joined(Array(groups), from: least) }
    let middle = groups.startIndex + groups.count / 2
    return joined(
      joinedInStretches(groups[..<middle]) + joinedInStretches(groups[middle...]), from: least)
  }

  /// Joins groups, the likest first, that are at least this alike. Their order stays.
  private func joined(_ groups: [Group], from similarity: Float) -> [Group] {
    var joining = GroupJoining(
      groups: groups, minimumSimilarity: similarity, candidateLimit: Self.candidateLimit)
    let longest = groups.indices.sorted {
      (groups[$1].sightings.count, $0) < (groups[$0].sightings.count, $1)
    }.prefix(Self.neighbours)
    for second in groups.indices {
      let recent = max(0, second - Self.neighbours)..<second
      for first in recent { joining.consider(first, second) }
      for other in longest where other != second && !recent.contains(other) {
        joining.consider(min(other, second), max(other, second))
      }
    }
    return joining.result()
  }

  /// Tracklets of one person.
  fileprivate struct Group {
    /// In the order of time.
    var sightings: [Sighting]
    var exemplars: [FaceDescriptor]
    /// Groups with which it may be joined, by number.
    var candidates: Set<Int> = []
    var isAlive = true

    /// Two groups as one.
    init(_ a: Group, _ b: Group) {
      sightings = (a.sightings + b.sightings).sorted { $0.frame < $1.frame }
      exemplars = a.exemplars + b.exemplars
      while exemplars.count > Tracklet.exemplarLimit { exemplars = exemplars.thinnedByHalf() }
    }

    init(sightings: [Sighting], exemplars: [FaceDescriptor]) {
      self.sightings = sightings
      self.exemplars = exemplars
    }

    /// The mean, over the descriptors of both, of the likeness to the other's likest: groups that
    /// share some of their poses are alike even where others differ.
    func similarity(to other: Group) -> Float {
      var bestOfOther = [Float](repeating: -1, count: other.exemplars.count)
      var sum: Float = 0
      for first in exemplars {
        var best: Float = -1
        for (j, second) in other.exemplars.enumerated() {
          let similarity = first.similarity(to: second)
          best = max(best, similarity)
          bestOfOther[j] = max(bestOfOther[j], similarity)
        }
        sum += best
      }
      return
        (sum / Float(exemplars.count) + bestOfOther.reduce(0, +) / Float(bestOfOther.count)) / 2
    }

    /// Whether the two were seen in one frame.
    func meets(_ other: Group) -> Bool {
      let (a, b) = (sightings, other.sightings)
      guard let firstA = a.first, let lastA = a.last, let firstB = b.first, let lastB = b.last,
        firstA.frame <= lastB.frame, firstB.frame <= lastA.frame
      else { return false }
      var (i, j) = (0, 0)
      while i < a.count && j < b.count {
        if a[i].frame == b[j].frame { return true }
        if a[i].frame < b[j].frame { i += 1 } else { j += 1 }
      }
      return false
    }
  }
}

/// One round of joining, the likest pair first.
private struct GroupJoining {
  /// Two groups, numbered, that were this alike.
  struct Pair: Comparable {
    var similarity: Float
    var first, second: Int

    // The likest is the greatest; equals go by number, so that nothing depends on chance.
    static func < (a: Pair, b: Pair) -> Bool {
      (a.similarity, b.first, b.second) < (b.similarity, a.first, a.second)
    }
  }

  private var groups: [TrackletJoining.Group]
  private let minimumSimilarity: Float
  private let candidateLimit: Int
  private var heap = Heap<Pair>()

  init(groups: [TrackletJoining.Group], minimumSimilarity: Float, candidateLimit: Int) {
    self.groups = groups
    self.minimumSimilarity = minimumSimilarity
    self.candidateLimit = candidateLimit
    for index in groups.indices { self.groups[index].candidates = [] }
  }

  /// Notes two groups as candidates, unless they were seen in one frame.
  mutating func consider(_ first: Int, _ second: Int) {
    guard !groups[first].candidates.contains(second), !groups[first].meets(groups[second]) else {
      return
    }
    groups[first].candidates.insert(second)
    groups[second].candidates.insert(first)
    let similarity = groups[first].similarity(to: groups[second])
    guard similarity >= minimumSimilarity else { return }
    heap.insert(Pair(similarity: similarity, first: first, second: second))
  }

  /// Joins until no candidates are alike enough: the groups, by first appearance.
  mutating func result() -> [TrackletJoining.Group] {
    while let pair = heap.popMax() {
      if groups[pair.first].isAlive && groups[pair.second].isAlive { join(pair) }
    }
    return groups.filter(\.isAlive).sorted { a, b in
      let (first, second) = (a.sightings[0], b.sightings[0])
      return first.frame != second.frame ? first.frame < second.frame : first.isLeft(of: second)
    }
  }

  /// Makes a new group of two and compares it with what either could be joined with.
  private mutating func join(_ pair: Pair) {
    let (a, b) = (groups[pair.first], groups[pair.second])
    let new = groups.count
    groups.append(TrackletJoining.Group(a, b))
    for old in [pair.first, pair.second] {
      groups[old].isAlive = false
      groups[old].sightings = []
      groups[old].exemplars = []
    }
    let others = a.candidates.union(b.candidates).filter { groups[$0].isAlive }.sorted {
      (groups[$1].sightings.count, $0) < (groups[$0].sightings.count, $1)
    }
    for other in others.prefix(candidateLimit) {
      groups[other].candidates.remove(pair.first)
      groups[other].candidates.remove(pair.second)
      consider(other, new)
    }
  }
}

extension Array {
  /// Every second element, the first among them.
  func thinnedByHalf() -> [Element] {
    stride(from: 0, to: count, by: 2).map { self[$0] }
  }
}
