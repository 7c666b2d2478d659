import DeepfakeCore
import FaceDetect
import Measures

/// Measures how well features unrelated to manipulation separate real from fake crops. A network
/// may learn such shortcuts, and then fails on other data.
package struct ShortcutProbe: Sendable {
  /// Maximum number of samples of each label that are used.
  package var limit = 20_000
  /// Random seed of the sample and of the halves.
  package var seed: UInt64 = 0

  package init() {}

  /// Features that a shortcut could use.
  package enum Feature: String, Sendable, CaseIterable {
    /// Width and height in pixels.
    case size = "image size"
    /// Bytes of the file divided by the number of pixels.
    case bytesPerPixel = "bytes per pixel"
    /// The JPEG quality, 1 to 100; 101 for PNG.
    case quality = "JPEG quality"
    /// Variance of the Laplacian at a fixed size, see `PictureFacts.sharpness`.
    case sharpness = "sharpness"
    /// Variance of the Laplacian at the picture's own size.
    case ownSharpness = "sharpness at own size"
    case noise = "noise"
    /// Strength of the steps at the borders of JPEG's 8x8 blocks.
    case blockiness = "blockiness"
    /// Mean brightness.
    case brightness = "brightness"
    /// Mean of red minus green and of blue minus green.
    case tint = "colour tint"
    /// Standard deviations of the three channels.
    case contrast = "contrast"
    /// Mean saturation.
    case saturation = "saturation"
    /// Size and position of the face in the crop, by its landmarks.
    case framing = "place and size of the face"
    /// The collection that the crop is from.
    case origin = "collection"
  }

  /// How well one feature, or all together, predict the label of samples that were not fitted.
  package struct Finding: Sendable, Equatable {
    /// The feature; nil for all features but the collection together.
    package var feature: Feature?
    /// Area under the ROC curve: 0.5 is chance, 1 is perfect.
    package var auc: Double
  }

  /// The findings: all features together first, then each feature from the highest AUC down. Empty
  /// if all labels are the same or there are too few samples to fit and test.
  ///
  /// The samples are divided into two halves by groups (see `HoldOut`). A model is fitted on each
  /// half and tested on the other.
  package func findings(_ manifest: FaceManifest, _ table: FingerprintTable) -> [Finding] {
    precondition(manifest.count == table.count, "ShortcutProbe: the table is not the manifest's")
    let chosen = sample(manifest, table)
    let joined = SampleGroups(manifest.table, blockLength: HoldOut().block).join()
    let halves = GroupDraw(shares: [0.5, 0.5], seed: seed).parts(
      groups: joined.groups, count: joined.count,
      strata: manifest.table.rows.map { Int($0.label.rawValue) })
    let half = chosen.map { halves[joined.groups[$0]] }
    let labels = chosen.map { manifest.label($0) }
    let measured = chosen.map { index in
      values(
        table.facts(index), manifest.table.rows[index],
        landmarks: manifest.table.points(manifest.table.rows[index]))
    }
    func auc(_ features: [Feature]) -> Double? {
      let rows = measured.map { row in features.flatMap { row[$0, default: []] } }
      return Self.auc(rows, labels, half)
    }
    let hasLandmarks = chosen.contains { manifest.table.rows[$0].landmarks != SampleTable.Row.none }
    let features = Feature.allCases.filter { $0 != .framing || hasLandmarks }
    guard let all = auc(features.filter { $0 != .origin }) else { return [] }
    let alone = features.compactMap { feature in
      auc([feature]).map { Finding(feature: feature, auc: $0) }
    }
    return [Finding(feature: nil, auc: all)]
      + alone.sorted { $0.auc != $1.auc ? $0.auc > $1.auc : $0.name < $1.name }
  }

  /// Indices of the samples that are used, in order.
  private func sample(_ manifest: FaceManifest, _ table: FingerprintTable) -> [Int] {
    var generator = SeededGenerator(seed: seed, label: "shortcuts")
    return FaceLabel.allCases.flatMap { label in
      let indices = manifest.table.rows.indices.filter {
        manifest.label($0) == label && table.isReadable($0)
      }
      return indices.count <= limit
        ? indices : Array(indices.shuffled(using: &generator).prefix(limit))
    }.sorted()
  }

  private func values(
    _ facts: PictureFacts, _ row: SampleTable.Row, landmarks: [Point]?
  ) -> [Feature: [Float]] {
    let pixels = Float(max(1, facts.width * facts.height))
    let mean = facts.mean
    return [
      .size: [Float(facts.width), Float(facts.height)],
      .bytesPerPixel: [Float(facts.fileBytes) / pixels],
      .quality: [Float(facts.jpegQuality ?? 101)], .sharpness: [facts.sharpness],
      .ownSharpness: [facts.ownSharpness], .noise: [facts.noise],
      .blockiness: [facts.blockiness], .brightness: [(mean.x + mean.y + mean.z) / 3],
      .tint: [mean.x - mean.y, mean.z - mean.y],
      .contrast: [facts.deviation.x, facts.deviation.y, facts.deviation.z],
      .saturation: [facts.saturation], .framing: Self.framing(landmarks, facts),
      .origin: [Float(row.origin)],
    ]
  }

  /// Distance from the middle of the eyes to that of the mouth, as a fraction of the height, and
  /// the point half way between them, as fractions of width and height. Three times -1 without
  /// landmarks, which then is a value like any other.
  private static func framing(_ landmarks: [Point]?, _ facts: PictureFacts) -> [Float] {
    guard let landmarks, landmarks.count == 5 else { return [-1, -1, -1] }
    let (width, height) = (Float(max(1, facts.width)), Float(max(1, facts.height)))
    let eyes = SIMD2(landmarks[0].x + landmarks[1].x, landmarks[0].y + landmarks[1].y) / 2
    let mouth = SIMD2(landmarks[3].x + landmarks[4].x, landmarks[3].y + landmarks[4].y) / 2
    let (across, down) = (mouth.x - eyes.x, mouth.y - eyes.y)
    let length = (across * across + down * down).squareRoot()
    let middle = (eyes + mouth) / 2
    return [length / height, middle.x / width, middle.y / height]
  }

  /// Mean of the two AUCs that each half's model reaches on the other half. Nil if a fit fails or
  /// an AUC is undefined.
  private static func auc(
    _ rows: [[Float]], _ labels: [FaceLabel], _ half: [Int]
  ) -> Double? {
    var areas: [Double] = []
    for judged in 0..<2 {
      let fitted = rows.indices.filter { half[$0] != judged }
      guard let model = BinnedRegression(fitted.map { rows[$0] }, fitted.map { labels[$0] })
      else { return nil }
      var metrics = BinaryMetrics()
      for index in rows.indices where half[index] == judged {
        metrics.add(model.logit(rows[index]), labels[index])
      }
      guard metrics.auc.isFinite else { return nil }
      areas.append(metrics.auc)
    }
    return areas.reduce(0, +) / 2
  }
}

extension ShortcutProbe.Finding {
  /// The name in reports.
  package var name: String { feature?.rawValue ?? "all together" }
}
