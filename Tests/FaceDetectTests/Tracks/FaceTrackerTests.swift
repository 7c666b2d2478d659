import DeepfakeCore
import FaceDetect
import Testing

@Suite struct FaceTrackerTests {
  private func scene(_ people: Int, seed: UInt64 = 40) -> DrawnScene {
    DrawnScene(people: (0..<people).map { DrawnPerson(seed: seed + UInt64($0)) })
  }

  @Test func nothingSeen() {
    var tracker = FaceTracker()
    #expect(tracker.tracks().isEmpty)
    let blank = Image(width: 4, height: 3, pixels: [UInt8](repeating: 0, count: 36))
    tracker.add([], in: blank, time: 0)
    #expect(tracker.tracks().isEmpty)
  }

  @Test func onePersonIsOneTrack() {
    var run = TrackerRun(scene(1))
    for i in 0..<30 {
      run.add([Pose(person: 0, x: 200 + Double(i), y: 130)], time: Double(i) / 25)
    }
    let tracks = run.tracker.tracks()
    #expect(tracks.count == 1)
    #expect(tracks.first?.id == 1)
    #expect(tracks.first?.sightings.map(\.frame) == Array(0..<30))
    #expect(tracks.first?.sightings.last?.time == 29.0 / 25)
  }

  /// Two people cross, one before the other, and one of them comes late.
  @Test(arguments: [25.0, 2.5], [UInt64(1), 2, 3])
  func peopleWhoCrossKeepTheirTracks(_ rate: Double, _ seed: UInt64) {
    var run = TrackerRun(scene(2, seed: seed * 100), seed: seed)
    let seconds = 6.0
    let count = Int(seconds * rate)
    for i in 0..<count {
      let part = Double(i) / Double(count - 1)
      var poses = [Pose(person: 0, x: 70 + 340 * part, y: 120)]
      if part > 0.2 { poses.append(Pose(person: 1, x: 410 - 340 * part, y: 140)) }
      // While they overlap, the one behind is not found.
      let isHidden = poses.count == 2 && abs(poses[0].x - poses[1].x) < 45
      run.add(poses, time: Double(i) / rate, hidden: isHidden ? [0] : [])
    }
    #expect(run.isPerfect(2), "\(run.people)")
  }

  /// People who look the same are told apart by where they are.
  @Test func twinsSideBySide() {
    var scene = scene(2)
    scene.people[1] = scene.people[0]
    var run = TrackerRun(scene)
    for i in 0..<50 {
      run.add(
        [
          Pose(person: 0, x: 120 + Double(i % 7), y: 130),
          Pose(person: 1, x: 330 - Double(i % 5), y: 140),
        ], time: Double(i) / 25)
    }
    #expect(run.isPerfect(2), "\(run.people)")
  }

  @Test func missedDetectionsLeaveOneTrack() {
    var run = TrackerRun(scene(3))
    var generator = SeededGenerator(seed: 9)
    for i in 0..<60 {
      let poses = (0..<3).map { Pose(person: $0, x: 90 + 150 * Double($0), y: 130) }
      let hidden = Set((0..<3).filter { _ in i > 0 && generator.uniform() < 0.3 })
      run.add(poses, time: Double(i) / 10, hidden: hidden)
    }
    #expect(run.isPerfect(3), "\(run.people)")
  }

  @Test func whoLeavesAndComesBackIsTheSame() {
    var run = TrackerRun(scene(2))
    for i in 0..<250 {
      let time = Double(i) / 25
      var poses = [Pose(person: 1, x: 360, y: 130)]
      if time < 2 { poses.append(Pose(person: 0, x: 60 + 10 * time, y: 120)) }
      if time > 7 { poses.append(Pose(person: 0, x: 200, y: 160, scale: 0.8, angle: 0.1)) }
      run.add(poses, time: time)
    }
    #expect(run.isPerfect(2), "\(run.people.map(\.count))")
  }

  @Test(arguments: [25.0, 2.0])
  func aCutToAnotherPersonInTheSamePlaceIsAnotherTrack(_ rate: Double) {
    // With another background, as a cut has, and with the same, where only looks tell.
    for background in [Float(120), 30] {
      var run = TrackerRun(scene(2))
      for i in 0..<20 {
        if i == 10 { run.scene.background = background }
        run.add([Pose(person: i < 10 ? 0 : 1, x: 240, y: 130)], time: Double(i) / rate)
      }
      #expect(run.isPerfect(2), "\(run.people)")
    }
  }

