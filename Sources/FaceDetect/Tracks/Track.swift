/// A face seen in one frame.
package struct Sighting: Sendable, Equatable {
  /// The frame's number: the index of the tracker's `add` call, from 0.
  package let frame: Int
  /// The time of the frame in seconds.
  package let time: Double
  /// The face's index in the list passed for the frame.
  package let index: Int
  /// The face, in pixels of its frame.
  package let face: Face

  /// Creates a sighting.
  package init(frame: Int, time: Double, index: Int, face: Face) {
    self.frame = frame
    self.time = time
    self.index = index
    self.face = face
  }
}

/// One person throughout the frames.
package struct Track: Identifiable, Sendable, Equatable {
  /// The person's number, from 1, by first appearance; people who first appear in the same frame
  /// are numbered from left to right.
  package let id: Int
  /// The person's sightings by time: at most one per frame, at least one in all.
  package let sightings: [Sighting]

  /// Creates a track.
  package init(id: Int, sightings: [Sighting]) {
    precondition(
      !sightings.isEmpty
        && zip(sightings, sightings.dropFirst()).allSatisfy { $0.frame < $1.frame },
      "Track: sightings must be in the order of their frames, one per frame")
    self.id = id
    self.sightings = sightings
  }
}

extension [Track] {
  /// Numbers the tracks by first appearance, then from left to right.
  init(numbering groups: [[Sighting]]) {
    let ordered = groups.sorted { a, b in
      a[0].frame != b[0].frame ? a[0].frame < b[0].frame : a[0].isLeft(of: b[0])
    }
    self = ordered.enumerated().map { Track(id: $0.offset + 1, sightings: $0.element) }
  }
}

extension Sighting {
  /// Whether this sighting comes before another one of its frame: farther left, then farther up.
  /// The order does not depend on that of the detector's list.
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
