import DeepfakeCore
import FaceDetect

/// A person as a few coloured shapes with a pattern of their own in the face.
struct DrawnPerson {
  typealias Color = (red: Float, green: Float, blue: Float)

  var skin, hair, clothing: Color
  /// 12x12 factors of the skin's brightness.
  var pattern: [Float]

  init(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func color(_ low: Float, _ high: Float) -> Color {
      (
        low + (high - low) * generator.uniform(), low + (high - low) * generator.uniform(),
        low + (high - low) * generator.uniform()
      )
    }
    let tone = 90 + 130 * generator.uniform()
    skin = (
      tone, tone * (0.7 + 0.15 * generator.uniform()), tone * (0.5 + 0.25 * generator.uniform())
    )
    hair = color(10, 170)
    clothing = color(0, 255)
    pattern = (0..<144).map { _ in 0.6 + 0.6 * generator.uniform() }
  }
}

/// Where a drawn person is in a frame.
struct Pose {
  /// Which of the scene's people.
  var person: Int
  /// The face's middle, in pixels.
  var x, y: Double
  /// Pixels of the frame a pixel of the 112x112 template takes.
  var scale: Double = 0.7
  /// Radians.
  var angle: Double = 0

  /// From the template to the frame.
  var place: SimilarityTransform {
    let turned = SimilarityTransform(scale: scale, angle: angle)
    let middle = turned(Point(x: 56, y: 66))
    return SimilarityTransform(
      scale: scale, angle: angle, translationX: x - Double(middle.x),
      translationY: y - Double(middle.y))
  }
}

/// Frames of drawn people, with what a perfect detector would find in them.
struct DrawnScene {
  var people: [DrawnPerson]
  var width = 480
  var height = 270
  /// The deviation of each pixel's noise, in levels.
  var noise: Float = 4
  var background: Float = 120

  /// A frame with the people of `poses`, later ones before earlier ones.
  func frame(_ poses: [Pose], using generator: inout SeededGenerator) -> Image {
    // A background with some structure, so that it is not all one bin of a histogram.
    var values = [Float](repeating: 0, count: width * height * 3)
    for y in 0..<height {
      for x in 0..<width {
        let shade = background + Float((x / 40 + y / 30) % 3) * 12
        for c in 0..<3 { values[(y * width + x) * 3 + c] = shade - Float(c) * 9 }
      }
    }
    for pose in poses { draw(pose, on: &values) }
    // Sums of four uniform numbers are near enough to normal, and quick.
    return Image(
      width: width, height: height,
      pixels: values.map { value in
        let bits = generator.next()
        let sum =
          (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        let deviation = (Float(sum) / 65536 - 2) * 1.73
        return UInt8(min(max(value + noise * deviation, 0), 255))
      })
  }

  private func draw(_ pose: Pose, on values: inout [Float]) {
    let person = people[pose.person]
    guard let back = pose.place.map.inverse else { return }
    let reach = Int(190 * pose.scale)
    for y in max(0, Int(pose.y) - reach)..<min(height, Int(pose.y) + reach) {
      for x in max(0, Int(pose.x) - reach)..<min(width, Int(pose.x) + reach) {
        let (u, v) = back(x: Double(x), y: Double(y))
        guard let color = Self.color(of: person, u, v) else { continue }
        let at = (y * width + x) * 3
        values[at] = color.red
        values[at + 1] = color.green
        values[at + 2] = color.blue
      }
    }
  }

  /// What is seen of a person at a place of the template, if anything.
  private static func color(
    of person: DrawnPerson, _ u: Double, _ v: Double
  ) -> DrawnPerson.Color? {
    let (across, down) = ((u - 56) / 46, (v - 64) / 62)
    if across * across + down * down < 1 {
      if v < 22 { return person.hair }
      let column = min(max(Int(u / 112 * 12), 0), 11)
      let row = min(max(Int(v / 112 * 12), 0), 11)
      let factor = person.pattern[row * 12 + column]
      return (person.skin.red * factor, person.skin.green * factor, person.skin.blue * factor)
    }
    let (hairAcross, hairDown) = ((u - 56) / 58, (v - 45) / 70)
    if hairAcross * hairAcross + hairDown * hairDown < 1, v < 90 { return person.hair }
    if v > 130, v < 240, abs(u - 56) < 100 { return person.clothing }
    return nil
  }

  /// What a detector would find of a pose, its numbers trembling by a hundredth of the face.
  func face(
    _ pose: Pose, score: Float = 0.98, landmarks: Bool = true,
    using generator: inout SeededGenerator
  ) -> Face {
    let place = pose.place
    func tremble() -> Float { generator.normal() * Float(pose.scale) }
    let (a, b) = (place(Point(x: 16, y: 18)), place(Point(x: 96, y: 120)))
    return Face(
      box: Box(
        x1: min(a.x, b.x) + tremble(), y1: min(a.y, b.y) + tremble(),
        x2: max(a.x, b.x) + tremble(), y2: max(a.y, b.y) + tremble()),
      score: score,
      landmarks: landmarks
        ? FaceAlignment.template.map { point in
          let placed = place(point)
          return Point(x: placed.x + tremble(), y: placed.y + tremble())
        } : [])
  }
}

/// Runs a tracker over a drawn scene and remembers who each face was.
struct TrackerRun {
  var scene: DrawnScene
  var tracker = FaceTracker()
  var generator: SeededGenerator
  /// For each frame, the person of each face given; nil for what is none.
  private(set) var truth: [[Int?]] = []

  init(_ scene: DrawnScene, seed: UInt64 = 1) {
    self.scene = scene
    generator = SeededGenerator(seed: seed)
  }

  /// Adds a frame in which `poses` are seen; those of `hidden` places are drawn and not detected.
  mutating func add(
    _ poses: [Pose], time: Double, hidden: Set<Int> = [], landmarks: Bool = true,
    false extra: [Face] = [], shuffled: Bool = true
  ) {
    let image = scene.frame(poses, using: &generator)
    var found: [(face: Face, person: Int?)] = []
    for (place, pose) in poses.enumerated() where !hidden.contains(place) {
      let face = scene.face(pose, landmarks: landmarks, using: &generator)
      found.append((face, pose.person))
    }
    found += extra.map { ($0, nil) }
    if shuffled { found.shuffle(using: &generator) }
    truth.append(found.map(\.person))
    tracker.add(found.map(\.face), in: image, time: time)
  }

  /// The tracks, each as the people that its sightings were of.
  var people: [[Int?]] {
    tracker.tracks().map { $0.sightings.map { truth[$0.frame][$0.index] } }
  }

  /// Whether each person has one track with nobody else in it, and there are no more tracks.
  func isPerfect(_ count: Int) -> Bool {
    let sets = people.map { Set($0) }
    return sets.count == count && Set(sets).count == count && sets.allSatisfy { $0.count == 1 }
  }
}
