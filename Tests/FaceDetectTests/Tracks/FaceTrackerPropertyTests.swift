import DeepfakeCore
import FaceDetect
import Testing

@Suite struct FaceTrackerPropertyTests {
  /// Frames of random length, with random faces of a few people and some that are none.
  private func frames(seed: UInt64) -> [(image: Image, faces: [Face], time: Double)] {
    var generator = SeededGenerator(seed: seed)
    let scene = DrawnScene(
      people: (0..<3).map { DrawnPerson(seed: seed * 10 + UInt64($0)) }, width: 240, height: 135)
    var time = 0.0
    return (0..<25).map { _ in
      time += Double(generator.uniform()) * [0.04, 0.4, 5][Int(generator.next() % 3)]
      let poses = (0..<Int(generator.next() % 4)).map { _ in
        Pose(
          person: Int(generator.next() % 3), x: Double(generator.uniform()) * 240,
          y: Double(generator.uniform()) * 135, scale: 0.1 + 0.5 * Double(generator.uniform()))
      }
      let image = scene.frame(poses, using: &generator)
      let faces = poses.map {
        scene.face(
          $0, score: 0.5 + generator.uniform() / 2, landmarks: generator.uniform() < 0.8,
          using: &generator)
      }
      return (image, faces, time)
    }
  }

  private func tracks(_ frames: [(image: Image, faces: [Face], time: Double)]) -> [Track] {
    var tracker = FaceTracker()
    for frame in frames { tracker.add(frame.faces, in: frame.image, time: frame.time) }
    return tracker.tracks()
  }

  @Test(arguments: UInt64(1)...12)
  func everyFaceIsInOneTrackAndATrackHasOneAFrame(_ seed: UInt64) {
    let frames = frames(seed: seed)
    let tracks = tracks(frames)
    var seen: Set<[Int]> = []
    for track in tracks {
      #expect(Set(track.sightings.map(\.frame)).count == track.sightings.count)
      #expect(track.sightings.map(\.frame) == track.sightings.map(\.frame).sorted())
      for sighting in track.sightings {
        #expect(seen.insert([sighting.frame, sighting.index]).inserted)
        #expect(frames[sighting.frame].faces[sighting.index] == sighting.face)
        #expect(frames[sighting.frame].time == sighting.time)
      }
    }
    #expect(seen.count == frames.map(\.faces.count).reduce(0, +))
    #expect(tracks.map(\.id) == Array(1..<(tracks.count + 1)))
    for (a, b) in zip(tracks, tracks.dropFirst()) {
      let (first, second) = (a.sightings[0], b.sightings[0])
      #expect(
        first.frame < second.frame
          || first.frame == second.frame
            && first.face.box.center.x <= second.face.box.center.x
      )
    }
  }

  @Test(arguments: UInt64(1)...12)
  func theOrderOfFacesDoesNotMatter(_ seed: UInt64) {
    let frames = frames(seed: seed)
    var generator = SeededGenerator(seed: seed)
    let shuffled = frames.map { ($0.image, $0.faces.shuffled(using: &generator), $0.time) }
    func summary(_ tracks: [Track]) -> [[Face]] { tracks.map { $0.sightings.map(\.face) } }
    #expect(summary(tracks(frames)) == summary(tracks(shuffled)))
  }

  @Test func sameFramesSameTracks() {
    let frames = frames(seed: 77)
    let threads = Parallel.threadCount
    defer { Parallel.threadCount = threads }
    let first = tracks(frames)
    Parallel.threadCount = 1
    #expect(tracks(frames) == first)
    // Asking changes nothing, and more frames may follow.
    var tracker = FaceTracker()
    for frame in frames {
      tracker.add(frame.faces, in: frame.image, time: frame.time)
      _ = tracker.tracks()
    }
    #expect(tracker.tracks() == first)
  }

  @Test func facesAndTimesThatAreNone() {
    let image = Image(
      width: 64, height: 48, pixels: (0..<64 * 48 * 3).map { UInt8($0 % 251) })
    let nan = Float.nan
    let huge = Float.greatestFiniteMagnitude
    let boxes = [
      Box(x1: nan, y1: 0, x2: 5, y2: 5), Box(x1: 0, y1: 0, x2: 0, y2: 0),
      Box(x1: 9, y1: 9, x2: 3, y2: 3), Box(x1: -huge, y1: -huge, x2: huge, y2: huge),
      Box(x1: 1e9, y1: 1e9, x2: 2e9, y2: 2e9), Box(x1: -900, y1: -900, x2: -800, y2: -800),
      Box(x1: -.infinity, y1: 0, x2: .infinity, y2: 9), Box(x1: 3, y1: 3, x2: 4, y2: 4),
    ]
    var faces = boxes.map { Face(box: $0, score: 0.9) }
    faces += boxes.map {
      Face(box: $0, score: nan, landmarks: [Point](repeating: Point(x: nan, y: huge), count: 5))
    }
    faces.append(Face(box: boxes[7], score: 2, landmarks: [Point(x: 1, y: 2)]))
    var tracker = FaceTracker()
    for time in [0, 0.1, 0.1, -5, .nan, .infinity, 1e300, 0.2] {
      tracker.add(faces, in: image, time: time)
    }
    let tracks = tracker.tracks()
    #expect(tracks.map(\.sightings.count).reduce(0, +) == faces.count * 8)
    #expect(tracks.allSatisfy { $0.sightings.allSatisfy(\.time.isFinite) })
  }

  @Test func tracksMustBeInOrder() async {
    await #expect(processExitsWith: .failure) {
      _ = Track(id: 1, sightings: [])
    }
  }
}
