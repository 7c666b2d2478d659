/// A face seen in one frame.
public struct Sighting: Sendable, Equatable {
  /// The frame: the number of the tracker's `add` call, from 0.
  public let frame: Int
  /// When, in seconds.
  public let time: Double
  /// The face's place in the list that was given for the frame.
  public let index: Int
  /// The face, in pixels of its frame.
  public let face: Face

  /// A sighting.
  public init(frame: Int, time: Double, index: Int, face: Face) {
    self.frame = frame
    self.time = time
    self.index = index
    self.face = face
  }
}

/// One person through the frames.
public struct Track: Identifiable, Sendable, Equatable {
  /// 1 for the person seen first, then upwards; of those who appear in one frame, from left to right.
  public let id: Int
  /// Where the person was seen, in the order of time; at most once a frame, at least once in all.
  public let sightings: [Sighting]

  /// A track.
  public init(id: Int, sightings: [Sighting]) {
    precondition(
      !sightings.isEmpty
        && zip(sightings, sightings.dropFirst()).allSatisfy { $0.frame < $1.frame },
      "Track: sightings must be in the order of their frames, one a frame")
    self.id = id
    self.sightings = sightings
  }
}

extension [Track] {
  /// Tracks numbered by first appearance, then from left to right.
  init(numbering groups: [[Sighting]]) {
    let ordered = groups.sorted { a, b in
      let (first, second) = (a[0], b[0])
      if first.frame != second.frame { return first.frame < second.frame }
      let (left, right) = (first.face.box.center, second.face.box.center)
      if left.x != right.x { return left.x < right.x }
      if left.y != right.y { return left.y < right.y }
      return first.index < second.index
    }
    self = ordered.enumerated().map { Track(id: $0.offset + 1, sightings: $0.element) }
  }
}
