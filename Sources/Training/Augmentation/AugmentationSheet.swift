import Classifiers
import DeepfakeCore
import FaceData
import Measures
import MediaIO

/// A picture that shows the effect of an augmentation on a dataset's crops. It has a row for each
/// sample, with the unchanged crop and some random results, and then a row for each step alone. If
/// fakes are made, they are shown too, and further rows show their pieces: source, mask and fake.
package struct AugmentationSheet: Sendable {
  /// The augmentation to show.
  package var augmentation: Augmentation
  /// The network's input. Cells show crops as the network gets them, before normalisation.
  package var input: InputSpec
  /// How fakes are made out of real faces; nil: none are made.
  package var fakes: FakeOptions?
  /// Number of samples: as many real as fake and made ones, if the data has them.
  package var samples = 8
  /// Number of random results of each sample and step.
  package var draws = 7
  /// Random seed; the same seed gives the same sheet.
  package var seed: UInt64 = 0

  /// A sheet with the default numbers of samples and draws.
  package init(_ augmentation: Augmentation, input: InputSpec) {
    self.augmentation = augmentation
    self.input = input
  }

  private static let gap = 4
  private static let ground = Color(red: 24, green: 24, blue: 24)
  private static let largestCell = 192

  /// A row of pictures with its title.
  private struct Row {
    var title: String
    var cells: [Image]
  }

  /// Draws the sheet for some of a manifest's samples.
  ///
  /// - Throws: `DatasetError` if a picture cannot be read or the manifest is empty.
  package func image(of manifest: FaceManifest) throws(DatasetError) -> Image {
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
        let label = "sample \(number) draw \(draw)"
        return drawn(augmentation, shown(crop, others: crops, label), label)
      }
      let word = crop.sample.isMade ? "MADE OF" : crop.sample.label.word
      rows.append(
        Row(
          title: "\(word)  \(crop.sample.path)", cells: [input.fitted(crop.image)] + cells))
    }
    if let fakes {
      for (number, crop) in crops.enumerated() where crop.sample.isMade {
        rows.append(blended(crop, others: crops, fakes, "blend \(number)"))
      }
    }
    for (number, step) in Self.singleSteps(augmentation.steps).enumerated() {
      let alone = Augmentation([Augmentation.Step(step.operation)])
      let name = step.name
      let crop = crops[number % crops.count]
      let cells = (0..<draws).map { drawn(alone, crop, "step \(number) \(name) \($0)") }
      rows.append(Row(title: "\(name) alone", cells: [input.fitted(crop.image)] + cells))
    }
    if augmentation.mixup != nil { rows.append(mixed(crops.map(\.image))) }
    return joined(rows)
  }

  /// Chooses as many real samples as fake and made ones, in the order of the manifest.
  private func choose(_ data: FaceManifest) throws(DatasetError) -> FaceManifest {
    let manifest = fakes == nil ? data : data.withMadeFakes()
    guard !manifest.isEmpty else {
      throw .impossible(
        problem: "there are no samples to show; remove the filter, or give more data")
    }
    var generator = SeededGenerator(seed: seed, label: "sheet")
    var indices: [Int] = []
    var kinds: [[Int]] = [[], [], []]
    for index in 0..<manifest.count {
      kinds[manifest.isMade(index) ? 2 : Int(manifest.label(index).rawValue)].append(index)
    }
    var left = samples
    // The rarest kind first: the places that it cannot fill go to the other kinds.
    let byCount = kinds.indices.filter { !kinds[$0].isEmpty }
      .sorted { (kinds[$0].count, $0) < (kinds[$1].count, $1) }
    for (place, kind) in byCount.enumerated() {
      let count = min(kinds[kind].count, left.dividedRoundingUp(by: byCount.count - place))
      left -= count
      kinds[kind] = kinds[kind].shuffled(using: &generator).prefix(count).sorted()
    }
    for kind in kinds { indices += kind }
    return manifest.subset(indices)
  }

  private func drawn(
    _ augmentation: Augmentation, _ crop: (sample: FaceSample, image: Image), _ label: String
  ) -> Image {
    var generator = SeededGenerator(seed: seed, label: label)
    return augmentation(
      crop.image, landmarks: crop.sample.landmarks, for: input, using: &generator)
  }

  /// A crop as in training before the augmentation: made into a fake, or with its tones changed as
  /// those of fakes are.
  private func shown(
    _ crop: (sample: FaceSample, image: Image), others: [(sample: FaceSample, image: Image)],
    _ label: String
  ) -> (sample: FaceSample, image: Image) {
    guard let fakes else { return crop }
    var generator = SeededGenerator(seed: seed, label: "fake \(label)")
    guard crop.sample.isMade else {
      return (crop.sample, fakes.blending.real(of: crop.image, using: &generator))
    }
    let donor = donor(for: crop.sample, others, fakes, label)
    return (
      crop.sample,
      fakes.blending.fake(
        of: crop.image, landmarks: crop.sample.landmarks ?? [], donor: donor, using: &generator)
    )
  }

  /// Another of the shown crops as a donor, with the probability of `blending.donor`.
  private func donor(
    for sample: FaceSample, _ others: [(sample: FaceSample, image: Image)], _ fakes: FakeOptions,
    _ label: String
  ) -> SelfBlending.Donor? {
    var generator = SeededGenerator(seed: seed, label: "donor \(label)")
    let faces = others.filter { $0.sample.isMade && $0.sample.path != sample.path }
    guard generator.uniform() < fakes.blending.donor,
      let chosen = faces.randomElement(using: &generator), let points = chosen.sample.landmarks
    else { return nil }
    return SelfBlending.Donor(chosen.image, landmarks: points)
  }

  /// A row with the pieces of a crop's fakes: source, mask and fake, repeated as often as there is
  /// room. The last cell shows the difference between the last fake and its target.
  private func blended(
    _ crop: (sample: FaceSample, image: Image), others: [(sample: FaceSample, image: Image)],
    _ fakes: FakeOptions, _ label: String
  ) -> Row {
    var cells = [input.fitted(crop.image)]
    for number in 0..<max(1, draws / 3) {
      let label = "\(label) \(number)"
      var generator = SeededGenerator(seed: seed, label: "fake \(label)")
      let blend = fakes.blending.blend(
        of: crop.image, landmarks: crop.sample.landmarks ?? [],
        donor: donor(for: crop.sample, others, fakes, label), using: &generator)
      let room = draws + 1 - cells.count
      let shown = [blend.source, blend.mask, blend.fake, blend.fake.difference(to: blend.target)]
      cells += shown.prefix(number + 1 < max(1, draws / 3) ? min(3, room) : room)
        .map { input.fitted($0) }
    }
    return Row(
      title: "FAKES OF \(crop.sample.path): source, mask, fake, ... and how the last differs (x 4)",
      cells: cells)
  }

  /// The steps, with `oneOf` replaced by the steps in it.
  private static func singleSteps(_ steps: [Augmentation.Step]) -> [Augmentation.Step] {
    steps.flatMap { step in
      if let choice = step.operation as? OneOf { singleSteps(choice.steps) } else { [step] }
    }
  }

  /// Two crops mixed with evenly spaced shares. Random shares would mostly be near 0 or 1.
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

extension Image {
  /// The difference of two images of the same size, times four, around mid grey.
  fileprivate func difference(to other: Image) -> Image {
    Image(width: width, height: height) { target in
      for index in target.indices {
        let difference = Int(pixels[index]) - Int(other.pixels[index])
        target[index] = UInt8(clamping: 128 + 4 * difference)
      }
    }
  }
}
