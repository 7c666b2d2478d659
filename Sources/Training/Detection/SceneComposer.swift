import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

/// Composes pictures for training a detector: faces of all sizes, rotated, in any light, partly
/// covered, on backgrounds that are synthetic or were around other faces.
///
/// Faces are pasted with the outlines of heads, with soft and hard edges, or as whole rectangular
/// pictures. So no outline reveals a face. Decoys are pasted in the same ways. The result depends
/// on the generator alone.
package struct SceneComposer: Sendable {
  /// Side of the scenes in pixels.
  package let size: Int
  let faces: LabelledFaces
  private let background: SceneBackground
  private let decoys: SceneDecoys

  /// Faces whose longer side is shorter than this, in pixels, need not be found.
  static let smallestFace: Float = 8
  /// Faces that are covered by more than this fraction need not be found.
  private static let largestCover: Float = 0.45

  /// A composer of square scenes. `size` must be at least 64.
  package init(faces: LabelledFaces, size: Int) {
    precondition(size >= 64, "SceneComposer: a scene of \(size) pixels is too small")
    self.size = size
    self.faces = faces
    background = SceneBackground(size: size, faces: faces)
    decoys = SceneDecoys(faces: faces)
  }

  /// Composes a random scene.
  ///
  /// - Throws: `DatasetError` if a picture cannot be read.
  package func scene(
    using generator: inout SeededGenerator
  ) throws(DatasetError) -> DetectionScene {
    var draft: Draft
    if generator.uniform() < 0.12 {
      draft = try closeUp(using: &generator)
    } else {
      draft = Draft(canvas: try background.canvas(using: &generator))
      try addDecoys(to: &draft, using: &generator)
      for side in faceSides(using: &generator) {
        try addFace(of: side, to: &draft, using: &generator)
      }
    }
    try cover(&draft, using: &generator)
    return finished(draft, using: &generator)
  }

  /// An unfinished scene.
  private struct Draft {
    var canvas: SceneCanvas
    var faces: [Face] = []
    var ignored: [Box] = []
  }

  /// Random longer sides of the faces in a scene, in pixels. A fifth of the scenes have no faces.
  private func faceSides(using generator: inout SeededGenerator) -> [Float] {
    let whole = Float(size)
    func sides(_ count: Int, _ low: Float, _ high: Float) -> [Float] {
      (0..<count).map { _ in exp(generator.uniform(in: log(low)...log(high))) }
    }
    switch generator.uniform() {
    case ..<0.2: return []
    case ..<0.5: return sides(1, 12, whole * 0.9)
    case ..<0.78: return sides(generator.integer(in: 2...4), 10, whole * 0.5)
    default:
      let common = exp(generator.uniform(in: log(9)...log(whole / 6)))
      return sides(generator.integer(in: 5...12), max(8, common * 0.7), common * 1.4)
    }
  }

  // MARK: Faces

  /// A scene that one picture nearly or entirely fills.
  private func closeUp(using generator: inout SeededGenerator) throws(DatasetError) -> Draft {
    var draft = Draft(canvas: try background.canvas(using: &generator))
    let portrait = try faces.portrait(using: &generator)
    let shorter = Float(min(portrait.image.width, portrait.image.height))
    let scale = Float(size) / shorter * exp(generator.uniform(in: -0.25...0.35))
    let shift = Float(size) * 0.12
    let map = Self.map(
      portrait,
      to: Point(
        x: Float(size) / 2 + generator.uniform(in: -shift...shift),
        y: Float(size) / 2 + generator.uniform(in: -shift...shift)),
      scale: scale, degrees: 8 * generator.normal(), isMirrored: generator.uniform() < 0.5)
    let whole = SceneShape(kind: .rectangle, box: portrait.frame, softness: 0.001)
    draft.canvas.paste(
      portrait.image, by: map, whole, tone: SceneTone(strength: 0.7, using: &generator))
    note(portrait.face.moved(by: map), in: &draft)
    return draft
  }

  private func addFace(
    of side: Float, to draft: inout Draft, using generator: inout SeededGenerator
  ) throws(DatasetError) {
    let portrait = try faces.portrait(using: &generator)
    let box = portrait.face.box
    let scale = side / max(box.width, box.height)
    let degrees =
      generator.uniform() < 0.5 ? 8 * generator.normal() : generator.uniform(in: -40...40)
    let isMirrored = generator.uniform() < 0.5
    for _ in 0..<8 {
      let center = Point(
        x: Float(size) * generator.uniform(), y: Float(size) * generator.uniform())
      let map = Self.map(
        portrait, to: center, scale: scale, degrees: degrees, isMirrored: isMirrored)
      let face = portrait.face.moved(by: map)
      let seen = face.box.share(coveredBy: draft.canvas.frame)
      let others = draft.faces.map(\.box) + draft.ignored
      guard seen > 0.6,
        others.allSatisfy({
          face.box.share(coveredBy: $0) < 0.15 && $0.share(coveredBy: face.box) < 0.15
        })
      else { continue }
      paste(portrait, by: map, face, on: &draft, using: &generator)
      note(face, in: &draft)
      return
    }
  }

  private func paste(
    _ portrait: LabelledFaces.Portrait, by map: AffineMap, _ face: Face, on draft: inout Draft,
    using generator: inout SeededGenerator
  ) {
    let tone = SceneTone(strength: 1, using: &generator)
    if generator.uniform() < 0.5 {
      addBody(under: face.box, portrait.skin, to: &draft, using: &generator)
    }
    draft.canvas.paste(
      portrait.image, by: map, Self.outline(of: portrait, using: &generator), tone: tone)
  }

  /// A random shape to cut out of a picture: the head, or the whole picture.
  private static func outline(
    of portrait: LabelledFaces.Portrait, using generator: inout SeededGenerator
  ) -> SceneShape {
    let box = portrait.face.box
    switch generator.uniform() {
    case ..<0.3:
      return SceneShape(
        kind: .rectangle, box: portrait.frame, softness: generator.uniform(in: 0.005...0.1))
    case ..<0.65:
      let width = generator.uniform(in: 1.15...1.7)
      let height = generator.uniform(in: 1.15...1.6)
      return SceneShape(
        kind: .ellipse,
        box: box.stretched(width, height)
          .moved(0, -box.height * generator.uniform(in: 0...0.15)),
        softness: generator.uniform(in: 0.03...0.35))
    default:
      return SceneShape(
        kind: .squircle,
        box: box.stretched(generator.uniform(in: 1.1...1.8), generator.uniform(in: 1.1...1.7)),
        softness: generator.uniform(in: 0.03...0.3))
    }
  }

  /// Paints a neck and shoulders, unless they would hide another face.
  private func addBody(
    under box: Box, _ skin: SIMD3<Float>, to draft: inout Draft,
    using generator: inout SeededGenerator
  ) {
    let width = box.width * generator.uniform(in: 2...3.2)
    let top = box.y2 + box.height * generator.uniform(in: 0.02...0.25)
    let body = Box(
      x1: box.center.x - width / 2, y1: top, x2: box.center.x + width / 2,
      y2: top + box.height * generator.uniform(in: 2...4))
    let neck = Box(
      x1: box.center.x - 0.28 * box.width, y1: box.y2 - 0.3 * box.height,
      x2: box.center.x + 0.28 * box.width, y2: box.y2 + 0.5 * box.height)
    guard
      draft.faces.allSatisfy({
        $0.box.share(coveredBy: body) < 0.1 && $0.box.share(coveredBy: neck) < 0.1
      })
    else { return }
    draft.canvas.fill(SceneShape(kind: .squircle, box: neck, softness: 0.2), skin * 0.85)
    let shape = SceneShape(kind: .squircle, box: body, softness: 0.05)
    draft.canvas.fill(shape, SceneBackground.color(using: &generator))
    if generator.uniform() < 0.5 {
      let visible = body.clipped(to: draft.canvas.frame)
      guard visible.width >= 2, visible.height >= 2 else { return }
      let cloth = SceneBackground.noise(
        width: min(size, Int(body.width) + 1), height: min(size, Int(body.height) + 1),
        using: &generator)
      draft.canvas.fill(shape, cloth, opacity: 0.4)
    }
  }

  /// Adds a face to a scene's list. It is ignored if it is too small or less than half of it is
  /// visible.
  private func note(_ face: Face, in draft: inout Draft) {
    let box = face.box.clipped(to: draft.canvas.frame)
    guard box.area > 0 else { return }
    let seen = box.area / face.box.area
    if max(box.width, box.height) < Self.smallestFace || seen < 0.5 {
      draft.ignored.append(box)
    } else {
      draft.faces.append(Face(box: box, score: 1, landmarks: face.landmarks))
    }
  }

  /// A map from a portrait to a scene: rotates around the middle of the face, which goes to
  /// `center`.
  private static func map(
    _ portrait: LabelledFaces.Portrait, to center: Point, scale: Float, degrees: Float,
    isMirrored: Bool
  ) -> AffineMap {
    let middle = portrait.face.box.center
    let angle = Double(degrees) * .pi / 180
    let (cosine, sine) = (Double(scale) * cos(angle), Double(scale) * sin(angle))
    return AffineMap(c: -Double(middle.x), f: -Double(middle.y))
      .followed(by: AffineMap(a: isMirrored ? -1 : 1))
      .followed(
        by: AffineMap(
          a: cosine, b: -sine, c: Double(center.x), d: sine, e: cosine, f: Double(center.y)))
  }

  // MARK: Decoys and covers

  private func addDecoys(
    to draft: inout Draft, using generator: inout SeededGenerator
  ) throws(DatasetError) {
    guard generator.uniform() < 0.7 else { return }
    for _ in 0..<generator.integer(in: 1...4) {
      let side = Float(size) * exp(generator.uniform(in: -3...0.2))
      let picture = try decoys.picture(using: &generator)
      let scale = Double(side) / Double(max(picture.width, picture.height))
      let angle = 0.3 * Double(generator.normal())
      let (cosine, sine) = (scale * cos(angle), scale * sin(angle))
      let map = AffineMap(c: -Double(picture.width) / 2, f: -Double(picture.height) / 2)
        .followed(
          by: AffineMap(
            a: cosine, b: -sine, c: Double(Float(size) * generator.uniform()), d: sine, e: cosine,
            f: Double(Float(size) * generator.uniform())))
      let whole = Box(x1: 0, y1: 0, x2: Float(picture.width), y2: Float(picture.height))
      let kinds: [SceneShape.Kind] = [.rectangle, .ellipse, .squircle]
      draft.canvas.paste(
        picture, by: map,
        SceneShape(
          kind: kinds[generator.integer(in: 0...2)], box: whole,
          softness: generator.uniform(in: 0.01...0.4)),
        tone: SceneTone(strength: 1, using: &generator))
    }
  }

  /// Covers about a fifth of the faces partly. Faces that are covered too much become ignored.
  private func cover(
    _ draft: inout Draft, using generator: inout SeededGenerator
  ) throws(DatasetError) {
    var faces: [Face] = []
    for face in draft.faces {
      guard generator.uniform() < 0.22 else {
        faces.append(face)
        continue
      }
      let box = face.box
      let angle = generator.uniform() * 2 * .pi
      let reach = generator.uniform(in: 0.35...0.75)
      let area = box.stretched(
        generator.uniform(in: 0.3...1.1), generator.uniform(in: 0.3...1)
      ).moved(cos(angle) * reach * box.width, sin(angle) * reach * box.height)
      let shape = SceneShape(
        kind: generator.uniform() < 0.5 ? .rectangle : .ellipse, box: area,
        softness: exp(generator.uniform(in: -4...(-1))))
      if generator.uniform() < 0.5 {
        draft.canvas.fill(shape, SceneBackground.color(using: &generator))
      } else {
        let patch = try background.patch(using: &generator)
          .resized(
            width: max(1, Int(area.width)), height: max(1, Int(area.height)), method: .bilinear)
        draft.canvas.fill(shape, patch)
      }
      if shape.share(of: box) > Self.largestCover {
        draft.ignored.append(box)
      } else {
        faces.append(face)
      }
    }
    draft.faces = faces
  }

  // MARK: The camera

  /// The scene with the changes of a camera and a codec: blur, light, colour, noise, compression.
  private func finished(
    _ draft: Draft, using generator: inout SeededGenerator
  ) -> DetectionScene {
    let camera = Augmentation([
      .init(
        OneOf([
          .init(GaussianBlur(sigma: 0.4...1.6)), .init(MotionBlur(length: 2...6)),
          .init(Downscale(factor: 0.4...0.9)),
        ]), probability: 0.35),
      .init(BrightnessContrast(brightness: -0.35...0.3, contrast: -0.35...0.3), probability: 0.4),
      .init(
        HueSaturationValue(hue: -12...12, saturation: -0.25...0.2, value: -0.05...0.05),
        probability: 0.3),
      .init(Greyscale(), probability: 0.08),
      .init(Noise(deviation: 0.005...0.05), probability: 0.35),
      .init(JPEGCompression(quality: 25...95), probability: 0.6),
    ])
    return DetectionScene(
      image: camera(draft.canvas.image, using: &generator), faces: draft.faces,
      ignored: draft.ignored)
  }
}

extension LabelledFaces.Portrait {
  /// The picture's bounds.
  var frame: Box { Box(x1: 0, y1: 0, x2: Float(image.width), y2: Float(image.height)) }
}

extension Face {
  /// The face after a map without shear. A mirroring map swaps left and right landmarks.
  func moved(by map: AffineMap) -> Face {
    let points = landmarks.map { point in
      let (x, y) = map(x: Double(point.x), y: Double(point.y))
      return Point(x: Float(x), y: Float(y))
    }
    let isMirrored = map.determinant < 0 && points.count == 5
    return Face(
      box: box.moved(by: map), score: score,
      landmarks: isMirrored ? [1, 0, 2, 4, 3].map { points[$0] } : points)
  }
}

/// A picture for training a detector, and the faces in it.
package struct DetectionScene: Sendable, Equatable {
  package var image: Image
  /// The faces that a detector must find, in pixels of the picture. Their score is 1.
  package var faces: [Face]
  /// Boxes where a detection does not count, mostly of faces that are too small or covered too
  /// much.
  package var ignored: [Box]

  package init(image: Image, faces: [Face], ignored: [Box] = []) {
    self.image = image
    self.faces = faces
    self.ignored = ignored
  }
}
