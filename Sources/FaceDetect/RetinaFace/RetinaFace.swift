import DeepfakeCore

/// The RetinaFace detector: one pass over the whole frame finds faces of 10 pixels and more, with
/// five landmarks each.
///
/// Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild" (2019); weights and
/// numbers as biubug6's PyTorch version publishes them.
///
/// ```swift
/// var options = RetinaFace.Options()
/// options.threshold = 0.8
/// let detector = try RetinaFace(weights: StateDict.read(file), options: options)
/// let faces = try detector.detect([photo])[0]
/// ```
public struct RetinaFace: FaceDetector {
  /// What counts as a face, and on which picture it is looked for.
  public struct Options: Sendable, Equatable {
    /// Faces must be surer than this, in 0..<1.
    public var threshold: Float = 0.5
    /// Of two faces with a larger intersection over union than this, in 0...1, the surer one stays.
    public var overlapThreshold: Float = 0.4
    /// The shorter side that a face's box must have at least, in pixels of the frame as given.
    public var minimumFaceSize: Float = 0
    /// The frame is shrunk (or enlarged) by this factor before detection, which is faster; results
    /// are in pixels of the frame as given.
    public var frameScale: FrameScale = 1
    /// Faces given of each frame, the surest first; nil for all.
    public var maximumFaces: Int?

    /// The published settings on the frame as it is.
    public init() {}
  }

  /// What the network expects: blue, green and red as bytes less 104, 117 and 123.
  package static let normalization = PixelNormalization(
    mean: [123.0 / 255, 117.0 / 255, 104.0 / 255], std: [1.0 / 255, 1.0 / 255, 1.0 / 255],
    channelOrder: .bgr)

  /// Bytes of activations that one frame may take.
  private static let frameBytes = 4 << 30

  /// The network under the feature pyramid.
  package let backbone: RetinaFaceBackbone
  /// The detector's settings.
  public let options: Options
  private let network: PackedRetinaFace

  /// The detector of a published checkpoint or of an ONNX model, whose backbone is recognised from
  /// its keys or its graph.
  ///
  /// Throws `WeightsError`: the file's keys or graph are not RetinaFace's, or not all of them.
  public init(weights: StateDict, options: Options = Options()) throws(WeightsError) {
    let weights = try weights.renamedFromRetinaFaceGraph()
    guard let backbone = RetinaFaceBackbone(recognizing: weights) else {
      if let other = DetectorWeights(recognizing: weights) {
        throw .unreadable(
          file: weights.file,
          reason: "it is \(other.text), not a RetinaFace detector; name the detector"
            + " \(other.detector)")
      }
      throw .unreadable(
        file: weights.file,
        reason:
          "its tensors are not those of a RetinaFace detector with a mobilenet0.25 or ResNet-50"
          + " backbone; the first is \(weights.keys.first ?? "missing")")
    }
    let store = ParameterStore()
    let network = PlainRetinaFace(backbone, store.root)
    try PlainRetinaFace.load(weights, into: store)
    self.init(backbone, network.packed(), options)
  }

  /// A detector with random weights, which finds nothing of use: for measuring speed and for
  /// training.
  package init(backbone: RetinaFaceBackbone, seed: UInt64, options: Options = Options()) {
    let store = ParameterStore()
    let network = PlainRetinaFace(backbone, store.root)
    network.initialize(store, seed: seed)
    self.init(backbone, network.packed(), options)
  }

  private init(
    _ backbone: RetinaFaceBackbone, _ network: PackedRetinaFace, _ options: Options
  ) {
    precondition(
      (0..<1).contains(options.threshold) && (0...1).contains(options.overlapThreshold)
        && options.frameScale.isUsable
        && options.minimumFaceSize >= 0 && options.maximumFaces ?? 0 >= 0,
      "RetinaFace: \(options) is out of range")
    self.backbone = backbone
    self.network = network
    self.options = options
  }

  /// The network's outputs for frames [batch, height, width, 3] as `normalization` makes them.
  package func outputs(_ frames: Tensor) -> RetinaFaceOutput {
    network(frames)
  }

