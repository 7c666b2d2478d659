import DeepfakeCore
import FaceDetect

extension Image {
  /// The picture with a frame around each face, in its track's colour, the track's number and the face's
  /// score above it, and a dot on each landmark: eyes green, nose yellow, mouth red.
  ///
  /// - Parameter scale: the width of lines and the size of letters; by the picture's size if not given.
  public func drawing(_ faces: [TrackedFace], scale: Int? = nil) -> Image {
    var image = self
    let unit = scale ?? max(1, (min(width, height) + 125) / 250)
    // The surest face is drawn last and so lies on top.
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
    // A dark line outside sets the frame off from a background of its colour.
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

  /// The number and the score, in letters half as large where that takes, or else the number alone: in a
  /// crowd, labels wider than their faces would cover the neighbours'.
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
      color: tracked.color.readable, background: tracked.color)
  }
}

extension TrackedFace {
  var color: Color { .track(track) }
}
