/// A face detected in a frame.
///
/// ```swift
/// for face in try detector.detect([photo])[0] where face.score > 0.9 {
///   print(face.box.center, face.box.width, face.landmarks)
/// }
/// ```
public struct Face: Sendable, Equatable {
  /// The face's box, in pixels of the frame. It may extend beyond the frame.
  public var box: Box
  /// The detector's confidence, 0 to 1.
  public var score: Float
  /// Left eye, right eye, nose, left and right mouth corner, as seen in the image; empty if the
  /// detector finds no landmarks.
  public var landmarks: [Point]

  /// Creates a face.
  public init(box: Box, score: Float, landmarks: [Point] = []) {
    self.box = box
    self.score = score
    self.landmarks = landmarks
  }

  /// Whether all numbers are finite. Damaged weights can produce infinite numbers or NaN.
  public var isFinite: Bool {
    box.isFinite && score.isFinite && landmarks.allSatisfy { $0.x.isFinite && $0.y.isFinite }
  }

  /// The face after the frame is scaled by these factors.
  public func scaled(x factorX: Float, y factorY: Float) -> Face {
    Face(
      box: box.scaled(x: factorX, y: factorY), score: score,
      landmarks: landmarks.map { $0.scaled(x: factorX, y: factorY) })
  }
}
