import DeepfakeCore

/// A face detector.
///
/// ```swift
/// struct WholePicture: FaceDetector {
///   func detect(_ frames: [Image]) throws -> [[Face]] {
///     frames.map { frame in
///       let box = Box(x1: 0, y1: 0, x2: Float(frame.width), y2: Float(frame.height))
///       return [Face(box: box, score: 1)]
///     }
///   }
/// }
/// ```
public protocol FaceDetector: Sendable {
  /// Detects the faces of each frame, sorted by falling score. The result has one list per frame,
  /// empty if there is no face.
  ///
  /// Frames may differ in size; frames of the same size are processed together. Throws if a frame
  /// cannot be processed, for example `FaceDetectError.frameTooLarge`.
  func detect(_ frames: [Image]) throws -> [[Face]]

  /// The factor by which frames are scaled before detection; 1 by default.
  var frameScale: FrameScale { get }

  /// Detects the faces of each frame with another frame scale. The default implementation ignores
  /// the scale.
  func detect(_ frames: [Image], scale: FrameScale) throws -> [[Face]]
}

extension FaceDetector {
  /// 1: frames are not scaled.
  public var frameScale: FrameScale { 1 }

  /// Detects the faces of the unscaled frames; `scale` is ignored.
  public func detect(_ frames: [Image], scale: FrameScale) throws -> [[Face]] {
    try detect(frames)
  }
}

/// Why faces cannot be detected.
public enum FaceDetectError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The scaled frame has more pixels than the detector accepts.
  case frameTooLarge(width: Int, height: Int, pixelLimit: Int)
  /// The network's scores are not finite numbers.
  case scoresNotNumbers

  /// The message to show to users.
  public var description: String {
    switch self {
    case .frameTooLarge(let width, let height, let pixelLimit):
      "a frame of \(width)x\(height) pixels is too large for face detection: the limit is"
        + " \(pixelLimit / 1_000_000) megapixels. Use a smaller frame scale."
    case .scoresNotNumbers:
      "the face detector's scores are not numbers; its weights may be damaged."
    }
  }
}
