import Classifiers
import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO
import TestSupport
import Testing
import Training

/// A picture of smooth waves, so that small moves change little.
func wavyPicture(_ width: Int = 64, _ height: Int = 48, phase: Float = 0) -> Image {
  Image(width: width, height: height) { target in
    for y in 0..<height {
      for x in 0..<width {
        let i = (y * width + x) * 3
        target[i] = UInt8((x * 3 + Int(phase)) % 256)
        target[i + 1] = UInt8((y * 4 + x) % 256)
        target[i + 2] = UInt8((x + y) % 256)
      }
    }
  }
}

/// The five points of an upright face in a picture of 64 by 48.
let uprightLandmarks = [
  Point(x: 22, y: 18), Point(x: 42, y: 17), Point(x: 31, y: 26), Point(x: 24, y: 36),
  Point(x: 40, y: 35),
]

@Suite struct AugmentationTests {
  @Test(arguments: Augmentation.Preset.allCases) func dependsOnTheSeedAlone(
    _ preset: Augmentation.Preset
  ) {
    let augmentation = Augmentation(preset: preset)
    let image = wavyPicture()
    var differing = 0
    for seed in UInt64(0)..<20 {
      var (a, b) = (SeededGenerator(seed: seed), SeededGenerator(seed: seed))
      let first = augmentation(image, landmarks: uprightLandmarks, using: &a)
      #expect(first == augmentation(image, landmarks: uprightLandmarks, using: &b))
      #expect(first.width == 64 && first.height == 48)
      #expect(a.next() == b.next())
      differing += first == image ? 0 : 1
    }
    #expect(preset == .none ? differing == 0 : differing >= 15)
  }

  @Test func drawsTheSameWhateverThePicture() {
    // A real crop and the fake made from it must be changed alike.
    let augmentation = Augmentation.strong
    for seed in UInt64(0)..<50 {
      var (a, b) = (SeededGenerator(seed: seed), SeededGenerator(seed: seed))
      _ = augmentation(wavyPicture(), landmarks: uprightLandmarks, using: &a)
      _ = augmentation(wavyPicture(33, 70), using: &b)
      #expect(a.next() == b.next())
    }
  }

  @Test func samplesARunOfMovesOnce() throws {
    // A turn and its opposite leave the inside as it was, which two samplings would not.
    let augmentation = Augmentation([
      Augmentation.Step(Rotation(degrees: 11...11)),
      Augmentation.Step(HorizontalFlip()),
      Augmentation.Step(Rotation(degrees: 11...11)),
      Augmentation.Step(HorizontalFlip()),
    ])
    let image = wavyPicture()
    var generator = SeededGenerator(seed: 1)
    let found = augmentation(image, using: &generator)
    for y in 2..<46 {
      for x in 2..<62 {
        let (a, b) = (found[x, y], image[x, y])
        #expect(abs(Int(a.red) - Int(b.red)) <= 1 && abs(Int(a.green) - Int(b.green)) <= 1)
      }
    }
  }

  @Test func framesFacesAlike() throws {
    for (scale, x, y) in [(Float(1), Float(0), Float(0)), (1.6, 20, -9), (0.8, -7, 12)] {
      let points = uprightLandmarks.map {
        Point(x: 60 + $0.x * scale + x, y: 50 + $0.y * scale + y)
      }
      var generator = SeededGenerator(seed: 3)
      var face = AugmentedFace(wavyPicture(200, 160), landmarks: points)
      Framing(length: 0.4...0.4).apply(to: &face, using: &generator)
      let place = try #require(face.landmarks.flatMap { FaceFraming(landmarks: $0) })
      #expect(abs(place.distance - 0.4 * 160) < 0.01)
      #expect(abs(place.middle.x - 99.5) < 0.01 && abs(place.middle.y - 79.5) < 0.01)
    }
  }

  @Test func framesNoMoreThanThereIs() throws {
    // A crop that is tighter than what is wanted keeps its size, but for a twentieth of the side.
    let points = uprightLandmarks.map { Point(x: $0.x - 33 + 31.5, y: $0.y - 26.5 + 31.5) }
    let before = try #require(FaceFraming(landmarks: points))
    var generator = SeededGenerator(seed: 3)
    var changes: [Float] = []
    for _ in 0..<40 {
      var face = AugmentedFace(wavyPicture(64, 64), landmarks: points)
      Framing(length: 0.05...0.6).apply(to: &face, using: &generator)
      let after = try #require(face.landmarks.flatMap { FaceFraming(landmarks: $0) })
      changes.append(before.distance / after.distance)
    }
    #expect(changes.allSatisfy { $0 < 1.11 } && (changes.min() ?? 1) < 0.6)
    #expect((changes.max() ?? 0) > 1.05)
    var plain = AugmentedFace(wavyPicture())
    Framing().apply(to: &plain, using: &generator)
    #expect(plain.image == wavyPicture())
  }

