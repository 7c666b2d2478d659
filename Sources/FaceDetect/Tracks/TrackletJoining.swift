import HeapModule

/// Joins tracklets into people by appearance. The most similar pair is joined first, until no pair
/// is similar enough. Tracklets seen in the same frame are never joined.
///
/// Very similar tracklets (`certain`) are joined first, within short stretches of the video, then
/// within stretches of twice the length, and so on. The rest is joined afterwards. A group is
/// compared with a limited number of others: those just before it and the longest of all. The time
/// therefore grows about linearly with the number of tracklets.
struct TrackletJoining {
  /// The number of groups just before a group, and of longest groups, that it is compared with.
  private static let neighbours = 64
  /// The maximum number of groups that a group made by joining is compared with.
  private static let candidateLimit = 128
  /// The number of tracklets in the shortest stretch.
  private static let stretch = 32
  /// The similarity above which two groups are certainly the same person.
  private static let certain: Float = 0.85

  var minimumSimilarity: Float
  var minimumScore: Float

  /// The sightings of each person, by time.
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

  /// Joins very similar groups, in stretches.
  private func joinedInStretches(_ groups: ArraySlice<Group>) -> [Group] {
    let least = max(Self.certain, minimumSimilarity)
    guard groups.count > Self.stretch else { return joined(Array(groups), from: least) }
    let middle = groups.startIndex + groups.count / 2
    return joined(
      joinedInStretches(groups[..<middle]) + joinedInStretches(groups[middle...]), from: least)
  }

  /// Joins groups with at least this similarity, the most similar first. Their order does not
  /// change.
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
    /// The sightings by time.
    var sightings: [Sighting]
    var exemplars: [FaceDescriptor]
    /// Indices of the groups that it may be joined with.
    var candidates: Set<Int> = []
    var isAlive = true

    /// Joins two groups.
    init(_ a: Group, _ b: Group) {
      sightings = (a.sightings + b.sightings).sorted { $0.frame < $1.frame }
      exemplars = a.exemplars + b.exemplars
      while exemplars.count > Tracklet.exemplarLimit { exemplars = exemplars.thinnedByHalf() }
    }

    init(sightings: [Sighting], exemplars: [FaceDescriptor]) {
      self.sightings = sightings
      self.exemplars = exemplars
    }

    /// The mean, over the descriptors of both groups, of the highest similarity to a descriptor of
    /// the other group. Groups that share some poses are thus similar even if other poses differ.
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

    /// Whether the two were seen in the same frame.
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

/// One round of joining, the most similar pair first.
private struct GroupJoining {
  /// The indices of two groups, and their similarity.
  struct Pair: Comparable {
    var similarity: Float
    var first, second: Int

    // The most similar pair is the largest; ties are ordered by index, so the result is
    // deterministic.
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

  /// Adds two groups as candidates for joining, unless they were seen in the same frame.
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

  /// Joins candidates until none are similar enough; returns the groups by first appearance.
  mutating func result() -> [TrackletJoining.Group] {
    while let pair = heap.popMax() {
      if groups[pair.first].isAlive && groups[pair.second].isAlive { join(pair) }
    }
    return groups.filter(\.isAlive).sorted { a, b in
      let (first, second) = (a.sightings[0], b.sightings[0])
      return first.frame != second.frame ? first.frame < second.frame : first.isLeft(of: second)
    }
  }

  /// Joins two groups and compares the result with the candidates of both.
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
