import DeepfakeCore
import FaceDetect
import Measures

/// How well things that have nothing to do with manipulation tell real crops from fake ones: a
/// network may learn those instead, and is then of no use elsewhere.
package struct ShortcutProbe: Sendable {
  /// Samples of each label that are looked at, at most.
  package var limit = 20_000
  /// What draws these.
  package var seed: UInt64 = 0

  package init() {}

  /// What a shortcut could go by.
  package enum Feature: String, Sendable, CaseIterable {
    /// Pixels across and down.
    case size = "image size"
    /// The file's bytes for each pixel.
    case bytesPerPixel = "bytes per pixel"
    /// JPEG or PNG, and the quality.
    case quality = "JPEG quality"
    /// How much the picture changes from pixel to pixel, at a fixed size.
    case sharpness = "sharpness"
    /// The same at its own size.
    case ownSharpness = "sharpness at own size"
    case noise = "noise"
    /// The steps between JPEG's blocks.
    case blockiness = "blockiness"
    /// Mean brightness.
    case brightness = "brightness"
    /// Mean of red over green and of blue over green.
    case tint = "colour tint"
    /// Standard deviations of the channels.
    case contrast = "contrast"
    /// Mean saturation.
    case saturation = "saturation"
    /// How large the face is in the crop and where, by its landmarks.
    case framing = "place and size of the face"
    /// The collection that the crop is from.
    case origin = "collection"
  }

  /// How well one feature, or all, predict the label of samples that the model was not fitted to.
  package struct Finding: Sendable, Equatable {
    /// The feature; nil for all but the collection together.
    package var feature: Feature?
    /// The area under the curve: 0.5 is chance, 1 is perfect.
    package var auc: Double
  }

  /// The findings, all features together first, then each from the best down. Empty where there is
  /// one label only, or too little to fit and to judge by.
  ///
  /// Half the groups of samples (see `HoldOut`) are fitted and the other half judged, and the other
  /// way round.
  package func findings(_ manifest: FaceManifest, _ table: FingerprintTable) -> [Finding] {
    precondition(manifest.count == table.count, "ShortcutProbe: the table is of other samples")
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

  /// The samples that are looked at, in order.
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

  /// The distance from the eyes' middle to the mouth's and the place between them, as parts of the
  /// picture; three times -1, which is a value like others, where no landmarks are known.
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

  /// The mean of the areas that each half's model reaches on the other half.
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
  /// What people call it.
  package var name: String { feature?.rawValue ?? "all together" }
}