  @Test func movesLandmarksWithThePicture() {
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<50 {
      var face = AugmentedFace(wavyPicture(), landmarks: uprightLandmarks)
      HorizontalFlip().apply(to: &face, using: &generator)
      #expect(face.landmarks?[0] == Point(x: 63 - 42, y: 17))
      #expect(face.landmarks?[4] == Point(x: 63 - 24, y: 36))
      let before = face.landmarks ?? []
      Rotation(degrees: 10...10).apply(to: &face, using: &generator)
      let after = face.landmarks ?? []
      // Counter-clockwise: the right eye rises.
      #expect(after[1].y - after[0].y < before[1].y - before[0].y)
      ShiftScale(shift: 0.1...0.1, scale: 1...1).apply(to: &face, using: &generator)
      #expect(abs((face.landmarks?[2].x ?? 0) - after[2].x - 6.4) < 1e-3)
      RandomCrop(part: 0.5...0.5).apply(to: &face, using: &generator)
      #expect(face.image.width == 64)
    }
  }

  @Test func seesAWhiteDotWhereItsLandmarkIs() throws {
    // Landmarks are right if a dot painted at one is still there after the move.
    var generator = SeededGenerator(seed: 9)
    for _ in 0..<40 {
      var image = Image(width: 80, height: 80) { $0.update(repeating: 0) }
      let points = uprightLandmarks
      image.fillRectangle(x: 21, y: 17, width: 3, height: 3, color: .white)
      var face = AugmentedFace(image, landmarks: points)
      Rotation(degrees: -30...30).apply(to: &face, using: &generator)
      ShiftScale(shift: -0.05...0.05, scale: 0.9...1.2).apply(to: &face, using: &generator)
      let mirrored = generator.uniform() < 0.5
      if mirrored { HorizontalFlip().apply(to: &face, using: &generator) }
      let eye = try #require(face.landmarks?[mirrored ? 1 : 0])
      let (x, y) = (Int(eye.x.rounded()), Int(eye.y.rounded()))
      guard (0..<80).contains(x), (0..<80).contains(y) else { continue }
      #expect(face.image[x, y].red > 200)
    }
  }

