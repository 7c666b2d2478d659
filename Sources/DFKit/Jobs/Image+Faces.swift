import DeepfakeCore
import FaceDetect

extension Image {
  /// The picture with a frame and the score around each face and a dot on each landmark: eyes green,
  /// nose yellow, mouth red.
  public func drawing(_ faces: [Face]) -> Image {
    var image = self
    let unit = max(1, min(width, height) / 300)
    // The surest face is drawn last and so lies on top.
    for face in faces.reversed() where face.box.isFinite {
      let box = face.box
      image.drawRectangle(
        left: box.x1, top: box.y1, right: box.x2, bottom: box.y2, color: .frame,
        thickness: unit)
      for (index, point) in face.landmarks.enumerated() {
        image.drawDisc(
          x: point.x, y: point.y, radius: 1.5 * Float(unit),
          color: index < 2 ? .green : index == 2 ? .yellow : .red)
      }
      let label = face.score.fixed(2)
      let scale = max(1, unit - 1)
      let height = Image.labelSize(label, scale: scale).height
      image.drawLabel(
        label, x: box.x1, y: box.y1 - Float(height), scale: scale, background: .frame)
    }
    return image
  }
}

extension Color {
  fileprivate static let frame = Color(red: 0, green: 120, blue: 220)
}
