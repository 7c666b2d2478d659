import DeepfakeCore
import FaceDetect

/// A picture to learn detection from, and the faces in it.
public struct DetectionScene: Sendable, Equatable {
  /// The picture.
  public var image: Image
  /// The faces that a detector must find, their score 1; in pixels of the picture.
  public var faces: [Face]
  /// Where a detector may find a face or not: faces too small or too much covered, mostly.
  public var ignored: [Box]

  /// A picture with its faces.
  public init(image: Image, faces: [Face], ignored: [Box] = []) {
    self.image = image
    self.faces = faces
    self.ignored = ignored
  }
}