  @Test func coversThePartsOfAFace() {
    let image = Image(width: 64, height: 48) { $0.update(repeating: 200) }
    let middles: [(LandmarkCutout.Part, [(Int, Int)])] = [
      (.eyes, [(22, 18), (42, 17), (32, 18)]), (.nose, [(31, 25)]), (.mouth, [(24, 36), (40, 35)]),
    ]
    for (part, places) in middles {
      var generator = SeededGenerator(seed: 3)
      var face = AugmentedFace(image, landmarks: uprightLandmarks)
      LandmarkCutout(parts: [part]).apply(to: &face, using: &generator)
      let covered = face.image
      for (x, y) in places { #expect(covered[x, y].red == 0, "\(part) at \(x), \(y)") }
      let others = middles.filter { $0.0 != part }.flatMap(\.1)
      for (x, y) in others where part != .nose && !(part == .eyes && (x, y) == (31, 25)) {
        #expect(covered[x, y].red == 200, "\(part) spares \(x), \(y)")
      }
      var without = AugmentedFace(image)
      LandmarkCutout(parts: [part]).apply(to: &without, using: &generator)
      #expect(without.image == image)
    }
  }

  @Test func cutsRectanglesOut() {
    let image = Image(width: 100, height: 50) { $0.update(repeating: 200) }
    var generator = SeededGenerator(seed: 8)
    for _ in 0..<30 {
      var face = AugmentedFace(image)
      Cutout(count: 1...1, size: 0.2...0.2).apply(to: &face, using: &generator)
      let black = face.image.pixels.count { $0 == 0 } / 3
      #expect(black == 20 * 10)
    }
  }

  @Test func smearsAlongTheLine() {
    var image = Image(width: 21, height: 21) { $0.update(repeating: 0) }
    image[10, 10] = (250, 250, 250)
    for (angle, across) in [(Float(0), true), (.pi / 2, false)] {
      let found = image.smeared(length: 6, angle: angle)
      var total = 0
      for y in 0..<21 {
        for x in 0..<21 {
          let value = Int(found[x, y].green)
          total += value
          let (along, off) = across ? (x - 10, y - 10) : (y - 10, x - 10)
          // Three pixels and a half either way, in one line.
          if off != 0 || abs(along) > 3 { #expect(value == 0) }
          if off == 0, abs(along) < 3 { #expect(abs(value - 250 / 6) <= 1) }
        }
      }
      #expect(abs(total - 250) <= 4)
    }
    // What is the same everywhere stays so, edges included, even where filters are wider than
    // pictures.
    for side in [1, 2, 3, 30] {
      let plain = Image(width: side, height: side + 1) { $0.update(repeating: 201) }
      #expect(plain.smeared(length: 9, angle: 0.7) == plain)
      #expect(plain.blurred(sigma: 3) == plain)
    }
  }

  @Test func addsNoiseOfTheDeviation() {
    let image = Image(width: 200, height: 200) { $0.update(repeating: 128) }
    let noisy = image.withNoise(deviation: 0.04, shot: 0, isGrey: false, seed: 5)
    let offsets = noisy.pixels.map { Double($0) - 128 }
    let mean = offsets.reduce(0, +) / Double(offsets.count)
    let deviation = (offsets.reduce(0) { $0 + $1 * $1 } / Double(offsets.count)).squareRoot()
    // 120,000 draws: the mean's own deviation is 0.03, that of the deviation 0.02.
    #expect(abs(mean) < 0.15)
    #expect(abs(deviation - 10.2) < 0.15)
    let grey = image.withNoise(deviation: 0.04, shot: 0, isGrey: true, seed: 5)
    #expect(grey[3, 4].red == grey[3, 4].blue && grey != image)
    let dark = Image(width: 200, height: 200) { $0.update(repeating: 0) }
    #expect(dark.withNoise(deviation: 0, shot: 0.2, isGrey: false, seed: 5) == dark)
  }

  @Test func choosesByProbability() {
    // Black with probability 0.25 / (0.25 + 0.75), otherwise as it is.
    let choice = OneOf([
      Augmentation.Step(
        BrightnessContrast(brightness: -1 ... -1, contrast: 0...0), probability: 0.25),
      Augmentation.Step(HorizontalFlip(), probability: 0.75),
    ])
    let image = Image(width: 2, height: 2) { $0.update(repeating: 9) }
    var generator = SeededGenerator(seed: 2)
    var black = 0
    for _ in 0..<2000 {
      var face = AugmentedFace(image)
      choice.apply(to: &face, using: &generator)
      black += face.image[0, 0].red == 0 ? 1 : 0
    }
    #expect(abs(black - 500) < 80)
  }

  @Test func bringsLargeCropsToTheInput() {
    let input = InputSpec(size: 24)
    let large = wavyPicture(200, 160)
    let landmarks = uprightLandmarks.map { $0.scaled(x: 2, y: 2) }
    var generator = SeededGenerator(seed: 1)
    // Nothing is to be changed: as in prediction.
    let plain = Augmentation.none(large, landmarks: landmarks, for: input, using: &generator)
    #expect(plain == large.resized(width: 24, height: 24, method: .area))
    // The eyes, at (44, 36) and (84, 34) of 200 by 160, are covered where they are in 24 by 24.
    let covered = Augmentation([Augmentation.Step(LandmarkCutout(parts: [.eyes]))])(
      large, landmarks: landmarks, for: input, using: &generator)
    #expect(covered[5, 5].red == 0 && covered[9, 5].green == 0 && covered[20, 20] != (0, 0, 0))
    #expect(covered.width == 24 && covered.height == 24)
  }

  @Test func survivesTinyPictures() {
    for (width, height) in [(1, 1), (2, 1), (1, 3), (5, 4)] {
      let image = Image(width: width, height: height) { $0.update(repeating: 77) }
      var generator = SeededGenerator(seed: 6)
      for step in Augmentation.strong.steps {
        let found = Augmentation([Augmentation.Step(step.operation)])(
          image, landmarks: uprightLandmarks, using: &generator)
        #expect(found.width == width && found.height == height)
      }
    }
  }

  @Test func drawsASheet() throws {
    try Paths.withTemporaryFolder { folder in
      var samples: [FaceSample] = []
      for index in 0..<5 {
        let file = folder.appendingPathComponent("\(index).png")
        try ImageFile.write(wavyPicture(phase: Float(index * 20)), to: file)
        samples.append(
          FaceSample(path: "\(index).png", file: file, label: index < 1 ? .fake : .real))
      }
      var augmentation = Augmentation.strong
      augmentation.mixup = Mixup()
      var sheet = AugmentationSheet(augmentation, input: InputSpec(size: 40))
      sheet.samples = 4
      sheet.draws = 3
      let image = try sheet.image(of: FaceManifest(samples))
      #expect(image.width == 4 * 44 + 4)
      #expect(image == (try sheet.image(of: FaceManifest(samples))))
      try Data().write(to: folder.appendingPathComponent("0.png"))
      #expect(throws: DatasetError.self) { try sheet.image(of: FaceManifest(samples)) }
      #expect(throws: DatasetError.self) { try sheet.image(of: FaceManifest([])) }
    }
  }
}
