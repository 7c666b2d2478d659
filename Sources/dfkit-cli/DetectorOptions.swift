import ArgumentParser
import DFKit
import Foundation

/// The options of face detection, for all commands that search for faces.
struct DetectorOptions: ParsableArguments {
  @Option(
    help: """
      The face detector. If not given: the one that --detector-weights belongs to, else the \
      recipe's, else retinaface. If the recipe's detector has not been fetched, one that ships \
      with dfkit is used.
      """)
  var detector: Recipe.Detector.Kind?

  @Option(
    help: """
      The detector's weights: a RetinaFace checkpoint or ONNX model; a folder with MTCNN's \
      pnet.pt, rnet.pt and onet.pt; or a safetensors file of either. If not given: those that the \
      recipe names, else those stored by 'dfkit weights fetch' (Docs/Weights.md has their order), \
      else those that ship with dfkit.
      """,
    completion: .file())
  var detectorWeights: String?

  @Option(
    help: """
      The factor by which a frame is scaled before detection, 0.05 to 4; or auto: half the size, \
      but with a longer side of 640 to 960 pixels, and a second search at full size if no face is \
      found. If not given: 1 (predict: the recipe's; extract: auto).
      """)
  var frameScale: FrameScale?

  @Option(
    help: """
      The minimum score of a face, 0.02 to 0.999. If not given: 0.5 for RetinaFace, 0.7 for the \
      last network of MTCNN (predict: the recipe's).
      """)
  var threshold: Float?

  @Option(
    help: .setting("detector.nms", "RetinaFace only; 0.4 if not given (predict: the recipe's)"))
  var nms: Float?

  @Option(
    help: """
      MTCNN only: the minimum scores of its three networks, 0 to 1. If not given: 0.6,0.7,0.7 \
      (predict: the recipe's).
      """)
  var thresholds: ThreeScores?

  @Option(
    help: .setting("detector.factor", "MTCNN only; 0.709 if not given (predict: the recipe's)"))
  var factor: Float?

  @Option(
    help: .setting(
      "detector.minFace",
      """
      if not given, 0 for RetinaFace, 20 pixels of the scaled frame for MTCNN (predict: the \
      recipe's)
      """))
  var minFace: Float?

  /// Whether any of these options is given.
  var isGiven: Bool {
    detector != nil || detectorWeights != nil || frameScale != nil || threshold != nil
      || nms != nil || thresholds != nil || factor != nil || minFace != nil
  }

  func validate() throws {
    if threshold != nil && thresholds != nil {
      throw ValidationError(
        "--threshold is the same setting as the last value of --thresholds; give one of them.")
    }
    var settings = Recipe.Detector()
    let scores = [SettingChange("--threshold", "threshold", threshold)].compactMap { $0 }
    try settings.apply(scores, in: "detector")
    // Without --detector, the recipe or the weights determine the kind of detector.
    settings.kind = detector ?? (thresholds != nil || factor != nil ? .mtcnn : .retinaface)
    try settings.apply(changes(of: settings), in: "detector")
  }

  /// The given options as changes of a recipe's detector settings. For MTCNN, `--threshold` is the
  /// last of the three thresholds.
  private func changes(of settings: Recipe.Detector) -> [SettingChange] {
    var score = SettingChange("--threshold", "threshold", threshold)
    if let threshold, case .mtcnn(let scores, _) = settings.method {
      score = SettingChange("--threshold", "thresholds", scores.dropLast() + [threshold])
    }
    return [
      SettingChange("--frame-scale", "frameScale", frameScale), score,
      SettingChange("--nms", "nms", nms),
      SettingChange("--thresholds", "thresholds", thresholds?.values),
      SettingChange("--factor", "factor", factor),
      SettingChange("--min-face", "minFace", minFace),
    ].compactMap { $0 }
  }

  /// Chooses the detector by the settings of a recipe or a command, changed by the given options
  /// (see `Recipe.Detector.choice`). Reports the choice on standard error, unless the detector was
  /// named. An error ends the command.
  ///
  /// - Parameters:
  ///   - quiet: Whether the choice is not reported, because the output contains it. A replaced
  ///     detector is always reported.
  ///   - allowsOther: Whether a detector that ships with dfkit may replace a recipe's detector
  ///     whose weights have not been fetched. It never does if an option of face detection is
  ///     given.
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
    if let detector, detector != settings.kind {
      settings.kind = detector
      settings.weights = nil
    }
    try settings.apply(changes(of: settings), in: "detector")
    do {
      let choice = try settings.choice(
        given: given, in: try? WeightsStore(), allowsOther: allowsOther && !isGiven)
      if let remark = choice.remark, !quiet || choice.replaced != nil { Output.note(remark) }
      return choice
    } catch {
      Output.note(error.description)
      throw ExitCode.validationFailure
    }
  }
}
