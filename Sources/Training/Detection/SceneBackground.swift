import DeepfakeCore
import FaceData
import FaceDetect
import Foundation

/// Paints the backgrounds of scenes: colours, noise of all sizes, patches of pictures without their
/// faces, shapes, stripes and letters.
struct SceneBackground: Sendable {
  let size: Int
  let faces: LabelledFaces

  /// Paints a new random background.
  func canvas(using generator: inout SeededGenerator) throws(DatasetError) -> SceneCanvas {
    var canvas: SceneCanvas
    switch generator.uniform() {
    case ..<0.35: canvas = SceneCanvas(try surroundings(using: &generator))
    case ..<0.6: canvas = try mosaic(using: &generator)
    case ..<0.85: canvas = SceneCanvas(Self.noise(width: size, height: size, using: &generator))
    default: canvas = SceneCanvas(Self.gradient(width: size, height: size, using: &generator))
    }
    if generator.uniform() < 0.6 { try addShapes(to: &canvas, using: &generator) }
    if generator.uniform() < 0.2 { addStripes(to: &canvas, using: &generator) }
    if generator.uniform() < 0.2 { addLetters(to: &canvas, using: &generator) }
    return canvas
  }

  /// A random colour: any colour, or in three of ten cases a skin colour.
  static func color(using generator: inout SeededGenerator) -> SIMD3<Float> {
    guard generator.uniform() < 0.3 else {
      return SIMD3(generator.uniform(), generator.uniform(), generator.uniform()) * 255
    }
    let light = generator.uniform(in: 0.25...1)
    return SIMD3(
      255 * light, (150 + 50 * generator.uniform()) * light,
      (105 + 65 * generator.uniform()) * light)
  }

  /// A part of a picture without its face, scaled to the size of the scene.
  private func surroundings(
    using generator: inout SeededGenerator
  ) throws(DatasetError) -> Image {
    let patch = try self.patch(using: &generator)
    return patch.resized(width: size, height: size, method: .bilinear)
  }

  /// A random part of a picture beside, above or below its face, with changed tones. Noise if the
  /// face leaves no room.
  func patch(using generator: inout SeededGenerator) throws(DatasetError) -> Image {
    let portrait = try faces.portrait(using: &generator)
    let (image, box) = (portrait.image, portrait.face.box.stretched(0.95, 0.95))
    let whole = Box(x1: 0, y1: 0, x2: Float(image.width), y2: Float(image.height))
    let sides = [
      Box(x1: 0, y1: 0, x2: box.x1, y2: whole.y2),
      Box(x1: box.x2, y1: 0, x2: whole.x2, y2: whole.y2),
      Box(x1: 0, y1: 0, x2: whole.x2, y2: box.y1),
      Box(x1: 0, y1: box.y2, x2: whole.x2, y2: whole.y2),
    ].map { $0.clipped(to: whole) }.filter { min($0.width, $0.height) >= 12 }
    guard let side = sides.randomElement(using: &generator) else {
      return Self.noise(width: 64, height: 64, using: &generator)
    }
    // Limits the aspect ratio to 2, since strongly stretched pixels look like nothing real.
    let longest = min(max(side.width, side.height), 2 * min(side.width, side.height))
    let extent = longest * generator.uniform(in: 0.5...1)
    let (width, height) = (
      max(8, Int(min(extent, side.width))), max(8, Int(min(extent, side.height)))
    )
    let left = Int(side.x1) + generator.integer(in: 0...max(0, Int(side.width) - width))
    let top = Int(side.y1) + generator.integer(in: 0...max(0, Int(side.height) - height))
    var patch = image.cropped(x: left, y: top, width: width, height: height, edges: .replicate)
    if generator.uniform() < 0.5 { patch = patch.flippedHorizontally() }
    let turns = generator.uniform() < 0.3 ? generator.integer(in: 1...3) : 0
    return SceneTone(strength: 1, using: &generator).applied(to: patch.rotated(quarterTurns: turns))
  }

  /// A grid of overlapping patches.
  private func mosaic(using generator: inout SeededGenerator) throws(DatasetError) -> SceneCanvas {
    var canvas = SceneCanvas(Self.gradient(width: size, height: size, using: &generator))
    let cells = generator.integer(in: 2...4)
    let patches = try (0..<3).map { _ throws(DatasetError) in try patch(using: &generator) }
    let side = Float(size) / Float(cells)
    for row in 0..<cells {
      for column in 0..<cells {
        let box = Box(
          x1: Float(column) * side, y1: Float(row) * side, x2: Float(column + 1) * side,
          y2: Float(row + 1) * side
        ).stretched(generator.uniform(in: 0.8...1.8), generator.uniform(in: 0.8...1.8))
        let patch = patches[generator.integer(in: 0...patches.count - 1)]
        let scaled = patch.resized(
          width: max(1, Int(box.width)), height: max(1, Int(box.height)), method: .bilinear)
        canvas.fill(
          SceneShape(kind: .rectangle, box: box, softness: generator.uniform(in: 0.01...0.5)),
          scaled)
      }
    }
    return canvas
  }

