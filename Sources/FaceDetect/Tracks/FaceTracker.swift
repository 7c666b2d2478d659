import DeepfakeCore

/// Joins the faces of a video's frames into people.
///
/// Faces in frames that are near in time are joined as they come, one to one, by where they are and
/// what they look like; that ends where a scene is cut, a person leaves or two cannot be told
/// apart. What was joined so is joined further when `tracks()` is called, by looks alone; people
/// seen in one frame are never joined. So it works for every frame of a video as for a few that are
/// seconds apart.
///
/// Only descriptors are kept, never pictures: at most a few a person and time. The same frames give
/// the same tracks, whatever the order of the faces in them. `Docs/Tracks.md` says how well it
/// does.
package struct FaceTracker: Sendable {
  /// How faces are joined.
  package struct Options: Sendable, Equatable {
    /// How alike faces must be to be of one person when nothing speaks for it but their looks.
    ///
    /// 1 is the same picture. Two frames of one person in a video hardly fall below 0.8, two people
    /// hardly rise above 0.7.
    package var minimumSimilarity: Float = 0.7
    /// How alike faces of near frames must be that are in one place; further away, more is asked.
    package var minimumSimilarityInPlace: Float = 0.6
    /// Seconds from one frame to another within which a face's place says who it is.
    package var nearSeconds: Double = 2
    /// Faces that were never surer than this are not joined by looks: they may be none.
    package var minimumScore: Float = 0.8

    package init() {}
  }

  /// Gain that being in its place gives a face, beside how alike it is.
  private static let placeWeight: Float = 0.15

  /// The settings.
  package let options: Options
  private var frames = 0
  private var sketch: FrameSketch?
  private var tracklets: [Tracklet] = []
  /// Those tracklets that may go on.
  private var active: [Int] = []

  /// A tracker that has seen nothing.
  package init(_ options: Options = .init()) {
    self.options = options
  }

  /// Takes the faces of the next frame, in any order; `time` is in seconds.
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

  /// The people in the frames so far. Faces may still be added afterwards.
  package func tracks() -> [Track] {
    let joining = TrackletJoining(
      minimumSimilarity: options.minimumSimilarity, minimumScore: options.minimumScore)
    return [Track](numbering: joining.groups(of: tracklets))
  }

  private static func descriptors(of faces: [Face], in frame: Image) -> [FaceDescriptor?] {
    var descriptors = [FaceDescriptor?](repeating: nil, count: faces.count)
    descriptors.withUnsafeMutableBufferPointer { places in
      // Each task writes a place of its own.
      nonisolated(unsafe) let places = places
      Parallel.forEach(faces.count) { places[$0] = FaceDescriptor(of: faces[$0], in: frame) }
    }
    return descriptors
  }

  /// Ends the active tracklets for which `isOver`.
  private mutating func retire(_ isOver: (Tracklet) -> Bool) {
    active.removeAll { index in
      guard isOver(tracklets[index]) else { return false }
      tracklets[index].finish()
      return true
    }
  }

  /// A tracklet that may go on with a sighting; both by their places in the lists at hand.
  fileprivate struct Link {
    var tracklet, sighting: Int
    /// How alike, the place weighed in.
    var score: Float
    var closeness: Double
  }

  /// The links that hold: one to one, of the greatest sum, and those that might as well be others
  /// left out.
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

  /// Whether `other` uses one end of a link and is about as good, in place and looks.
  private func isRival(_ other: Link, of link: Link) -> Bool {
    (other.tracklet == link.tracklet) != (other.sighting == link.sighting)
      && other.score > link.score - 0.05 && other.closeness > link.closeness - 0.25
  }
}

extension [FaceTracker.Link] {
  /// The links in groups that share neither a tracklet nor a sighting.
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
