import DeepfakeCore

/// The MTCNN detector: three small networks, each stricter than the one before. P-Net proposes
/// faces on an image pyramid, R-Net and O-Net look at the proposals' crops; five landmarks come
/// with each face.
///
/// Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
/// Networks" (2016); weights and numbers as facenet-pytorch 2.6 publishes them. A frame's faces do
/// not depend on the frames beside it.
///
/// ```swift
/// var options = MTCNN.Options()
/// options.minimumFaceSize = 40
/// let detector = try MTCNN(weights: MTCNN.readWeights(folder), options: options)
/// let faces = try detector.detect([photo])[0]
/// ```
public struct MTCNN: FaceDetector {
  /// What counts as a face, and on which picture it is looked for.
  public struct Options: Sendable, Equatable {
    /// What P-, R- and O-Net's scores must be, each in 0...1.
    public var thresholds: [Float] = [0.6, 0.7, 0.7]
    /// The size of each level of the pyramid, as a part of the one before; 0.1...0.98.
    public var factor: Float = 0.709
    /// The smallest faces looked for, in pixels of the frame as given; above 0. Nil stands for the
    /// published 20 pixels of the frame as searched, which `frameScale` may have shrunk. The
    /// smaller, the slower.
    public var minimumFaceSize: Float?
    /// The frame is shrunk (or enlarged) by this factor before detection; results are in pixels of
    /// the frame as given.
    public var frameScale: FrameScale = 1
    /// Faces given of each frame, the surest first; nil for all.
    public var maximumFaces: Int?

    /// The published settings on the frame as it is.
    public init() {}

    /// The published smallest face, in pixels of the frame as searched.
    public static let publishedFaceSize: Float = 20
    /// The factors that `factor` may be.
    public static let factors: ClosedRange<Float> = 0.1...0.98
  }

  /// The detector's settings.
  public let options: Options
  private let proposals: ProposalStage
  private let refinement: CropStage
  private let output: CropStage

  /// Overlap from which the lesser candidate is dropped after R-Net and, measured against the
  /// smaller box, after O-Net.
  private static let overlap: Float = 0.7
  /// Pixels of a frame, and of its pyramid's first level, that the detector takes.
  private static let framePixels = 1 << 28
  private static let levelPixels = 1 << 27
  /// Bytes of P-Net's outputs and the number of frames that are worked on together.
  private static let batchBytes = 32 << 20
  private static let batchFrames = 32

  /// The detector of published weights, whose keys are `pnet.*`, `rnet.*` and `onet.*` (see
  /// `readWeights`).
  ///
  /// Throws `WeightsError`: what is missing, unused or misshapen, or which other network the file
  /// is for.
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

  /// The faces of each frame, surest first. Throws `FaceDetectError.frameTooLarge` where the frame
  /// or its enlarged first level has too many pixels, `.scoresNotNumbers` where the weights are
  /// damaged.
  public func detect(_ frames: [Image]) throws -> [[Face]] {
    try detect(frames, scale: options.frameScale)
  }

  /// How frames are scaled before they are searched.
  public var frameScale: FrameScale { options.frameScale }

  /// The same with another scale of frames.
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

  /// The faces of frames that are worked on together, in pixels of the frames as searched.
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

  /// The size at which a frame is searched.
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

  /// Throws where a frame that is enlarged by `scale` has more than `limit` pixels.
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
  /// The number that was written: 0.709 as Float is not 0.709 as Double, and sizes of levels are
  /// computed with the latter.
  fileprivate var asWritten: Double { Double(description) ?? Double(self) }
}

/// MTCNN, whose three networks are one file's or one folder's.
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

  /// A part of MTCNN by itself is converted as it is. Half an MTCNN would be of no use under a
  /// whole one's name.
  func converted(_ weights: StateDict) throws(WeightsError) -> StateDict {
    if MTCNNPart.areSeveral(in: weights) { _ = try MTCNN(weights: weights) }
    return weights
  }

  func makeDetector(
    _ weights: StateDict, _ settings: DetectorSettings
  ) throws(WeightsError) -> any FaceDetector {
    var options = MTCNN.Options()
    options.thresholds = settings.thresholds ?? options.thresholds
    options.factor = settings.factor ?? options.factor
    options.frameScale = settings.frameScale
    // A 0, written for a detector that looks for faces of any size, means no limit of one's own.
    options.minimumFaceSize = settings.minimumFaceSize.flatMap { $0 > 0 ? $0 : nil }
    return try MTCNN(weights: weights, options: options)
  }
}
