import HeapModule

/// Joins tracklets into people by looks: the two that are most alike first, as long as any are alike
/// enough, and never two that were seen in one frame.
///
/// The likeness of two groups is the mean, over the descriptors of both, of the likeness to the other's
/// likest: two that share some of their poses are alike even where others differ. Not all pairs are
/// looked at, but each tracklet with those just before it and with the longest of all, so that time
/// grows about as their number does.
struct TrackletJoining {
  /// Tracklets before each, and longest ones, with which it is compared.
  private static let neighbours = 64

  var minimumSimilarity: Float
  var minimumScore: Float

  /// A group of tracklets, which grows.
  private struct Group {
    var sightings: [Sighting]
    var exemplars: [FaceDescriptor]
    /// Groups with which it may be joined, by number.
    var candidates: Set<Int> = []
    var isAlive = true
  }

  /// Two groups, numbered, that were this alike.
  private struct Pair: Comparable {
    var similarity: Float
    var first, second: Int

    // The likest is the greatest; equals go by number, so that nothing depends on chance.
    static func < (a: Pair, b: Pair) -> Bool {
      (a.similarity, b.first, b.second) < (b.similarity, a.first, a.second)
    }
  }

  /// The sightings of each person, in the order of time.
  func groups(of tracklets: [Tracklet]) -> [[Sighting]] {
    var groups = tracklets.map { Group(sightings: $0.sightings, exemplars: $0.exemplars) }
    let joinable = tracklets.indices.filter {
      tracklets[$0].surest >= minimumScore && !tracklets[$0].exemplars.isEmpty
    }
    var heap = Heap<Pair>()
    let longest = joinable.sorted {
      (tracklets[$1].sightings.count, $0) < (tracklets[$0].sightings.count, $1)
    }.prefix(Self.neighbours)
    for (place, second) in joinable.enumerated() {
      let recent = joinable[max(0, place - Self.neighbours)..<place]
      for first in Set(recent).union(longest).sorted() where first != second {
        consider(min(first, second), max(first, second), &groups, &heap)
      }
    }
    while let pair = heap.popMax() {
      guard groups[pair.first].isAlive && groups[pair.second].isAlive else { continue }
      join(pair, &groups, &heap)
    }
    return groups.filter(\.isAlive).map(\.sightings)
  }

  /// Notes two groups as candidates where they are alike enough.
  private func consider(
    _ first: Int, _ second: Int, _ groups: inout [Group], _ heap: inout Heap<Pair>
  ) {
    guard !groups[first].candidates.contains(second),
      !Self.meet(groups[first].sightings, groups[second].sightings)
    else { return }
    groups[first].candidates.insert(second)
    groups[second].candidates.insert(first)
    let similarity = Self.similarity(groups[first].exemplars, groups[second].exemplars)
    guard similarity >= minimumSimilarity else { return }
    heap.insert(Pair(similarity: similarity, first: first, second: second))
  }

  /// Makes a new group of two and compares it with what either could be joined with.
  private func join(_ pair: Pair, _ groups: inout [Group], _ heap: inout Heap<Pair>) {
    let (a, b) = (groups[pair.first], groups[pair.second])
    let new = groups.count
    var exemplars = a.exemplars + b.exemplars
    while exemplars.count > Tracklet.exemplarLimit { exemplars = exemplars.thinnedByHalf() }
    groups.append(
      Group(sightings: Self.merged(a.sightings, b.sightings), exemplars: exemplars))
    for old in [pair.first, pair.second] {
      groups[old] = Group(sightings: [], exemplars: [], isAlive: false)
    }
    for other in a.candidates.union(b.candidates).sorted() where groups[other].isAlive {
      groups[other].candidates.remove(pair.first)
      groups[other].candidates.remove(pair.second)
      consider(other, new, &groups, &heap)
    }
  }

  private static func similarity(_ a: [FaceDescriptor], _ b: [FaceDescriptor]) -> Float {
    var bestOfB = [Float](repeating: -1, count: b.count)
    var sum: Float = 0
    for first in a {
      var best: Float = -1
      for (j, second) in b.enumerated() {
        let similarity = first.similarity(to: second)
        best = max(best, similarity)
        bestOfB[j] = max(bestOfB[j], similarity)
      }
      sum += best
    }
    return (sum / Float(a.count) + bestOfB.reduce(0, +) / Float(b.count)) / 2
  }

  /// Whether two lists in the order of frames have a frame in common.
  private static func meet(_ a: [Sighting], _ b: [Sighting]) -> Bool {
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

  private static func merged(_ a: [Sighting], _ b: [Sighting]) -> [Sighting] {
    (a + b).sorted { $0.frame < $1.frame }
  }
}

extension Array {
  /// Every second element, the first among them.
  func thinnedByHalf() -> [Element] {
    stride(from: 0, to: count, by: 2).map { self[$0] }
  }
}
