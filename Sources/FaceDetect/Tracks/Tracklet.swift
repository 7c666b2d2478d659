import Foundation

/// Sightings of one person in close succession, with descriptors of the person's appearance.
struct Tracklet: Sendable {
  /// The maximum number of descriptors kept per person.
  static let exemplarLimit = 8

  /// The sightings by time; never empty.
  private(set) var sightings: [Sighting]
  /// Descriptors of sightings spread evenly over the tracklet.
  private(set) var exemplars: [FaceDescriptor] = []
  /// The descriptor of the last sighting that had one.
  private(set) var latest: FaceDescriptor?
  /// The smoothed velocity of the face's centre in pixels per second.
  private(set) var velocity = (x: 0.0, y: 0.0)
  /// One of this many descriptors is kept; doubled whenever there are too many.
  private var exemplarStep = 1
  private var descriptors = 0

  init(_ sighting: Sighting, _ descriptor: FaceDescriptor?) {
    sightings = [sighting]
    keep(descriptor)
  }

  var last: Sighting { sightings[sightings.count - 1] }

  /// The highest score of the sightings.
  var surest: Float { sightings.map(\.face.score).max() ?? 0 }

  mutating func append(_ sighting: Sighting, _ descriptor: FaceDescriptor?) {
    let gap = sighting.time - last.time
    if gap > 0 {
      let (from, to) = (last.face.box.center, sighting.face.box.center)
      // Smoothed, because detected boxes jitter.
      velocity.x += 0.5 * (Double(to.x - from.x) / gap - velocity.x)
      velocity.y += 0.5 * (Double(to.y - from.y) / gap - velocity.y)
    }
    sightings.append(sighting)
    keep(descriptor)
  }

  private mutating func keep(_ descriptor: FaceDescriptor?) {
    guard let descriptor else { return }
    latest = descriptor
    if descriptors % exemplarStep == 0 { exemplars.append(descriptor) }
    descriptors += 1
    if exemplars.count > Self.exemplarLimit {
      exemplars = exemplars.thinnedByHalf()
      exemplarStep *= 2
    }
  }

  /// Frees the data that is only needed to continue the tracklet.
  mutating func finish() {
    latest = nil
  }

  /// The similarity of a face and the person: that to the last sighting if it is above 0.9,
  /// otherwise the highest similarity to any kept descriptor.
  func similarity(to descriptor: FaceDescriptor) -> Float {
    let nearest = latest.map { $0.similarity(to: descriptor) } ?? -1
    if nearest > 0.9 { return nearest }
    return exemplars.reduce(nearest) { max($0, $1.similarity(to: descriptor)) }
  }

  /// How near a face is to the person's expected position: 1 at that position, 0 out of reach.
  func closeness(to face: Face, time: Double) -> Double {
    let gap = max(0, time - last.time)
    let before = last.face
    let size = Double(before.box.width + before.box.height) / 2
    let newSize = Double(face.box.width + face.box.height) / 2
    guard size > 0, newSize > 0 else { return 0 }
    // The velocity is used for at most half a second; later positions cannot be predicted.
    let ahead = min(gap, 0.5)
    let shift = (
      x: min(max(velocity.x * ahead / size, -1), 1) * size,
      y: min(max(velocity.y * ahead / size, -1), 1) * size
    )
    // In face sizes: the distance that a face may have moved.
    let reach = 0.4 + 0.7 * gap
    let (from, to) = (before.box.center, face.box.center)
    let (x, y) = (Double(to.x - from.x) - shift.x, Double(to.y - from.y) - shift.y)
    guard abs(x) <= reach * size, abs(y) <= reach * size else { return 0 }
    let distance = Self.distance(before, face, shift) / size + abs(log(newSize / size))
    return max(0, 1 - distance / reach)
  }

  /// The mean distance between the corners of two boxes and between their landmarks, after the
  /// first face is moved by `shift`.
  private static func distance(
    _ a: Face, _ b: Face, _ shift: (x: Double, y: Double)
  ) -> Double {
    func apart(_ p: Point, _ q: Point) -> Double {
      let (x, y) = (Double(q.x - p.x) - shift.x, Double(q.y - p.y) - shift.y)
      return (x * x + y * y).squareRoot()
    }
    var sum = 0.0
    for (p, q) in zip(a.box.corners, b.box.corners) { sum += apart(p, q) }
    let corners = sum / 4
    guard a.landmarks.count == b.landmarks.count, !a.landmarks.isEmpty else { return corners }
    let landmarks = zip(a.landmarks, b.landmarks).reduce(0) { $0 + apart($1.0, $1.1) }
    return (corners + landmarks / Double(a.landmarks.count)) / 2
  }
}
