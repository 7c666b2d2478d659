import DeepfakeCore
import Foundation

/// The MTCNN detector: a cascade of three small networks. P-Net proposes faces on an image pyramid.
/// R-Net and O-Net judge the crops of the proposals, each more strictly. Every face has five
/// landmarks.
///
/// Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
/// Networks" (2016), with the weights and constants of facenet-pytorch 2.6. The faces of a frame do
/// not depend on the other frames of a batch.
///
/// ```swift
/// var options = MTCNN.Options()
/// options.minimumFaceSize = 40
/// let detector = try MTCNN(weights: MTCNN.readWeights(folder), options: options)
/// let faces = try detector.detect([photo])[0]
/// ```
public struct MTCNN: FaceDetector {
  /// The detector's thresholds, and the scale of the frames.
  public struct Options: Sendable, Equatable {
    /// The minimum scores of P-Net, R-Net and O-Net, each in 0...1.
    public var thresholds: [Float] = [0.6, 0.7, 0.7]
    /// The size of each level of the pyramid relative to the previous one, 0.1...0.98.
    public var factor: Float = 0.709
    /// The minimum face size in pixels of the original frame, above 0. nil: the published 20
    /// pixels, counted in the scaled frame (see `frameScale`). Smaller sizes take more time.
    public var minimumFaceSize: Float?
    /// The factor by which frames are scaled before detection. Results are in pixels of the
    /// original frame.
    public var frameScale: FrameScale = 1
    /// The maximum number of faces per frame, those with the highest scores; nil: all.
    public var maximumFaces: Int?

    /// Creates the published settings, with unscaled frames.
    public init() {}

    /// The published minimum face size, in pixels of the scaled frame.
    public static let publishedFaceSize: Float = 20
    /// The allowed values of `factor`.
    public static let factors: ClosedRange<Float> = 0.1...0.98
  }

  /// The detector's settings.
  public let options: Options
  private let proposals: ProposalStage
  private let refinement: CropStage
  private let output: CropStage

  /// Overlap above which the candidate with the lower score is dropped: IoU after R-Net, and
  /// intersection over the smaller box after O-Net.
  private static let overlap: Float = 0.7
  /// The largest number of pixels of a scaled frame, and of the first level of its pyramid.
  private static let framePixels = 1 << 28
  private static let levelPixels = 1 << 27
  /// The largest size in bytes of P-Net's outputs for a batch, and the largest number of its
  /// frames.
  private static let batchBytes = 32 << 20
  private static let batchFrames = 32

  /// Creates the detector from published weights, with the keys `pnet.*`, `rnet.*` and `onet.*`
  /// (see `readWeights`).
  ///
  /// Throws `WeightsError` with the keys that are missing, unused or of the wrong shape, or with
  /// the network that the file is for.
  public init(weights: StateDict, options: Options = Options()) throws(WeightsError) {
    precondition(
      options.thresholds.count == 3 && options.thresholds.allSatisfy { (0...1).contains($0) }
        && Options.factors.contains(options.factor)
        && options.frameScale.isUsable
        && options.minimumFaceSize ?? 1 > 0 && options.minimumFaceSize?.isFinite ?? true
        && options.maximumFaces ?? 0 >= 0,
      "MTCNN: \(options) is out of range")
    let networks = try MTCNNNetworks(weights)
    self.options = options
    proposals = ProposalStage(network: networks.pnet, threshold: options.thresholds[0])
    refinement = CropStage(network: networks.rnet, threshold: options.thresholds[1])
    output = CropStage(network: networks.onet, threshold: options.thresholds[2])
  }

  /// Detects the faces of each frame, by falling score. Throws `FaceDetectError.frameTooLarge` if
  /// the scaled frame or the first level of its pyramid has too many pixels, and
  /// `.scoresNotNumbers` if the weights are damaged.
  public func detect(_ frames: [Image]) throws -> [[Face]] {
    try detect(frames, scale: options.frameScale)
  }

  /// The factor by which frames are scaled before detection.
  public var frameScale: FrameScale { options.frameScale }

  /// Detects the faces of each frame with another frame scale.
  public func detect(_ frames: [Image], scale: FrameScale) throws -> [[Face]] {
    precondition(scale.isUsable, "MTCNN: frames cannot be scaled by \(scale)")
    var found: [[Face]] = []
    var batch: [(frame: Image, pyramid: ImagePyramid)] = []
    var bytes = 0
    for frame in frames {
      let factor = scale.factor(width: frame.width, height: frame.height)
      let searched = try scaled(frame, by: factor)
      let pyramid = try pyramid(for: searched, scale: factor)
      let needed = pyramid.levels.reduce(0) {
        $0 + proposals.network.outputBytes(width: $1.width, height: $1.height)
      }
      if !batch.isEmpty, batch.count == Self.batchFrames || bytes + needed > Self.batchBytes {
        found += try detect(batch)
        batch = []
        bytes = 0
      }
      batch.append((searched, pyramid))
      bytes += needed
    }
    if !batch.isEmpty { found += try detect(batch) }
    return zip(frames, found).map { frame, faces in
      let factor = scale.factor(width: frame.width, height: frame.height)
      let searched = size(frame, by: factor)
      let faces = faces.map {
        $0.scaled(
          x: Float(frame.width) / Float(searched.width),
          y: Float(frame.height) / Float(searched.height))
      }
      return options.maximumFaces.map { Array(faces.prefix($0)) } ?? faces
    }
  }

