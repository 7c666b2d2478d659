import DeepfakeCore

/// Something that finds faces in frames.
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
  /// The faces of each frame, surest first: always one list a frame, empty where there is no face.
  ///
  /// Frames may differ in size; those of one size are worked on together. Throws what makes a frame
  /// unusable, such as `FaceDetectError.frameTooLarge`.
  func detect(_ frames: [Image]) throws -> [[Face]]

  /// How frames are scaled before they are searched; 1 for a detector that says nothing of it.
  var frameScale: FrameScale { get }

  /// The faces of each frame with another scale of frames; the same for a detector that says
  /// nothing of it.
  func detect(_ frames: [Image], scale: FrameScale) throws -> [[Face]]
}

extension FaceDetector {
  /// 1: frames are searched as they are.
  public var frameScale: FrameScale { 1 }

  /// The faces of the frames as they are.
  public func detect(_ frames: [Image], scale: FrameScale) throws -> [[Face]] {
    try detect(frames)
  }
}

/// Why faces could not be looked for.
public enum FaceDetectError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The frame, as detection would see it, has more pixels than the detector takes.
  case frameTooLarge(width: Int, height: Int, pixelLimit: Int)
  /// The network's scores are not numbers.
  case scoresNotNumbers

  /// The message for people.
  public var description: String {
    switch self {
    case .frameTooLarge(let width, let height, let pixelLimit):
      "a frame of \(width)x\(height) pixels is too large to look for faces in: the detector takes"
        + " \(pixelLimit / 1_000_000) megapixels. Give a smaller frame scale."
    case .scoresNotNumbers:
      "the face detector's scores are not numbers; its weights may be damaged."
    }
  }
}
