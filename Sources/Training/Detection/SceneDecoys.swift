import DeepfakeCore
import FaceData
import FaceDetect
import Foundation

/// Paints decoys, which a detector must not take for a face although they resemble one: a single
/// eye or mouth, skin, heads without a face, faces with their parts in the wrong places.
struct SceneDecoys: Sendable {
  let faces: LabelledFaces

  /// A random decoy, of any size.
  func picture(using generator: inout SeededGenerator) throws(DatasetError) -> Image {
    let portrait = try faces.portrait(using: &generator)
    switch generator.uniform() {
    case ..<0.45: return part(of: portrait, using: &generator)
    case ..<0.75: return headless(portrait, using: &generator)
    default: return shuffled(portrait, using: &generator)
    }
  }

  /// A crop of an eye, the nose, the mouth, a mouth corner, a cheek or the forehead.
  private func part(
    of portrait: LabelledFaces.Portrait, using generator: inout SeededGenerator
  ) -> Image {
    let (box, points) = (portrait.face.box, portrait.face.landmarks)
    let mouth = Point(x: (points[3].x + points[4].x) / 2, y: (points[3].y + points[4].y) / 2)
    let places = [
      points[0], points[1], points[2], mouth, points[3],
      Point(x: points[0].x, y: (points[0].y + points[3].y) / 2),
      Point(x: points[1].x, y: (points[1].y + points[4].y) / 2),
      Point(x: box.center.x, y: box.y1 + 0.1 * box.height),
    ]
    let place = places[generator.integer(in: 0...places.count - 1)]
    let reach = max(4, box.width * generator.uniform(in: 0.1...0.2))
    return portrait.image.cropped(
      x: Int(place.x - reach), y: Int(place.y - reach), width: Int(2 * reach),
      height: Int(2 * reach), edges: .replicate)
  }

  /// A head with only skin in place of its face.
  private func headless(
    _ portrait: LabelledFaces.Portrait, using generator: inout SeededGenerator
  ) -> Image {
    let box = portrait.face.box
    var canvas = SceneCanvas(portrait.image)
    let skin = portrait.skin
    let shape = SceneShape(
      kind: generator.uniform() < 0.5 ? .ellipse : .squircle, box: box.stretched(0.95, 0.92),
      softness: generator.uniform(in: 0.1...0.4))
    canvas.fill(shape, skin)
    let noise = SceneBackground.noise(
      width: max(1, Int(box.width) + 1), height: max(1, Int(box.height) + 1), using: &generator)
    canvas.fill(shape, noise, opacity: generator.uniform(in: 0...0.3))
    return canvas.image
  }

  /// A face cut into tiles in random order.
  private func shuffled(
    _ portrait: LabelledFaces.Portrait, using generator: inout SeededGenerator
  ) -> Image {
    let box = portrait.face.box.clipped(
      width: portrait.image.width, height: portrait.image.height)
    let (columns, rows) = (generator.integer(in: 2...4), generator.integer(in: 3...5))
    let (width, height) = (max(3, Int(box.width) / columns), max(3, Int(box.height) / rows))
    var order = Array(0..<columns * rows)
    order.shuffle(using: &generator)
    var result = portrait.image
    for (place, tile) in order.enumerated() {
      var picture = portrait.image.cropped(
        x: Int(box.x1) + tile % columns * width, y: Int(box.y1) + tile / columns * height,
        width: width, height: height, edges: .replicate)
      if generator.uniform() < 0.5 { picture = picture.rotated(quarterTurns: 2) }
      result.paste(
        picture, x: Int(box.x1) + place % columns * width,
        y: Int(box.y1) + place / columns * height)
    }
    return result
  }
}

extension LabelledFaces.Portrait {
  /// The skin colour: the mean of three points on the cheeks and the nose.
  var skin: SIMD3<Float> {
    let points = face.landmarks
    guard points.count == 5 else { return SIMD3(190, 150, 130) }
    var sum = SIMD3<Float>(repeating: 0)
    let places = [0, 1].map { eye in
      Point(x: (points[eye].x + points[eye + 3].x) / 2, y: (points[eye].y + points[eye + 3].y) / 2)
    }
    for place in places + [points[2]] {
      let x = min(max(Int(place.x), 0), image.width - 1)
      let y = min(max(Int(place.y), 0), image.height - 1)
      let pixel = image[x, y]
      sum += SIMD3(Float(pixel.red), Float(pixel.green), Float(pixel.blue))
    }
    return sum / 3
  }
}