  /// The faces of one batch, in pixels of the scaled frames.
  private func detect(_ batch: [(frame: Image, pyramid: ImagePyramid)]) throws -> [[Face]] {
    let frames = batch.map(\.frame)
    let proposed = try proposals(frames, batch.map(\.pyramid))
    let suppression = CandidateSuppression(threshold: Self.overlap)
    let refined = try refinement(proposed, in: frames).map { candidates in
      suppression(candidates).map { $0.box.moved(by: $0.offsets, extra: 1).squared() }
    }
    let last = CandidateSuppression(threshold: Self.overlap, measure: .smaller)
    return try output(refined, in: frames).map { candidates in
      let moved = candidates.map { candidate in
        var candidate = candidate
        candidate.box = candidate.box.moved(by: candidate.offsets, extra: 1)
        return candidate
      }
      return last(moved).map { Face(box: $0.box, score: $0.score, landmarks: $0.landmarks) }
        .filter(\.isFinite)
    }
  }

  /// The size of the scaled frame.
  private func size(_ frame: Image, by factor: Float) -> (width: Int, height: Int) {
    let scale = Double(factor)
    func extent(_ pixels: Int) -> Int {
      let scaled = (Double(pixels) * scale).rounded()
      return Int(min(max(1, scaled), Double(1 << 30)))
    }
    return (extent(frame.width), extent(frame.height))
  }

  private func scaled(_ frame: Image, by factor: Float) throws(FaceDetectError) -> Image {
    let (width, height) = size(frame, by: factor)
    try check(width, height, scale: 1, limit: Self.framePixels)
    return frame.resized(width: width, height: height, method: .area)
  }

  private func pyramid(
    for frame: Image, scale: Float
  ) throws(FaceDetectError) -> ImagePyramid {
    let size = options.minimumFaceSize.map { $0.asWritten * scale.asWritten }
    let smallest = size ?? Double(Options.publishedFaceSize)
    try check(
      frame.width, frame.height, scale: Double(PNet.window) / smallest, limit: Self.levelPixels)
    return ImagePyramid(
      width: frame.width, height: frame.height, minimumFaceSize: smallest,
      factor: options.factor.asWritten)
  }

  /// Throws if the frame, scaled by `scale`, has more than `limit` pixels.
  private func check(
    _ width: Int, _ height: Int, scale: Double, limit: Int
  ) throws(FaceDetectError) {
    guard Double(width) * scale * Double(height) * scale <= Double(limit) else {
      let pixels = Double(limit) / (scale * scale)
      throw .frameTooLarge(width: width, height: height, pixelLimit: Int(min(pixels, 1e15)))
    }
  }
}

extension Float {
  /// The decimal number as written. Float's 0.709 is not Double's 0.709, and the level sizes are
  /// computed with the latter.
  fileprivate var asWritten: Double { Double(description) ?? Double(self) }
}

/// MTCNN; its three networks come from one file or one folder.
struct MTCNNFamily: DetectorFamily {
  let name = "mtcnn"
  let title = "MTCNN"
  let storeEntries = ["mtcnn"]

  func recognised(_ weights: StateDict) -> DetectorWeights? {
    let part = MTCNNPart.alone(in: weights)
    guard part != nil || MTCNNPart.areSeveral(in: weights) else { return nil }
    return DetectorWeights(
      detector: name, architecture: part.map { "mtcnn-\($0.rawValue)" } ?? "mtcnn",
      scheme: "facenet-pytorch", norm: nil)
  }

  /// A single network of MTCNN is returned unchanged. Weights with two or more networks must be
  /// those of a complete MTCNN.
  func converted(_ weights: StateDict) throws(WeightsError) -> StateDict {
    if MTCNNPart.areSeveral(in: weights) { _ = try MTCNN(weights: weights) }
    return weights
  }

  func readFolder(_ folder: URL) throws(WeightsError) -> StateDict? {
    try MTCNN.readWeights(folder)
  }

  func makeDetector(
    _ weights: StateDict, _ settings: DetectorSettings
  ) throws(WeightsError) -> any FaceDetector {
    var options = MTCNN.Options()
    options.thresholds = settings.thresholds ?? options.thresholds
    options.factor = settings.factor ?? options.factor
    options.frameScale = settings.frameScale
    // 0 means "any size" for other detectors; MTCNN then uses the published minimum.
    options.minimumFaceSize = settings.minimumFaceSize.flatMap { $0 > 0 ? $0 : nil }
    return try MTCNN(weights: weights, options: options)
  }
}
