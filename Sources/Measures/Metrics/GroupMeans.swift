/// Mean scores of groups of faces, usually the frames of one video, which share one label.
package struct GroupMeans<Name: Hashable & Sendable>: Sendable {
  private struct Group: Sendable {
    var sum = 0.0
    var count = 0
    var label = FaceLabel.real
  }

  private var groups: [Group] = []
  private var places: [Name: Int] = [:]

  /// Creates an empty collection.
  package init() {}

  /// Adds a face's score. A face without a group (nil) is a group of its own. A group with any fake
  /// face is fake.
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

  /// The metrics of the groups' mean scores.
  package func metrics(clip: Double = 1e-15, threshold: Double = 0.5) -> BinaryMetrics {
    var metrics = BinaryMetrics(clip: clip, threshold: threshold)
    for group in groups {
      metrics.add(group.sum / Double(group.count), group.label)
    }
    return metrics
  }
}
