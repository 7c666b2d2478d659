import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing
import Training

/// The landmarks of a face that looks ahead, in the middle of a crop of some size.
func facePoints(_ size: Int = 96) -> [Point] {
  [(0.36, 0.38), (0.64, 0.38), (0.5, 0.55), (0.38, 0.7), (0.62, 0.7)].map {
    Point(x: Float($0.0) * Float(size), y: Float($0.1) * Float(size))
  }
}

@Suite struct SelfBlendingTests {
  /// Options with everything on.
  private static let all: SelfBlending = {
    var blending = SelfBlending()
    blending.softness = 0.5
    blending.colorMatch = 0.5
    return blending
  }()

  private func generator(_ seed: Int) -> SeededGenerator {
    SeededGenerator(seed: UInt64(seed), label: "self-blending")
  }

  @Test func dependsOnTheGeneratorAlone() {
    let image = wavyPicture(96, 96)
    let donor = SelfBlending.Donor(wavyPicture(80, 120, phase: 90), landmarks: facePoints(80))
    for seed in 0..<30 {
      var (a, b) = (generator(seed), generator(seed))
      let others = seed % 2 == 0 ? donor : nil
      let first = Self.all.fake(of: image, landmarks: facePoints(), donor: others, using: &a)
      #expect(
        first == Self.all.fake(of: image, landmarks: facePoints(), donor: others, using: &b))
      #expect(first.width == 96 && first.height == 96)
      #expect(a.next() == b.next())
      // What is drawn does not depend on the picture, nor on there being a donor.
      var c = generator(seed)
      _ = Self.all.fake(of: wavyPicture(40, 31), landmarks: [], using: &c)
      var d = generator(seed)
      _ = Self.all.fake(of: image, landmarks: facePoints(), using: &d)
      #expect(c.next() == d.next())
    }
  }

  @Test func changesNothingOutsideTheMask() {
    let image = wavyPicture(96, 96)
    var (changedTargets, changedFaces) = (0, 0)
    for seed in 0..<60 {
      var (a, b, c) = (generator(seed), generator(seed), generator(seed))
      let keeps = seed % 3 == 0
      let blend = Self.all.blend(
        of: image, landmarks: facePoints(), keepsTarget: keeps, using: &a)
      #expect(
        blend.fake
          == Self.all.fake(of: image, landmarks: facePoints(), keepsTarget: keeps, using: &b))
      #expect(blend.target == (keeps ? image : Self.all.real(of: image, using: &c)))
      if blend.target != image { changedTargets += 1 }
      var outside = 0
      for pixel in 0..<96 * 96 where blend.mask.pixels[3 * pixel] == 0 {
        outside += 1
        for i in 3 * pixel..<3 * pixel + 3 where blend.fake.pixels[i] != blend.target.pixels[i] {
          Issue.record("seed \(seed): byte \(i) outside the mask has changed")
          return
        }
      }
      #expect(outside > 96 * 96 / 20, "seed \(seed): the mask is nearly everything")
      if blend.fake != blend.target { changedFaces += 1 }
    }
    // Of the 40 that may change, every other one.
    #expect((10...30).contains(changedTargets))
    #expect(changedFaces == 60)
  }

  @Test func blendsAsThePlainComputationDoes() {
    let image = wavyPicture(96, 96)
    for seed in 0..<20 {
      var generator = generator(seed)
      let blend = Self.all.blend(of: image, landmarks: facePoints(), using: &generator)
      var worst: Float = 0
      for i in blend.fake.pixels.indices {
        let part = Float(blend.mask.pixels[i]) / 255 * blend.share
        let expected =
          Float(blend.target.pixels[i]) * (1 - part) + Float(blend.source.pixels[i]) * part
        worst = max(worst, abs(Float(blend.fake.pixels[i]) - expected))
      }
      // Half a level for the mask's bytes, half for the fake's.
      #expect(worst <= 1.01, "seed \(seed)")
    }
  }

  @Test func takesLandmarksThatAreNoFaces() {
    let far = facePoints().map { Point(x: $0.x + 1e9, y: $0.y) }
    let wrong: [[Point]] = [
      [], [Point(x: 1, y: 1)], facePoints() + facePoints(),
      facePoints().map { Point(x: .nan, y: $0.y) },
      facePoints().map { Point(x: $0.x, y: -.infinity) },
      facePoints().map { _ in Point(x: 40, y: 40) }, far,
      facePoints().map { Point(x: $0.x - 300, y: $0.y) },
      facePoints().map { Point(x: $0.x * 30, y: $0.y * 30) },
      facePoints().map { Point(x: $0.x * 1e-6, y: $0.y * 1e-6) },
      // Eyes below the mouth, all on one line, far apart.
      Array(facePoints().reversed()), facePoints().map { Point(x: $0.x, y: 40) },
      facePoints().map { Point(x: 40, y: $0.y) },
    ]
    for (width, height) in [(96, 96), (1, 1), (2, 300), (300, 2)] {
      let image = wavyPicture(width, height)
      for (number, points) in wrong.enumerated() {
        for donors in [nil, points, facePoints()] {
          var generator = generator(number)
          let donor = donors.map { SelfBlending.Donor(wavyPicture(96, 96), landmarks: $0) }
          let fake = Self.all.fake(of: image, landmarks: points, donor: donor, using: &generator)
          #expect(fake.width == width && fake.height == height)
        }
      }
    }
  }

  @Test func laysAnothersFaceOntoTheFace() {
    // A dark picture with a light spot at each landmark, turned and larger than the face it
    // replaces.
    let target = facePoints(128)
    let map = SimilarityTransform(scale: 1.7, angle: 0.3, translationX: 40, translationY: -10)
    let points = target.map { map($0) }
    var picture = Image(width: 240, height: 240) { $0.update(repeating: 20) }
    for point in points {
      picture.fillRectangle(
        x: Int(point.x) - 4, y: Int(point.y) - 4, width: 9, height: 9,
        color: Color(red: 250, green: 250, blue: 250))
    }
    var blending = SelfBlending()
    blending.colorMatch = 0
    blending.strength = 0
    for seed in 0..<20 {
      var generator = generator(seed)
      let blend = blending.blend(
        of: wavyPicture(128, 128), landmarks: target,
        donor: SelfBlending.Donor(picture, landmarks: points), using: &generator)
      #expect(blend.share == 1)
      for point in target {
        // Within the small move and wave that every source has.
        var brightest: UInt8 = 0
        for y in max(0, Int(point.y) - 9)...min(127, Int(point.y) + 9) {
          for x in max(0, Int(point.x) - 9)...min(127, Int(point.x) + 9) {
            brightest = max(brightest, blend.source[x, y].green)
          }
        }
        #expect(brightest > 150, "seed \(seed), \(point)")
      }
    }
  }

  @Test func givesAnothersFaceTheColoursOfTheFace() {
    let image = wavyPicture(96, 96)
    let donor = SelfBlending.Donor(
      wavyPicture(96, 96, phase: 40).withBrightness(0.4, contrast: 0.5), landmarks: facePoints())
    var blending = SelfBlending()
    blending.strength = 0
    blending.parts = [.inner]
    for match in [Float(1), 0] {
      blending.colorMatch = match
      for seed in 0..<10 {
        var generator = generator(seed)
        let blend = blending.blend(
          of: image, landmarks: facePoints(), donor: donor, using: &generator)
        let difference = abs(mean(blend.source, blend.mask) - mean(blend.target, blend.mask))
        #expect(match == 1 ? difference < 12 : difference > 20, "\(difference)")
      }
    }
  }

  /// The mean of all channels within a mask.
  private func mean(_ image: Image, _ mask: Image) -> Double {
    var (sum, weight) = (0.0, 0.0)
    for (value, part) in zip(image.pixels, mask.pixels) {
      sum += Double(value) * Double(part)
      weight += Double(part)
    }
    return sum / weight
  }

  @Test func softFacesHaveFewDetails() {
    // Squares of two pixels, light and dark by turns: what a soft face cannot have.
    let image = Image(width: 96, height: 96) { pixels in
      for i in pixels.indices { pixels[i] = (i / 6 + i / 576) % 2 == 0 ? 60 : 190 }
    }
    var blending = SelfBlending()
    blending.strength = 0
    blending.softnessWidth = 16...24
    for (softness, isSoft) in [(Float(0), false), (1, true)] {
      blending.softness = softness
      for seed in 0..<10 {
        var generator = generator(seed)
        let source = blending.blend(of: image, landmarks: facePoints(), using: &generator).source
        let middle = source.cropped(x: 30, y: 30, width: 36, height: 36)
        let deviation = middle.pixels.reduce(0) { $0 + abs(Int($1) - 125) } / middle.pixels.count
        #expect(isSoft ? deviation < 18 : deviation > 22, "seed \(seed): \(deviation)")
      }
    }
  }
}
