/// Mean scores of groups of faces, as a rule of the frames of one video, whose truth is one.
public struct GroupMeans: Sendable {
  private struct Group: Sendable {
    var sum: Double
    var count: Int
    var label: FaceLabel
  }

  private var groups: [Group] = []
  private var places: [String: Int] = [:]

  /// No scores.
  public init() {}

  /// Takes in a face's score. A group with a fake face in it counts as fake.
  public mutating func add(_ score: Float, _ label: FaceLabel, group: String) {
    let place = places[group] ?? groups.count
    if place == groups.count {
      groups.append(Group(sum: 0, count: 0, label: .real))
      places[group] = place
    }
    groups[place].sum += Double(score)
    groups[place].count += 1
    if label == .fake { groups[place].label = .fake }
  }

  /// The number of groups.
  public var count: Int { groups.count }

  /// The groups' mean scores against their truths.
  public func metrics(clip: Double = 1e-15, threshold: Float = 0.5) -> BinaryMetrics {
    var metrics = BinaryMetrics(clip: clip, threshold: threshold)
    for group in groups {
      metrics.add(Float(group.sum / Double(group.count)), group.label)
    }
    return metrics
  }
}
