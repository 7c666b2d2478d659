/// A face seen in one frame.
package struct Sighting: Sendable, Equatable {
  /// The frame: the number of the tracker's `add` call, from 0.
  package let frame: Int
  /// When, in seconds.
  package let time: Double
  /// The face's place in the list that was given for the frame.
  package let index: Int
  /// The face, in pixels of its frame.
  package let face: Face

  /// A sighting.
  package init(frame: Int, time: Double, index: Int, face: Face) {
    self.frame = frame
    self.time = time
    self.index = index
    self.face = face
  }
}

/// One person through the frames.
package struct Track: Identifiable, Sendable, Equatable {
  /// 1 for the person seen first, then upwards; of those who appear in one frame, from left to
  /// right.
  package let id: Int
  /// Where the person was seen, in the order of time; at most once a frame, at least once in all.
  package let sightings: [Sighting]

  /// A track.
  package init(id: Int, sightings: [Sighting]) {
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
      a[0].frame != b[0].frame ? a[0].frame < b[0].frame : a[0].isLeft(of: b[0])
    }
    self = ordered.enumerated().map { Track(id: $0.offset + 1, sightings: $0.element) }
  }
}

extension Sighting {
  /// Whether this sighting comes before another of its frame: further to the left, then further up.
  /// An order of faces that does not depend on the detector's.
  func isLeft(of other: Sighting) -> Bool {
    let (a, b) = (face.box.center, other.face.box.center)
    if a.x != b.x { return a.x < b.x }
    if a.y != b.y { return a.y < b.y }
    let (sizeA, sizeB) = (face.box.area, other.face.box.area)
    if sizeA != sizeB { return sizeA > sizeB }
    if face.score != other.face.score { return face.score > other.face.score }
    return index < other.index
  }
}
