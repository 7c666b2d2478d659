/// Mean scores of groups of faces, as a rule of the frames of one video, whose truth is one.
package struct GroupMeans<Name: Hashable & Sendable>: Sendable {
  private struct Group: Sendable {
    var sum = 0.0
    var count = 0
    var label = FaceLabel.real
  }

  private var groups: [Group] = []
  private var places: [Name: Int] = [:]

  /// No scores.
  package init() {}

  /// Takes in a face's score; without a group it is one of its own. A group with a fake face in it
  /// counts as fake.
  package mutating func add(_ score: Double, _ label: FaceLabel, group: Name?) {
    let place = group.flatMap { places[$0] } ?? groups.count
    if place == groups.count {
      groups.append(Group())
      if let group { places[group] = place }
    }
    groups[place].sum += score
    groups[place].count += 1
    if label == .fake { groups[place].label = .fake }
  }

  /// The number of groups.
  package var count: Int { groups.count }

  /// The groups' mean scores against their truths.
  package func metrics(clip: Double = 1e-15, threshold: Double = 0.5) -> BinaryMetrics {
    var metrics = BinaryMetrics(clip: clip, threshold: threshold)
    for group in groups {
      metrics.add(group.sum / Double(group.count), group.label)
    }
    return metrics
  }
}
