import ArgumentParser
import DFKit
import Foundation

/// The options of face detection, for `detect` and `predict`.
struct DetectorOptions: ParsableArguments {
  @Option(
    help: """
      The face detector. If not given: the recipe's, or one that ships where the weights of that have \
      not been fetched (predict); that of the weights given, or the first of these whose weights \
      have been fetched or ship (detect, bench).
      """)
  var detector: Recipe.Detector.Kind?

  @Option(
    help: """
      The detector's weights: a published RetinaFace checkpoint, a folder of MTCNN's pnet.pt, rnet.pt \
      and onet.pt, or a safetensors file of either. If not given, those that the recipe names, that \
      'dfkit weights fetch' has stored, or that ship with dfkit.
      """,
    completion: .file())
  var detectorWeights: String?

  @Option(
    help: """
      The factor by which a frame is scaled before detection, 0.05 to 4; 1 if not given (predict: the \
      recipe's).
      """)
  var frameScale: Float?

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
    try check(frameScale, "--frame-scale", in: 0.05...4)
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
  func applied(to settings: Recipe.Detector) throws -> Recipe.Detector {
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

  /// A recipe's detector with what was given changed. Where nothing was given and its weights are not here,
  /// one that ships takes its place, which is said.
  func settled(_ recipe: Recipe.Detector) throws -> Recipe.Detector {
    guard !isGiven else { return try applied(to: recipe) }
    let found = recipe.atHand(in: try? WeightsStore())
    if found.kind != recipe.kind {
      let entry = recipe.kind.storeEntries[0]
      Output.complain(
        "the weights of \(recipe.kind.rawValue) have not been fetched ('dfkit weights fetch \(entry)'); the"
          + " face detector that ships is used instead")
    }
    return found
  }

  /// The detector where neither options nor a recipe name one: that of the weights given, or that whose
  /// weights are in the user's store.
  func kindAtHand(otherwise kind: Recipe.Detector.Kind) throws -> Recipe.Detector.Kind {
    guard detector == nil else { return kind }
    guard let detectorWeights else { return (try? WeightsStore())?.detector ?? kind }
    let state = try WeightsSource(argument: detectorWeights).read()
    switch DetectorWeights(recognizing: state) {
    case .retinaface: return .retinaface
    case .mtcnn, .mtcnnPart: return .mtcnn
    case nil: return kind
    }
  }

  /// Where the weights come from: as given, as the recipe says, the user's store, or what ships.
  func weights(of settings: Recipe.Detector) throws -> WeightsSource {
    if let detectorWeights { return WeightsSource(argument: detectorWeights) }
    do {
      // What ships needs no store.
      if let name = settings.weights, let shipped = ShippedWeights.named(name) {
        return .shipped(shipped)
      }
      return try settings.weights(given: nil, in: try WeightsStore())
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
