import Classifiers
import DeepfakeCore
import MediaIO

/// A picture that shows what an augmentation does to a dataset's crops: a row a sample with the crop as it is and
/// some draws, then a row a step with that step alone.
public struct AugmentationSheet: Sendable {
  /// What is shown.
  public var augmentation: Augmentation
  /// What the network expects; cells show crops as it gets them, before normalisation.
  public var input: InputSpec
  /// Samples, half of them real and half fake where the data have both.
  public var samples = 8
  /// Draws of each.
  public var draws = 7
  /// What samples and draws depend on.
  public var seed: UInt64 = 0

  /// A sheet with the defaults.
  public init(_ augmentation: Augmentation, input: InputSpec) {
    self.augmentation = augmentation
    self.input = input
  }

  private static let gap = 4
  private static let ground = Color(red: 24, green: 24, blue: 24)
  private static let largestCell = 192

  /// A row of pictures with what it shows.
  private struct Row {
    var title: String
    var cells: [Image]
  }

  /// The sheet of some of a manifest's samples.
  ///
  /// - Throws: `DatasetError` at a picture that cannot be used, or a manifest without samples.
  public func image(of manifest: FaceManifest) throws(DatasetError) -> Image {
    precondition(samples > 0 && draws > 0, "AugmentationSheet: \(samples) samples, \(draws) draws")
    let chosen = try choose(manifest)
    var crops: [(sample: FaceSample, image: Image)] = []
    for sample in chosen.samples {
      do {
        crops.append((sample, try ImageFile.read(sample.file)))
      } catch {
        throw .picture(error)
      }
    }
    var rows: [Row] = []
    for (number, crop) in crops.enumerated() {
      let cells = (0..<draws).map { draw in
        drawn(augmentation, crop, "sample \(number) draw \(draw)")
      }
      rows.append(
        Row(
          title: "\(crop.sample.label.word)  \(crop.sample.path)",
          cells: [input.fitted(crop.image)] + cells))
    }
    for (number, step) in Self.singleSteps(augmentation.steps).enumerated() {
      let alone = Augmentation([Augmentation.Step(step.operation)])
      let name = step.description.name
      let crop = crops[number % crops.count]
      let cells = (0..<draws).map { drawn(alone, crop, "step \(number) \(name) \($0)") }
      rows.append(Row(title: "\(name) alone", cells: [input.fitted(crop.image)] + cells))
    }
    if augmentation.mixup != nil { rows.append(mixed(crops.map(\.image))) }
    return joined(rows)
  }

  /// As many real samples as fake ones, in the order of the manifest.
  private func choose(_ manifest: FaceManifest) throws(DatasetError) -> FaceManifest {
    guard !manifest.isEmpty else {
      throw .impossible(
        problem: "there are no samples to show; take the filter off, or give more data")
    }
    var generator = SeededGenerator(seed: seed, label: "sheet")
    var indices: [Int] = []
    for label in FaceLabel.allCases {
      let all = (0..<manifest.count).filter { manifest.label($0) == label }
      let count = min(all.count, manifest.count(all.count, of: samples))
      indices += all.shuffled(using: &generator).prefix(count).sorted()
    }
    return manifest.subset(indices)
  }

  private func drawn(
    _ augmentation: Augmentation, _ crop: (sample: FaceSample, image: Image), _ label: String
  ) -> Image {
    var generator = SeededGenerator(seed: seed, label: label)
    return augmentation(
      crop.image, landmarks: crop.sample.landmarks, for: input, using: &generator)
  }

  /// The steps, and those within them.
  private static func singleSteps(_ steps: [Augmentation.Step]) -> [Augmentation.Step] {
    steps.flatMap { step in
      if let choice = step.operation as? OneOf { singleSteps(choice.steps) } else { [step] }
    }
  }

  /// Two crops mixed in shares that are spread evenly: those that are drawn are mostly near an end.
  private func mixed(_ crops: [Image]) -> Row {
    let fitted = crops.map { input.fitted($0) }
    let cells = (0...draws).map { cell in
      // From the first crop, which is real, to the last, which is fake.
      fitted[0].mixed(with: fitted[fitted.count - 1], share: Float(cell) / Float(draws))
    }
    return Row(title: "mixup (shares spread evenly)", cells: cells)
  }

  private func joined(_ rows: [Row]) -> Image {
    let side = min(input.size, Self.largestCell)
    let label = Image.labelSize("", scale: 1).height + 2
    let step = side + Self.gap
    let (width, height) = ((draws + 1) * step + Self.gap, side + label + Self.gap)
    var sheet = Image(width: width, height: (rows.count + 1) * height + Self.gap) {
      $0.update(repeating: Self.ground.red)
    }
    func write(_ text: String, column: Int, y: Int) {
      let letters = (width - Self.gap - column * step) / 6 - 1
      sheet.drawLabel(
        String(text.prefix(max(0, letters))), x: Float(Self.gap + column * step), y: Float(y),
        scale: 1, background: Self.ground)
    }
    let top = label + Self.gap
    write("AS IT IS", column: 0, y: 2)
    for draw in 1...draws { write("DRAW \(draw)", column: draw, y: 2) }
    for (number, row) in rows.enumerated() {
      let y = top + number * height
      write(row.title, column: 0, y: y)
      for (column, cell) in row.cells.enumerated() {
        sheet.paste(
          cell.resized(width: side, height: side, method: .area), x: Self.gap + column * step,
          y: y + label)
      }
    }
    return sheet.cropped(x: 0, y: 0, width: width, height: top + rows.count * height)
  }
}

extension FaceManifest {
  /// How many of `wanted` samples a label with `count` gets: half, or more where the other has few.
  fileprivate func count(_ count: Int, of wanted: Int) -> Int {
    max(wanted / 2, wanted - (self.count - count))
  }
}
