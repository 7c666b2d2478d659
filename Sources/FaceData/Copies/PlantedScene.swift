import DeepfakeCore
import Foundation

/// A drawn picture of an invented person in an invented place, for measuring a search for copies.
/// It resembles a face to a hash or a correlation, not to a human viewer.
package struct PlantedScene: Sendable {
  /// The features of one person's face. Colours are 0 to 255; lengths are fractions of the
  /// picture's side.
  private struct Face: Sendable {
    var skin, hair, eyes, lips: SIMD3<Float>
    var width, height, eyeDistance, eyeSize, browHeight, noseLength, mouthWidth, hairLine: Float
    /// Moles, wrinkles, shine: x, y, radius, and the factor that multiplies the colour there.
    var marks: [SIMD4<Float>]

    init(_ person: UInt64) {
      var generator = SeededGenerator(seed: person, label: "face")
      func value(_ low: Float, _ high: Float) -> Float {
        low + (high - low) * generator.uniform()
      }
      let tone = value(0.25, 1)
      skin = SIMD3(230, 190, 165) * tone + SIMD3(value(-10, 10), value(-10, 10), value(-10, 10))
      hair = SIMD3(90, 65, 40) * value(0.1, 2.4)
      eyes = SIMD3(value(20, 90), value(30, 110), value(30, 140))
      lips = SIMD3(180, 80, 85) * (0.5 + 0.5 * tone) + SIMD3(value(-25, 25), 0, 0)
      width = value(0.24, 0.32)
      height = value(0.34, 0.42)
      eyeDistance = value(0.10, 0.15)
      eyeSize = value(0.03, 0.05)
      browHeight = value(0.05, 0.09)
      noseLength = value(0.1, 0.16)
      mouthWidth = value(0.07, 0.13)
      hairLine = value(0.12, 0.3)
      marks = (0..<10).map { _ in
        SIMD4(value(-0.2, 0.2), value(-0.3, 0.3), value(0.012, 0.05), value(0.65, 1.25))
      }
    }
  }

  /// A patch of colour behind the person.
  private struct Patch: Sendable {
    var x, y, width, height: Float
    var color: SIMD3<Float>
    var isRound: Bool
  }

  private var face: Face
  private var patches: [Patch] = []
  private var corners: [SIMD3<Float>] = []
  private var light = SIMD3<Float>(repeating: 0)
  /// Factors of the video on the size of the person's hair and head.
  private var (hair, zoom): (Float, Float) = (1, 1)
  /// Soft lights and shadows: x, y, radius and strength.
  private var shadows: [SIMD4<Float>] = []
  private var (pitch, turn, centreX, centreY): (Float, Float, Float, Float) = (0, 0, 0, 0)

  /// The scene of one video of a person. The arguments are seeds; `place` determines the
  /// background.
  package init(person: UInt64, video: UInt64, place: UInt64) {
    face = Face(person)
    var generator = SeededGenerator(seed: place, label: "place")
    func value(_ low: Float, _ high: Float) -> Float { low + (high - low) * generator.uniform() }
    func color() -> SIMD3<Float> { SIMD3(value(10, 245), value(10, 245), value(10, 245)) }
    let base = color()
    corners = (0..<4).map { _ in base * 0.6 + color() * 0.4 }
    patches = (0..<12).map { number in
      Patch(
        x: value(-0.1, 1.1), y: value(-0.1, 1.1), width: value(0.04, 0.25),
        height: value(0.04, 0.35), color: color(), isRound: number % 2 == 0)
    }
    light = SIMD3(value(-0.35, 0.35), value(-0.2, 0.2), value(-0.2, 0.2))
    generator = SeededGenerator(seed: video, label: "video")
    (pitch, turn) = (value(-0.05, 0.05), value(-0.06, 0.06))
    (centreX, centreY) = (0.5 + value(-0.04, 0.04), 0.52 + value(-0.04, 0.04))
    (hair, zoom) = (value(0.95, 1.3), value(0.9, 1.1))
    shadows = (0..<4).map { _ in
      SIMD4(value(0.15, 0.85), value(0.15, 0.85), value(0.08, 0.25), value(-0.5, 0.4))
    }
    // The expression in this video.
    face.browHeight *= value(0.8, 1.3)
    face.eyeSize *= value(0.85, 1.1)
    face.mouthWidth *= value(0.75, 1.3)
    face.hairLine *= value(0.6, 1.4)
  }

  /// Draws a frame of `side` x `side` pixels. Between frames the head moves a little, the mouth
  /// opens and the noise differs. The face takes the middle two thirds.
  package func frame(_ number: UInt64, side: Int) -> Image {
    var generator = SeededGenerator(seed: number, label: "frame")
    func value(_ range: Float) -> Float { range * (2 * generator.uniform() - 1) }
    let (x0, y0) = (centreX + value(0.02), centreY + value(0.02))
    let (open, blink) = (0.012 + abs(value(0.02)), 0.6 + value(0.4))
    let (turn, pitch) = (turn + value(0.02), pitch + value(0.015))
    var noise = SeededGenerator(seed: generator.next())
    return Image(width: side, height: side) { pixels in
      for row in 0..<side {
        let v = (Float(row) + 0.5) / Float(side)
        for column in 0..<side {
          let u = (Float(column) + 0.5) / Float(side)
          var color = background(u, v)
          paint(
            &color, (u - x0) / zoom, (v - y0) / zoom, turn, pitch, open: open, blink: blink)
          color *= lit(u, v)
          let bits = noise.next()
          for channel in 0..<3 {
            let grain = Float(bits >> UInt64(8 * channel) & 7) - 3.5
            pixels[(row * side + column) * 3 + channel] = UInt8(
              max(0, min(255, color[channel] + grain)))
          }
        }
      }
    }
  }

  /// Light at a point: the factor that multiplies the colour.
  private func lit(_ u: Float, _ v: Float) -> Float {
    var lit = 1 + light.x * (u - 0.5) * 2 + light.y * (v - 0.5) * 2 + light.z * 0.5
    for shadow in shadows {
      let (x, y) = ((u - shadow.x) / shadow.z, (v - shadow.y) / shadow.z)
      let square = x * x + y * y
      if square < 1 { lit *= 1 + shadow.w * (1 - square) * (1 - square) }
    }
    return lit
  }

  private func background(_ u: Float, _ v: Float) -> SIMD3<Float> {
    var color =
      (corners[0] * (1 - u) + corners[1] * u) * (1 - v)
      + (corners[2] * (1 - u) + corners[3] * u) * v
    for patch in patches {
      let (x, y) = ((u - patch.x) / patch.width, (v - patch.y) / patch.height)
      if patch.isRound ? x * x + y * y < 1 : max(abs(x), abs(y)) < 1 { color = patch.color }
    }
    return color
  }

  /// Paints the head over `color`, at (x, y) relative to the head's middle.
  private func paint(
    _ color: inout SIMD3<Float>, _ x: Float, _ y: Float, _ turn: Float, _ pitch: Float,
    open: Float, blink: Float
  ) {
    func ellipse(_ x: Float, _ y: Float, _ width: Float, _ height: Float) -> Bool {
      let (a, b) = (x / width, y / height)
      return a * a + b * b < 1
    }
    // Shoulders and neck, then hair behind the face.
    if ellipse(x, y - 0.62, 0.5, 0.25) { color = face.lips * 0.5 + face.eyes * 0.5 }
    if ellipse(x, y + 0.05, face.width * 1.1 * hair, face.height * 1.08 * hair) {
      color = face.hair
    }
    guard ellipse(x, y, face.width, face.height), y > -face.height + face.hairLine * 0.5 else {
      return
    }
    let shade = 1 - 0.35 * (x / face.width) * (x / face.width)
    color = face.skin * shade
    let (fx, fy) = (x - turn, y - pitch)
    for mark in face.marks {
      let (a, b) = ((fx - mark.x) / mark.z, (fy - mark.y) / mark.z)
      if a * a + b * b < 1 { color *= mark.w }
    }
    for side: Float in [-1, 1] {
      let ex = fx - side * face.eyeDistance
      if ellipse(ex, fy + 0.07 + face.browHeight, face.eyeSize * 1.5, 0.014) { color = face.hair }
      if ellipse(ex, fy + 0.07, face.eyeSize, face.eyeSize * 0.5 * blink) {
        color =
          ellipse(ex, fy + 0.07, face.eyeSize * 0.45, face.eyeSize * 0.45)
          ? face.eyes : SIMD3(235, 235, 230)
      }
    }
    if abs(fx) < 0.014, fy > -0.05, fy < face.noseLength - 0.03 { color *= 1.12 }
    if ellipse(fx, fy - face.noseLength + 0.03, 0.035, 0.015) { color *= 0.7 }
    if ellipse(fx, fy - face.noseLength - 0.1, face.mouthWidth, 0.022 + open) {
      color = face.lips
      if ellipse(fx, fy - face.noseLength - 0.1, face.mouthWidth * 0.8, open) {
        color = SIMD3(50, 20, 20)
      }
    }
  }
}
