import Classifiers
import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

/// Measures which faces are familiar to a network, that is, similar to its training data, and
/// writes the limits into its weights: the work of `dfkit familiarity`.
///
/// The class means and covariance of the network's features are computed from the training part of
/// the data, the limits from the validation part (`TraitValues.init(heldOut:)`). Damaged copies of
/// the validation part then show what the limits detect.
package struct FamiliarityJob: Sendable {
  /// The network's weights.
  package var weights: WeightsSource
  /// Options that override those in the weights file.
  package var network = ClassifierOptions()
  /// Folders with a `manifest.csv`, or CSV files.
  package var data: [URL]
  /// How crops are shown to the network. With the shape `framed`, crops with landmarks are cut as
  /// `predict` cuts them. With other shapes, or if nil, crops are shown unchanged.
  package var crop: Recipe.Crop?
  /// The number of directions of the features that are kept, 1 to 1024.
  package var dimensions = 64
  /// The fraction of held-out faces that the limits may refuse, with all sources weighing the same.
  /// For a single source, twice this fraction is allowed.
  package var refused = 0.025
  /// The largest number of faces used from each source, in each part of the data.
  package var perSource = 1500
  /// The largest number of held-out faces of each source that are damaged for the test.
  package var damagedPerSource = 100

  package init(weights: WeightsSource, data: [URL]) {
    self.weights = weights
    self.data = data
  }

  /// Runs the network on the faces, fits the limits and tests them.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the network cannot be used, `DatasetError`
  ///   if the data cannot, `FamiliarityError` if nothing can be fitted, and `CancellationError` in
  ///   a cancelled task.
  package func run(progress: (JobProgress) -> Void = { _ in }) throws -> FamiliarityReport {
    let state = try weights.read()
    let model = try ClassifierModel(state, network)
    let (manifest, training, heldOut) = try parts()
    if model.input.difference != nil { try training.requireLater(for: weights.name) }
    let damaged = chosen(heldOut, perSource: damagedPerSource)
    let margin = try crop?.margin ?? ModelMetadata(state).cropMargin ?? Recipe.Crop().margin
    var look = FaceLook(
      model: model, crop: crop, margin: margin,
      total: training.count + heldOut.count + damaged.count * CropDamage.allCases.count)

    var learned: [[Float]] = []
    try look.each(training, "learning", progress) { learned.append($0.features) }
    var familiarity = try Familiarity.fitted(
      to: learned, isFake: training.samples.map { $0.label == .fake }, dimensions: dimensions)
    learned = []

    var faces: [FamiliarityReport.Face] = []
    try look.each(heldOut, "held out", progress) { faces.append(.init($0, familiarity)) }
    familiarity.limits = TraitValues(
      heldOut: faces.map { MeasuredFace(source: $0.source, measures: $0.measures) },
      refused: refused)

    var plain: [FamiliarityReport.Face] = []
    let places = Dictionary(
      zip(heldOut.samples.map(\.file), faces), uniquingKeysWith: { first, _ in first })
    for sample in damaged.samples { places[sample.file].map { plain.append($0) } }
    var copies: [(CropDamage, [FamiliarityReport.Face])] = []
    for damage in CropDamage.allCases {
      var found: [FamiliarityReport.Face] = []
      try look.each(damaged, damage.words, after: damage, progress) {
        found.append(.init($0, familiarity))
      }
      copies.append((damage, found))
    }
    familiarity.notes = [
      "faces": "\(training.count)", "heldOut": "\(heldOut.count)", "refused": "\(refused)",
      "sources": Set(faces.map(\.source)).sorted().joined(separator: ", "),
      "crop": crop?.shape == .framed ? "framed \(margin)" : "as cut",
    ]
    if !manifest.digest.isEmpty { familiarity.notes["manifestSHA256"] = manifest.digest }
    return FamiliarityReport(
      weights: weights.name, settings: model.settings, familiarity: familiarity,
      learnedFrom: (training.count(.real), training.count(.fake)), faces: faces, plain: plain,
      copies: copies)
  }

  /// All samples, the training part and the held-out part. Each part has at most `perSource`
  /// samples of each source.
  private func parts() throws(DatasetError) -> (
    all: FaceManifest, training: FaceManifest, heldOut: FaceManifest
  ) {
    var manifests: [FaceManifest] = []
    for url in data { manifests.append(try FaceManifest.read(url)) }
    let manifest = try FaceManifest.joined(manifests).withKnownLabels
    var (training, heldOut): (FaceManifest, FaceManifest)
    if manifest.hasSplit {
      let parts = try manifest.parts()
      training = manifest.subset(parts.indices.filter { parts[$0] == .training })
      heldOut = manifest.subset(parts.indices.filter { parts[$0] == .validation })
    } else {
      let split = try HoldOut().split(manifest)
      (training, heldOut) = (split.training, split.heldOut)
    }
    guard !training.isEmpty, !heldOut.isEmpty else {
      throw .impossible(
        problem: "the data needs training faces and held-out faces; the column 'split' has"
          + " \(training.count) 'train' and \(heldOut.count) 'validation'")
    }
    training = chosen(training, perSource: perSource)
    heldOut = chosen(heldOut, perSource: perSource)
    return (manifest, training, heldOut)
  }

  /// At most `perSource` samples of each source, drawn with a fixed random seed.
  private func chosen(_ manifest: FaceManifest, perSource: Int) -> FaceManifest {
    var generator = SeededGenerator(seed: 1, label: "familiarity")
    var taken: [String: Int] = [:]
    var places: [Int] = []
    let samples = manifest.samples
    for index in samples.indices.shuffled(using: &generator) {
      let source = samples[index].familiaritySource
      guard taken[source, default: 0] < perSource else { continue }
      taken[source, default: 0] += 1
      places.append(index)
    }
    return manifest.subset(places.sorted())
  }
}

