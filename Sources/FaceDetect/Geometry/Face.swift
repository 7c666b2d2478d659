/// A face found in a frame.
///
/// ```swift
/// for face in try detector.detect([photo])[0] where face.score > 0.9 {
///   print(face.box.center, face.box.width, face.landmarks)
/// }
/// ```
public struct Face: Sendable, Equatable {
  /// Where the face is, in pixels of the frame; it may reach beyond the frame.
  public var box: Box
  /// How sure the detector is, from 0 to 1.
  public var score: Float
  /// Left eye, right eye, nose, left and right corner of the mouth, as seen in the picture; empty
  /// for a detector that finds none.
  public var landmarks: [Point]

  /// A face.
  public init(box: Box, score: Float, landmarks: [Point] = []) {
    self.box = box
    self.score = score
    self.landmarks = landmarks
  }

  /// Whether no number is infinite or NaN, as damaged weights can make them.
  public var isFinite: Bool {
    box.isFinite && score.isFinite && landmarks.allSatisfy { $0.x.isFinite && $0.y.isFinite }
  }

  /// The face in a frame whose axes are stretched by these factors.
  public func scaled(x factorX: Float, y factorY: Float) -> Face {
    Face(
      box: box.scaled(x: factorX, y: factorY), score: score,
      landmarks: landmarks.map { $0.scaled(x: factorX, y: factorY) })
  }
}