  /// The faces of each frame, surest first. Throws `FaceDetectError.frameTooLarge` where the scaled
  /// frame would take more than 4 GiB of memory, `.scoresNotNumbers` where the weights are damaged.
  public func detect(_ frames: [Image]) throws -> [[Face]] {
    try detect(frames, scale: options.frameScale)
  }

  /// How frames are scaled before they are searched.
  public var frameScale: FrameScale { options.frameScale }

  /// The same with another scale of frames.
  public func detect(_ frames: [Image], scale: FrameScale) throws -> [[Face]] {
    precondition(scale.isUsable, "RetinaFace: frames cannot be scaled by \(scale)")
    let sizes = try frames.map { try workingSize($0, scale) }
    var found = [[Face]](repeating: [], count: frames.count)
    for batch in FrameBatch.batches(of: sizes, bytesPerPixel: backbone.bytesPerPixel) {
      let results = try detectBatch(batch.frames.map { frames[$0] }, size: batch.size)
      for (index, faces) in zip(batch.frames, results) { found[index] = faces }
    }
    return found
  }

  private func detectBatch(_ frames: [Image], size: FrameSize) throws -> [[Face]] {
    let scaled = frames.map { frame in
      frame.width == size.width && frame.height == size.height
        ? frame : frame.resized(width: size.width, height: size.height, method: .area)
    }
    let output = network(scaled)
    let decoder = FaceDecoder(
      threshold: options.threshold,
      suppression: NonMaximumSuppression(
        threshold: options.overlapThreshold, extent: .inclusive))
    return try frames.enumerated().map { index, frame in
      let factorX = Float(frame.width) / Float(size.width)
      let factorY = Float(frame.height) / Float(size.height)
      let faces = try decoder.faces(in: output, frame: index)
        .map { $0.scaled(x: factorX, y: factorY) }
        .filter { min($0.box.width, $0.box.height) >= options.minimumFaceSize }
      return options.maximumFaces.map { Array(faces.prefix($0)) } ?? faces
    }
  }

  /// The size at which a frame is worked on.
  private func workingSize(
    _ frame: Image, _ scale: FrameScale
  ) throws(FaceDetectError) -> FrameSize {
    let scale = Double(scale.factor(width: frame.width, height: frame.height))
    let width = max(1, (Double(frame.width) * scale).rounded())
    let height = max(1, (Double(frame.height) * scale).rounded())
    let pixelLimit = Self.frameBytes / backbone.bytesPerPixel
    // Compared before the conversion to integers, which a huge product would not fit.
    guard width * height <= Double(pixelLimit) else {
      throw .frameTooLarge(
        width: Int(min(width, 1e9)), height: Int(min(height, 1e9)), pixelLimit: pixelLimit)
    }
    return FrameSize(width: Int(width), height: Int(height))
  }
}

/// RetinaFace with either backbone.
struct RetinaFaceFamily: DetectorFamily {
  let name = "retinaface"
  let title = "RetinaFace"
  let storeEntries = [
    "retinaface-mobilenet0.25", "retinaface-mobilenet0.25-biubug6", "retinaface-resnet50",
  ]

  func recognised(_ weights: StateDict) -> DetectorWeights? {
    RetinaFaceBackbone(recognizing: weights).map { backbone in
      DetectorWeights(
        detector: name, architecture: "retinaface-\(backbone.rawValue)", scheme: "retinaface",
        norm: .batch)
    }
  }

  /// An ONNX model's tensors get the published keys.
  func converted(_ weights: StateDict) throws(WeightsError) -> StateDict {
    try weights.renamedFromRetinaFaceGraph()
  }

  func makeDetector(
    _ weights: StateDict, _ settings: DetectorSettings
  ) throws(WeightsError) -> any FaceDetector {
    var options = RetinaFace.Options()
    options.threshold = settings.threshold ?? options.threshold
    options.overlapThreshold = settings.overlapThreshold ?? options.overlapThreshold
    options.minimumFaceSize = settings.minimumFaceSize ?? options.minimumFaceSize
    options.frameScale = settings.frameScale
    return try RetinaFace(weights: weights, options: options)
  }
}
