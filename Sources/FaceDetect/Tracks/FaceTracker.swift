import DeepfakeCore

/// Joins the faces of a video's frames into people.
public struct FaceTracker: Sendable {
  /// How faces are joined.
  public struct Options: Sendable, Equatable {
    /// Faces of near frames are one person from this intersection over union on.
    public var minimumOverlap: Float = 0.3

    /// The defaults.
    public init() {}
  }

  /// The settings.
  public let options: Options
  private var frames = 0
  private var groups: [[Sighting]] = []

  /// A tracker that has seen nothing.
  public init(_ options: Options = .init()) {
    self.options = options
  }

  /// Takes the faces of the next frame, in any order; `time` is in seconds.
  public mutating func add(_ faces: [Face], in frame: Image, time: Double) {
    var pairs: [(overlap: Float, group: Int, index: Int)] = []
    for (group, sightings) in groups.enumerated() {
      guard let last = sightings.last else { continue }
      for (index, face) in faces.enumerated() {
        let overlap = face.box.intersectionOverUnion(with: last.face.box)
        if overlap >= options.minimumOverlap { pairs.append((overlap, group, index)) }
      }
    }
    pairs.sort { ($1.overlap, $0.group, $0.index) < ($0.overlap, $1.group, $1.index) }
    var taken: Set<Int> = []
    var grown: Set<Int> = []
    for pair in pairs where !taken.contains(pair.index) && !grown.contains(pair.group) {
      taken.insert(pair.index)
      grown.insert(pair.group)
      groups[pair.group].append(
        Sighting(frame: frames, time: time, index: pair.index, face: faces[pair.index]))
    }
    for (index, face) in faces.enumerated() where !taken.contains(index) {
      groups.append([Sighting(frame: frames, time: time, index: index, face: face)])
    }
    frames += 1
  }

  /// The people in the frames so far.
  public func tracks() -> [Track] {
    [Track](numbering: groups)
  }
}