extension FaceSample {
  /// The collection that the face counts for; "all" if it has none.
  var familiaritySource: String { origin ?? "all" }
}

/// A face with the network's features and its measured traits.
struct SeenFace {
  let sample: FaceSample
  let features: [Float]
  let measures: TraitValues
}

/// Runs the network on faces in batches of 16.
private struct FaceLook {
  let model: ClassifierModel
  let crop: Recipe.Crop?
  let margin: Float
  /// The number of faces in all calls of `each` together, for progress.
  let total: Int
  var done = 0

  /// Calls `body` with each face, in the manifest's order. If `damage` is given, it is applied to
  /// the crop first.
  mutating func each(
    _ manifest: FaceManifest, _ words: String, after damage: CropDamage? = nil,
    _ progress: (JobProgress) -> Void, _ body: (SeenFace) throws -> Void
  ) throws {
    let samples = manifest.samples
    for start in stride(from: 0, to: samples.count, by: 16) {
      try Task.checkCancellation()
      progress(
        JobProgress(
          "\(words): \(start) of \(samples.count) faces",
          part: Double(done) / Double(max(1, total))))
      let batch = Array(samples[start..<min(start + 16, samples.count)])
      var crops: [MotionCrop] = []
      var sides: [Int] = []
      for sample in batch {
        let stored: MotionCrop
        do {
          stored = try sample.crop(withLater: model.input.difference != nil)
        } catch let error as MediaError {
          throw DatasetError.picture(error)
        }
        let both = stored.map { picture in
          let plain = crop.map { $0.framed(picture, landmarks: sample.landmarks) } ?? picture
          return damage?(plain) ?? plain
        }
        crops.append(both)
        let (picture, shown) = (stored.image, both.image)
        // The size of the face in the original frame. A crop that was stored smaller than it was
        // cut still shows as many pixels of the frame.
        let longer = Float(max(picture.width, picture.height))
        let cut = sample.box.map { max($0.width, $0.height) * (1 + 2 * margin) } ?? longer
        let side = Float(max(shown.width, shown.height)) * max(1, cut / longer)
        sides.append(side.isFinite ? Int(min(side, 1e6)) : Int(longer))
      }
      let pictures = TraitValues.pictures(crops.map(\.image), sides: sides)
      for (sample, face) in zip(batch, model.look(at: crops, pictures: pictures)) {
        try body(SeenFace(sample: sample, features: face.features, measures: face.measures))
      }
      done += batch.count
    }
  }
}

extension Recipe.Crop {
  /// The stored crop, cut again as `predict` cuts a face. Only if the shape is `framed` and the
  /// landmarks, in pixels of the crop, are known; otherwise the crop is returned unchanged. The new
  /// cut reaches at most a twentieth beyond the edges of the crop, unless the face would fill it.
  func framed(_ picture: Image, landmarks: [Point]?) -> Image {
    guard shape == .framed, let place = landmarks.flatMap({ FaceFraming(landmarks: $0) }) else {
      return picture
    }
    let (x, y) = (place.middle.x + 0.5, place.middle.y + 0.5)
    let side = place.side(
      showing: FaceFraming.usualLength / (1 + 2 * margin), atMost: 0.5, width: picture.width,
      height: picture.height
    ).rounded()
    guard side >= 1, side < 4 * Float(max(picture.width, picture.height)) else { return picture }
    return picture.cropped(
      x: Int((x - side / 2).rounded()), y: Int((y - side / 2).rounded()), width: Int(side),
      height: Int(side), edges: .replicate)
  }
}
