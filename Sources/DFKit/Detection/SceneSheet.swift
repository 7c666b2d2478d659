import DeepfakeCore
import FaceDetect
import Training

/// A picture of composed training scenes in a grid. Faces that must be found have a green box,
/// faces that may be found a yellow one.
package struct SceneSheet: Sendable {
  /// The number of scenes in a row.
  package var columns = 6
  /// The number of rows.
  package var rows = 4
  /// Whether boxes and landmarks are drawn.
  package var isMarked = true

  /// A marked sheet of 6 x 4 scenes.
  package init() {}

  /// A sheet of the first scenes that a trainer would train on.
  ///
  /// - Throws: `DatasetError` if a picture cannot be read.
  package func image(of trainer: DetectorTrainer) throws -> Image {
    let side = trainer.options.size
    var sheet = Image(width: columns * side, height: rows * side) { $0.initialize(repeating: 0) }
    var place = 0
    var step = 0
    while place < columns * rows {
      for scene in try trainer.scenes(step) where place < columns * rows {
        sheet.paste(
          marked(scene).resized(width: side, height: side, method: .area),
          x: place % columns * side, y: place / columns * side)
        place += 1
      }
      step += 1
    }
    return sheet
  }

  private func marked(_ scene: DetectionScene) -> Image {
    var image = scene.image
    guard isMarked else { return image }
    for face in scene.faces {
      image.drawRectangle(
        left: face.box.x1, top: face.box.y1, right: face.box.x2, bottom: face.box.y2,
        color: .green, thickness: 1)
      for point in face.landmarks {
        image.drawDisc(x: point.x, y: point.y, radius: 1.2, color: .red)
      }
    }
    for box in scene.ignored {
      image.drawRectangle(
        left: box.x1, top: box.y1, right: box.x2, bottom: box.y2, color: .yellow, thickness: 1)
    }
    return image
  }
}