  /// Random pixels at several sizes, enlarged and mixed.
  static func noise(
    width: Int, height: Int, using generator: inout SeededGenerator
  ) -> Image {
    var result = gradient(width: width, height: height, using: &generator)
    var cells = 4
    while cells <= 96 {
      let share = generator.uniform(in: 0...0.45)
      let isGrey = generator.uniform() < 0.6
      if share > 0.1 {
        let layer = Self.random(cells, isGrey: isGrey, using: &generator)
          .resized(
            width: width, height: height,
            method: generator.uniform() < 0.8 ? .bilinear : .nearest)
        result = result.mixed(with: layer, share: share)
      }
      cells = cells * 2 + generator.integer(in: -1...1)
    }
    return result
  }

  /// A smooth gradient of random colours.
  static func gradient(
    width: Int, height: Int, using generator: inout SeededGenerator
  ) -> Image {
    let colors = (0..<9).map { _ in color(using: &generator) }
    let base = color(using: &generator)
    let spread = generator.uniform(in: 0...0.6)
    return Image(width: 3, height: 3) { target in
      for (index, color) in colors.enumerated() {
        let mixed = base + (color - base) * spread
        for channel in 0..<3 {
          target[3 * index + channel] = UInt8(min(max(mixed[channel], 0), 255))
        }
      }
    }.resized(width: width, height: height, method: .bilinear)
  }

  private static func random(
    _ cells: Int, isGrey: Bool, using generator: inout SeededGenerator
  ) -> Image {
    Image(width: cells, height: cells) { target in
      for pixel in 0..<cells * cells {
        let bits = generator.next()
        for channel in 0..<3 {
          target[3 * pixel + channel] = UInt8(
            truncatingIfNeeded: isGrey ? bits : bits >> (8 * UInt64(channel)))
        }
      }
    }
  }

  /// Adds shapes of one colour, some with the texture of a patch.
  private func addShapes(
    to canvas: inout SceneCanvas, using generator: inout SeededGenerator
  ) throws(DatasetError) {
    let texture = try patch(using: &generator)
    for _ in 0..<generator.integer(in: 1...10) {
      let extent = Float(size) * exp(generator.uniform(in: -3.5...(-0.4)))
      let box = Box(x1: 0, y1: 0, x2: extent, y2: extent * exp(generator.uniform(in: -1...1)))
        .moved(
          Float(size) * generator.uniform(in: -0.1...1),
          Float(size) * generator.uniform(in: -0.1...1)
        )
      let kinds: [SceneShape.Kind] = [.rectangle, .ellipse, .squircle]
      let shape = SceneShape(
        kind: kinds[generator.integer(in: 0...2)], box: box,
        softness: exp(generator.uniform(in: -4...0)))
      canvas.fill(
        shape, Self.color(using: &generator), opacity: generator.uniform(in: 0.4...1))
      if generator.uniform() < 0.4 {
        let cover = texture.resized(
          width: max(1, Int(box.width)), height: max(1, min(2 * size, Int(box.height))),
          method: .bilinear)
        canvas.fill(shape, cover, opacity: generator.uniform(in: 0.3...1))
      }
    }
  }

  private func addStripes(to canvas: inout SceneCanvas, using generator: inout SeededGenerator) {
    let step = Float(size) * exp(generator.uniform(in: -4...(-1.5)))
    let isAcross = generator.uniform() < 0.5
    let (color, opacity) = (Self.color(using: &generator), generator.uniform(in: 0.2...1))
    let (low, high) = (
      Float(size) * generator.uniform(in: -0.2...0.6),
      Float(size) * generator.uniform(in: 0.4...1.2)
    )
    let end = Float(size)
    for index in 0..<Int(end / step) {
      let from = Float(index) * step
      let box =
        isAcross
        ? Box(x1: low, y1: from, x2: high, y2: from + step / 2)
        : Box(x1: from, y1: low, x2: from + step / 2, y2: high)
      canvas.fill(
        SceneShape(kind: .rectangle, box: box, softness: 0.1), color, opacity: opacity)
    }
  }

  private func addLetters(to canvas: inout SceneCanvas, using generator: inout SeededGenerator) {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")
    var image = canvas.image
    func color() -> Color {
      let color = Self.color(using: &generator)
      return Color(red: UInt8(color.x), green: UInt8(color.y), blue: UInt8(color.z))
    }
    for _ in 0..<generator.integer(in: 1...4) {
      let text = String(
        (0..<generator.integer(in: 2...14)).map { _ in
          letters[generator.integer(in: 0...letters.count - 1)]
        })
      image.drawLabel(
        text, x: Float(size) * generator.uniform(), y: Float(size) * generator.uniform(),
        scale: generator.integer(in: 1...4), color: color(), background: color())
    }
    canvas = SceneCanvas(image)
  }
}
