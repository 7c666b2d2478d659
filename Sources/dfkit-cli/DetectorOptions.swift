import ArgumentParser
import DFKit
import Foundation

/// The options of face detection, for `detect` and `predict`.
struct DetectorOptions: ParsableArguments {
  @Option(
    help: """
      The face detector. If not given: that of the weights given, or the recipe's, or retinaface; one that \
      ships, where a recipe's has not been fetched.
      """)
  var detector: Recipe.Detector.Kind?

  @Option(
    help: """
      The detector's weights: a RetinaFace checkpoint or ONNX model, a folder of MTCNN's pnet.pt, rnet.pt \
      and onet.pt, or a safetensors file of either. If not given, those that the recipe names, that \
      'dfkit weights fetch' has stored (of RetinaFace mobilenet0.25, else ResNet-50), or that ship with dfkit.
      """,
    completion: .file())
  var detectorWeights: String?

  @Option(
    help: """
      The factor by which a frame is scaled before detection, 0.05 to 4; or auto: half, but with a \
      longer side of 640 to 960 pixels, and a second look at full size where no face is found. 1 if not given \
      (predict: the recipe's; extract: auto).
      """)
  var frameScale: FrameScale?

  @Option(
    help: """
      The lowest score of a face, 0.02 to 0.999: RetinaFace's, 0.5, or that of MTCNN's last network, \
      0.7 (predict: the recipe's).
      """)
  var threshold: Float?

  @Option(
    help: """
      RetinaFace: the overlap (IoU) from which the lesser of two boxes is dropped, 0 to 1; 0.4 (predict: \
      the recipe's).
      """)
  var nms: Float?

  @Option(
    help: """
      MTCNN: the lowest scores of its three networks, 0 to 1, as in 0.6,0.7,0.7, which is the default \
      (predict: the recipe's).
      """)
  var thresholds: ThreeScores?

  @Option(
    help: """
      MTCNN: the size of a level of its image pyramid, as a part of the one before, 0.1 to 0.98; 0.709 \
      (predict: the recipe's).
      """)
  var factor: Float?

  @Option(
    help: """
      The smallest side of a face in pixels of the frame; RetinaFace: 0, MTCNN: 20 pixels of the scaled \
      frame (predict: the recipe's).
      """)
  var minFace: Float?

  /// Whether anything was given.
  var isGiven: Bool {
    detector != nil || detectorWeights != nil || frameScale != nil || threshold != nil
      || nms != nil || thresholds != nil || factor != nil || minFace != nil
  }

  func validate() throws {
    if let frameScale, !frameScale.isAllowed {
      let range = FrameScale.factors
      throw ValidationError(
        "--frame-scale must be \(range.lowerBound) to \(range.upperBound), or auto.")
    }
    try check(threshold, "--threshold", in: 0.02...0.999)
    try check(nms, "--nms", in: 0...1)
    try check(factor, "--factor", in: MTCNN.Options.factors)
    try check(minFace, "--min-face", in: 0...10_000)
    if threshold != nil && thresholds != nil {
      throw ValidationError("--threshold is the last of --thresholds; give one of them.")
    }
  }

  /// The settings with what was given changed.
  ///
  /// Throws where an option does not apply to the detector, which the recipe may have named.
  private func applied(to settings: Recipe.Detector) throws -> Recipe.Detector {
    var settings = settings
    if let detector, detector != settings.kind {
      settings.kind = detector
      settings.weights = nil
    }
    settings.frameScale = frameScale ?? settings.frameScale
    settings.minFace = minFace ?? settings.minFace
    let kind = settings.kind
    let foreign =
      kind == .mtcnn
      ? ["--nms": nms != nil] : ["--thresholds": thresholds != nil, "--factor": factor != nil]
    if let name = foreign.filter(\.value).keys.min() {
      throw ValidationError("\(name) does not apply to the detector \(kind.rawValue).")
    }
    try check(minFace, "--min-face", in: kind.minFaceRange)
    switch kind {
    case .retinaface:
      settings.threshold = threshold ?? settings.threshold
      settings.nms = nms ?? settings.nms
    case .mtcnn:
      settings.thresholds = thresholds?.values ?? settings.thresholds
      if let threshold { settings.thresholds[2] = threshold }
      settings.factor = factor ?? settings.factor
    }
    return settings
  }

  /// The detector that settings, a recipe's or a command's own, come to with what was given changed
  /// (`Recipe.Detector.choice` is the rule). Says which one it is, unless it was named.
  ///
  /// - Parameters:
  ///   - quiet: whether nothing is said, because the output has it.
  ///   - allowsOther: whether one that ships may take the place of a recipe's, where no options ask
  ///     for it.
  func choice(
    for settings: Recipe.Detector, quiet: Bool, allowsOther: Bool = false
  ) throws -> DetectorChoice {
    var settings = settings
    let given = detectorWeights.map { WeightsSource(argument: $0) }
    if let given { Output.remark(on: given) }
    if detector == nil, let given,
      let kind = Recipe.Detector.Kind(recognizing: try given.read()), kind != settings.kind
    {
      settings.kind = kind
      settings.weights = nil
    }
    settings = try applied(to: settings)
    do {
      let choice = try settings.choice(
        given: given, in: try? WeightsStore(), allowsOther: allowsOther && !isGiven)
      if let remark = choice.remark, !quiet || choice.replaced != nil { Output.complain(remark) }
      return choice
    } catch {
      Output.complain(error.description)
      throw ExitCode.validationFailure
    }
  }

  private func check(_ value: Float?, _ name: String, in range: ClosedRange<Float>) throws {
    if let value, !range.contains(value) {
      throw ValidationError("\(name) must be \(range.lowerBound) to \(range.upperBound).")
    }
  }
}
