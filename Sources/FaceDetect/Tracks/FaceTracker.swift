import DeepfakeCore

/// Groups the faces of a video's frames by person.
///
/// In a first step, `add` links faces of frames that are close in time, one to one, by position and
/// appearance. A link ends at a cut, when a person leaves, or when two people cannot be told apart.
/// In a second step, `tracks()` joins the resulting tracklets by appearance alone; people seen in
/// the same frame are never joined. This works for all frames of a video and for a few frames that
/// are seconds apart.
///
/// Only descriptors are kept, never images, and only a few per person. The same frames give the
/// same tracks, in whatever order the faces come. `Docs/Tracks.md` has the measured accuracy.
package struct FaceTracker: Sendable {
  /// The thresholds for joining faces.
  package struct Options: Sendable, Equatable {
    /// The minimum similarity for joining faces by appearance alone.
    ///
    /// 1 means the same picture. Two frames of one person in a video are hardly below 0.8, two
    /// people hardly above 0.7.
    package var minimumSimilarity: Float = 0.7
    /// The minimum similarity for linking a face at the expected position in a near frame. Farther
    /// away, a higher similarity is required.
    package var minimumSimilarityInPlace: Float = 0.6
    /// The maximum time between two frames, in seconds, for linking faces by position.
    package var nearSeconds: Double = 2
    /// Faces that never reach this score are not joined by appearance, because they may be false
    /// detections.
    package var minimumScore: Float = 0.8

    package init() {}
  }

  /// The gain of a face exactly at the expected position, added to its similarity.
  private static let placeWeight: Float = 0.15

  /// The settings.
  package let options: Options
  private var frames = 0
  private var sketch: FrameSketch?
  private var tracklets: [Tracklet] = []
  /// Indices of the tracklets that may continue.
  private var active: [Int] = []

  /// Creates a tracker without frames.
  package init(_ options: Options = .init()) {
    self.options = options
  }

  /// Adds the faces of the next frame, in any order; `time` is in seconds.
  package mutating func add(_ faces: [Face], in frame: Image, time: Double) {
    let time = time.isFinite ? time : 0
    let sightings = faces.enumerated()
      .map { Sighting(frame: frames, time: time, index: $0.offset, face: $0.element) }
      .sorted { $0.isLeft(of: $1) }
    frames += 1
    let descriptors = Self.descriptors(of: sightings.map(\.face), in: frame)
    let sketch = FrameSketch(frame)
    let isCut = self.sketch.map(sketch.isOtherScene) ?? false
    self.sketch = sketch
    let near = options.nearSeconds
    retire { isCut || time - $0.last.time > near }
    var owners = [Int?](repeating: nil, count: sightings.count)
    for link in links(to: sightings, descriptors) { owners[link.sighting] = active[link.tracklet] }
    for (place, sighting) in sightings.enumerated() {
      if let owner = owners[place] {
        tracklets[owner].append(sighting, descriptors[place])
      } else {
        active.append(tracklets.count)
        tracklets.append(Tracklet(sighting, descriptors[place]))
      }
    }
  }

  /// The people in the frames so far. More faces can be added afterwards.
  package func tracks() -> [Track] {
    let joining = TrackletJoining(
      minimumSimilarity: options.minimumSimilarity, minimumScore: options.minimumScore)
    return [Track](numbering: joining.groups(of: tracklets))
  }

  private static func descriptors(of faces: [Face], in frame: Image) -> [FaceDescriptor?] {
    var descriptors = [FaceDescriptor?](repeating: nil, count: faces.count)
    descriptors.withUnsafeMutableBufferPointer { places in
      // Each task writes to a different element.
      nonisolated(unsafe) let places = places
      Parallel.forEach(faces.count) { places[$0] = FaceDescriptor(of: faces[$0], in: frame) }
    }
    return descriptors
  }

  /// Ends the active tracklets for which `isOver` returns true.
  private mutating func retire(_ isOver: (Tracklet) -> Bool) {
    active.removeAll { index in
      guard isOver(tracklets[index]) else { return false }
      tracklets[index].finish()
      return true
    }
  }

  /// A possible continuation of a tracklet by a sighting: indices in `active` and in the frame's
  /// sightings.
  fileprivate struct Link {
    var tracklet, sighting: Int
    /// The similarity plus the gain for the position.
    var score: Float
    /// How near the face is to the expected position: 1 there, 0 out of reach.
    var closeness: Double
  }

  /// The links of the next frame: one to one with the largest sum, without those for which another
  /// link would be about as good.
  private func links(
    to sightings: [Sighting], _ descriptors: [FaceDescriptor?]
  ) -> [Link] {
    let all = candidates(sightings, descriptors)
    var chosen: [Link] = []
    for component in all.components(tracklets: active.count) {
      let rows = Set(component.map(\.tracklet)).sorted()
      let columns = Set(component.map(\.sighting)).sorted()
      let rowPlaces = Dictionary(uniqueKeysWithValues: zip(rows, rows.indices))
      let columnPlaces = Dictionary(uniqueKeysWithValues: zip(columns, columns.indices))
      var gains = [[Double]](
        repeating: [Double](repeating: 0, count: columns.count), count: rows.count)
      var links: [Int: Link] = [:]
      for link in component {
        guard let row = rowPlaces[link.tracklet], let column = columnPlaces[link.sighting] else {
          continue
        }
        gains[row][column] = Double(link.score - requiredScore) + 1e-3
        links[row * columns.count + column] = link
      }
      for (row, column) in Assignment.best(gains).enumerated() {
        guard let column, let link = links[row * columns.count + column],
          !component.contains(where: { isRival($0, of: link) })
        else { continue }
        chosen.append(link)
      }
    }
    return chosen
  }

  private var requiredScore: Float { options.minimumSimilarityInPlace + Self.placeWeight }

  private func candidates(
    _ sightings: [Sighting], _ descriptors: [FaceDescriptor?]
  ) -> [Link] {
    var links: [Link] = []
    for (row, index) in active.enumerated() {
      let tracklet = tracklets[index]
      for (column, sighting) in sightings.enumerated() {
        let closeness = tracklet.closeness(to: sighting.face, time: sighting.time)
        guard closeness > 0, let descriptor = descriptors[column] else { continue }
        let score = tracklet.similarity(to: descriptor) + Self.placeWeight * Float(closeness)
        guard score >= requiredScore else { continue }
        links.append(
          Link(tracklet: row, sighting: column, score: score, closeness: closeness))
      }
    }
    return links
  }

  /// Whether `other` shares one end with `link` and is about as good in position and appearance.
  private func isRival(_ other: Link, of link: Link) -> Bool {
    (other.tracklet == link.tracklet) != (other.sighting == link.sighting)
      && other.score > link.score - 0.05 && other.closeness > link.closeness - 0.25
  }
}

extension [FaceTracker.Link] {
  /// The links in groups that share neither a tracklet nor a sighting with each other.
  fileprivate func components(tracklets: Int) -> [[FaceTracker.Link]] {
    var sets = DisjointSets(count: tracklets)
    var firstOfSighting: [Int: Int] = [:]
    for link in self {
      let first = firstOfSighting[link.sighting, default: link.tracklet]
      firstOfSighting[link.sighting] = first
      sets.join(first, link.tracklet)
    }
    var groups: [Int: [FaceTracker.Link]] = [:]
    for link in self { groups[sets.root(of: link.tracklet), default: []].append(link) }
    return groups.sorted { $0.key < $1.key }.map(\.value)
  }
}
