import DeepfakeCore
import FaceDetect

extension Image {
  /// The picture with a frame around each face, in its track's colour, the track's number and the face's
  /// score above it, and a dot on each landmark: eyes green, nose yellow, mouth red.
  ///
  /// - Parameter scale: the width of lines and the size of letters; by the picture's size if not given.
  public func drawing(_ faces: [TrackedFace], scale: Int? = nil) -> Image {
    var image = self
    let unit = scale ?? max(1, min(width, height) / 300)
    // The surest face is drawn last and so lies on top.
    let drawn = faces.reversed().filter { $0.face.box.isFinite }
    for face in drawn { image.drawFrame(face, unit) }
    for face in drawn { image.drawLabel(face, max(1, unit - 1)) }
    return image
  }

  private mutating func drawFrame(_ tracked: TrackedFace, _ unit: Int) {
    let box = tracked.face.box
    // A dark line outside sets the frame off from a background of its colour.
    drawRectangle(
      left: box.x1 - 1, top: box.y1 - 1, right: box.x2 + 1, bottom: box.y2 + 1, color: .black,
      thickness: unit + 2)
    drawRectangle(
      left: box.x1, top: box.y1, right: box.x2, bottom: box.y2, color: tracked.color,
      thickness: unit)
    // On a face of few pixels, dots would hide it.
    guard max(box.width, box.height) >= 16 else { return }
    let radius = min(1.5 * Float(unit), box.width / 28)
    for (index, point) in tracked.face.landmarks.enumerated() {
      drawDisc(
        x: point.x, y: point.y, radius: radius,
        color: index < 2 ? .green : index == 2 ? .yellow : .red)
    }
  }

  private mutating func drawLabel(_ tracked: TrackedFace, _ scale: Int) {
    let box = tracked.face.box
    let id = "\(tracked.track)"
    let full = "\(id) \(tracked.face.score.fixed(2))"
    // In a crowd, labels wider than their faces would cover the neighbours'.
    let fits = Float(Image.labelSize(full, scale: scale).width) <= box.width + Float(8 * scale)
    let label = fits ? full : id
    let height = Float(Image.labelSize(label, scale: scale).height)
    let above = box.y1 - height >= 0
    drawLabel(
      label, x: box.x1, y: above ? box.y1 - height : box.y2, scale: scale,
      color: tracked.color.readable, background: tracked.color)
  }
}

extension TrackedFace {
  var color: Color { .track(track) }
}
