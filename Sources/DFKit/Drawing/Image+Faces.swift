import DeepfakeCore
import FaceDetect

extension Image {
  /// The picture with a box around each face in its track's colour, the track's number and the
  /// face's score above it, and a dot on each landmark: eyes green, nose yellow, mouth corners red.
  ///
  /// - Parameter scale: The line width and letter size. By default, it depends on the picture's
  ///   size.
  package func drawing(_ faces: [TrackedFace], scale: Int? = nil) -> Image {
    var image = self
    let unit = scale ?? max(1, (min(width, height) + 125) / 250)
    // Faces come in order of falling score: the highest is drawn last, so that it lies on top.
    let drawn = faces.reversed().filter { $0.face.box.isFinite }
    for face in drawn { image.drawFrame(face, unit) }
    for face in drawn { image.drawLabel(face, unit) }
    return image
  }

  private mutating func drawFrame(_ tracked: TrackedFace, _ unit: Int) {
    let box = tracked.face.box
    let side = min(box.width, box.height)
    // On a face of few pixels, thick lines and dots would hide it.
    let thickness = side < Float(16 * unit) ? max(1, unit / 2) : unit
    // A dark outer line separates the box from a background of the same colour.
    drawRectangle(
      left: box.x1 - 1, top: box.y1 - 1, right: box.x2 + 1, bottom: box.y2 + 1, color: .black,
      thickness: thickness + 2)
    drawRectangle(
      left: box.x1, top: box.y1, right: box.x2, bottom: box.y2, color: tracked.color,
      thickness: thickness)
    guard side >= 16 else { return }
    let radius = min(1.5 * Float(unit), side / 28)
    for (index, point) in tracked.face.landmarks.enumerated() {
      drawDisc(
        x: point.x, y: point.y, radius: radius,
        color: index < 2 ? .green : index == 2 ? .yellow : .red)
    }
  }

  /// Draws the track number and score, in letters down to half the size if the label would be wider
  /// than the box. If even that does not fit, draws the number alone: in a crowd, wide labels would
  /// cover the neighbours' faces.
  private mutating func drawLabel(_ tracked: TrackedFace, _ scale: Int) {
    let box = tracked.face.box
    let full = "\(tracked.track) \(tracked.face.score.fixed(2))"
    let sizes = (max(1, scale / 2)...scale).reversed()
    let fitting = sizes.first { size in
      Float(Image.labelSize(full, scale: size).width) <= box.width + Float(8 * size)
    }
    let label = fitting == nil ? "\(tracked.track)" : full
    let size = fitting ?? scale
    let height = Float(Image.labelSize(label, scale: size).height)
    let above = box.y1 - height >= 0
    drawLabel(
      label, x: box.x1, y: above ? box.y1 - height : box.y2, scale: size,
      color: tracked.color.contrastingTextColor, background: tracked.color)
  }
}

extension TrackedFace {
  var color: Color { .track(track) }
}

extension Color {
  /// A track's colour from a palette of twelve, which then repeats. The twelve can also be told
  /// apart with colour blindness.
  public static func track(_ id: Int) -> Color {
    palette[((id - 1) % palette.count + palette.count) % palette.count]
  }

  /// Found by a search that maximises the smallest distance between two colours in Oklab, as seen
  /// with normal vision and with each of the three kinds of colour blindness (Machado et al. 2009).
  /// None is so dark that it would not show on video.
  private static let palette = [
    Color(0x55CCFF), Color(0xFF0066), Color(0xFFFF00), Color(0x7722FF), Color(0xFF99AA),
    Color(0xBBAA00), Color(0xAA1177), Color(0x99FFFF), Color(0x667700), Color(0xFFCC77),
    Color(0x7788FF), Color(0xAA77AA),
  ]

  private init(_ hex: UInt32) {
    self.init(
      red: UInt8(hex >> 16 & 0xFF), green: UInt8(hex >> 8 & 0xFF), blue: UInt8(hex & 0xFF))
  }
}
