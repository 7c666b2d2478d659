import DeepfakeCore

/// The RetinaFace detector: one pass over the whole frame finds faces of 10 pixels and more, with
/// five landmarks each.
///
/// Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild" (2019), with the
/// weights and constants of biubug6's PyTorch version.
///
/// ```swift
/// var options = RetinaFace.Options()
/// options.threshold = 0.8
/// let detector = try RetinaFace(weights: StateDict.read(file), options: options)
/// let faces = try detector.detect([photo])[0]
/// ```
public struct RetinaFace: FaceDetector {
  /// The detector's thresholds, and the scale of the frames.
  public struct Options: Sendable, Equatable {
    /// A face is kept if its score is above this, 0..<1.
    public var threshold: Float = 0.5
    /// Of two faces with an IoU above this, 0...1, the one with the lower score is dropped.
    public var overlapThreshold: Float = 0.4
    /// The minimum of the box's shorter side, in pixels of the original frame.
    public var minimumFaceSize: Float = 0
    /// The factor by which frames are scaled before detection; less is faster. Results are in
    /// pixels of the original frame.
    public var frameScale: FrameScale = 1
    /// The maximum number of faces per frame, those with the highest scores; nil: all.
    public var maximumFaces: Int?

    /// Creates the published settings, with unscaled frames.
    public init() {}
  }

  /// The network's input: blue, green and red as bytes minus 104, 117 and 123.
  package static let normalization = PixelNormalization(
    mean: [123.0 / 255, 117.0 / 255, 104.0 / 255], std: [1.0 / 255, 1.0 / 255, 1.0 / 255],
    channelOrder: .bgr)

  /// The limit on one frame's activations in bytes.
  private static let frameBytes = 4 << 30

  /// The network's backbone.
  package let backbone: RetinaFaceBackbone
  /// The detector's settings.
  public let options: Options
  private let network: PackedRetinaFace

  /// Creates the detector from a published checkpoint or an ONNX model. The keys or the graph show
  /// which backbone it has.
  ///
  /// Throws `WeightsError` if the keys or the graph are not RetinaFace's, or are incomplete.
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
          "its tensors do not match a RetinaFace detector with a mobilenet0.25 or ResNet-50"
          + " backbone; the first is \(weights.keys.first ?? "missing")")
    }
    let store = ParameterStore()
    let network = PlainRetinaFace(backbone, store.root)
    try PlainRetinaFace.load(weights, into: store)
    self.init(backbone, network.packed(), options)
  }

  /// Creates a detector with random weights, for measuring speed and for training; its faces are
  /// meaningless.
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

  /// The network's outputs for frames, [batch, height, width, 3], normalised by `normalization`.
  package func outputs(_ frames: Tensor) -> RetinaFaceOutput {
    network(frames)
  }

  /// Detects the faces of each frame, by falling score. Throws `FaceDetectError.frameTooLarge` if
  /// the scaled frame would need more than 4 GiB of memory, and `.scoresNotNumbers` if the weights
  /// are damaged.
  public func detect(_ frames: [Image]) throws -> [[Face]] {
    try detect(frames, scale: options.frameScale)
  }

  /// The factor by which frames are scaled before detection.
  public var frameScale: FrameScale { options.frameScale }

  /// Detects the faces of each frame with another frame scale.
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

  /// The size of the scaled frame.
  private func workingSize(
    _ frame: Image, _ scale: FrameScale
  ) throws(FaceDetectError) -> FrameSize {
    let scale = Double(scale.factor(width: frame.width, height: frame.height))
    let width = max(1, (Double(frame.width) * scale).rounded())
    let height = max(1, (Double(frame.height) * scale).rounded())
    let pixelLimit = Self.frameBytes / backbone.bytesPerPixel
    // Compared before the conversion to integers, because a huge product would overflow.
    guard width * height <= Double(pixelLimit) else {
      throw .frameTooLarge(
        width: Int(min(width, 1e9)), height: Int(min(height, 1e9)), pixelLimit: pixelLimit)
    }
    return FrameSize(width: Int(width), height: Int(height))
  }
}

/// RetinaFace with any of its backbones.
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

  /// The tensors of an ONNX model get the published keys.
  func converted(_ weights: StateDict) throws(WeightsError) -> StateDict {
    try weights.renamedFromRetinaFaceGraph()
  }

  func part(ofLayer key: String) -> String? {
    switch key.prefix(while: { $0 != "." }) {
    case "body": "backbone"
    case "fpn": "pyramid"
    case "ClassHead", "BboxHead", "LandmarkHead": "head"
    case let first: first.hasPrefix("ssh") ? "context" : nil
    }
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