  @Test func cameraMovesAndZooms() {
    var run = TrackerRun(scene(3))
    for i in 0..<40 {
      let part = Double(i) / 39
      let (zoom, shift) = (0.4 + 0.5 * part, 120 * part)
      run.add(
        (0..<3).map {
          Pose(
            person: $0, x: 240 + (Double($0) - 1) * 150 * zoom + shift - 60, y: 130,
            scale: zoom * 0.8)
        }, time: Double(i) / 12)
    }
    #expect(run.isPerfect(3), "\(run.people)")
  }

  /// 25 frames that are ten seconds apart: people have changed places in each.
  @Test func framesFarApart() {
    var run = TrackerRun(scene(4))
    var generator = SeededGenerator(seed: 5)
    for i in 0..<25 {
      let places = [0, 1, 2, 3].shuffled(using: &generator)
      let poses = places.enumerated().filter { _ in generator.uniform() < 0.8 }.map {
        Pose(
          person: $0.element, x: 60 + 120 * Double($0.offset),
          y: 120 + 20 * Double(generator.uniform()),
          scale: 0.5 + 0.2 * Double(generator.uniform()),
          angle: 0.3 * Double(generator.uniform() - 0.5))
      }
      run.add(poses, time: Double(i) * 10)
    }
    #expect(run.isPerfect(4), "\(run.people)")
  }

  @Test func falseDetectionsStayApart() {
    var run = TrackerRun(scene(2))
    var generator = SeededGenerator(seed: 8)
    for i in 0..<40 {
      let (x, y) = (Float(40 + i * 8), 30 + 8 * generator.normal())
      let wrong = Face(
        box: Box(x1: x, y1: y, x2: x + 40, y2: y + 50), score: 0.6)
      run.add(
        [Pose(person: 0, x: 120, y: 150), Pose(person: 1, x: 350, y: 150)],
        time: Double(i) / 5, false: i % 4 == 0 ? [wrong] : [])
    }
    let people = run.people
    #expect(people.filter { $0.contains { $0 != nil } }.count == 2)
    #expect(people.allSatisfy { Set($0).count == 1 })
    #expect(people.map { $0.count { $0 != nil } }.reduce(0, +) == 80)
  }

  @Test func facesWithoutLandmarks() {
    var run = TrackerRun(scene(2))
    for i in 0..<30 {
      run.add(
        [
          Pose(person: 0, x: 100 + Double(i) * 9, y: 120),
          Pose(person: 1, x: 380 - Double(i) * 9, y: 150),
        ], time: Double(i) / 10, hidden: (13...18).contains(i) ? [0] : [], landmarks: false)
    }
    #expect(run.isPerfect(2), "\(run.people)")
  }

  @Test func aCrowd() {
    var scene = scene(50, seed: 700)
    scene.width = 1000
    scene.height = 600
    var run = TrackerRun(scene)
    for i in 0..<10 {
      run.add(
        (0..<50).map {
          Pose(
            person: $0, x: 50 + Double($0 % 10) * 100 + Double(i), y: 60 + Double($0 / 10) * 118,
            scale: 0.4)
        }, time: Double(i) / 2.5)
    }
    #expect(run.isPerfect(50))
  }

  /// Far frames in their hundreds: pieces of one face each, joined in a time that does not explode.
  @Test(.timeLimit(.minutes(2))) func manyFarFrames() {
    let scene = scene(4, seed: 90)
    var generator = SeededGenerator(seed: 6)
    let poses = (0..<4).map { Pose(person: $0, x: 70 + 110 * Double($0), y: 130, scale: 0.6) }
    let image = scene.frame(poses, using: &generator)
    var tracker = FaceTracker()
    var truth: [[Int]] = []
    for frame in 0..<500 {
      let seen = poses.shuffled(using: &generator).prefix(3)
      truth.append(seen.map(\.person))
      tracker.add(
        seen.map { scene.face($0, using: &generator) }, in: image, time: Double(frame) * 7)
    }
    let tracks = tracker.tracks()
    #expect(tracks.count == 4)
    for track in tracks {
      #expect(Set(track.sightings.map { truth[$0.frame][$0.index] }).count == 1)
    }
  }
}
