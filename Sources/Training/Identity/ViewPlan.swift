import DeepfakeCore

/// Chooses the pictures of an epoch: pairs of views of one face.
package struct ViewPlan: Sendable {
  /// Maximum number of pairs of one person in an epoch, so that people with many pictures do not
  /// dominate.
  package static let viewsOfPerson = 40

  let data: IdentityData
  let seed: UInt64

  package init(data: IdentityData, seed: UInt64) {
    self.data = data
    self.seed = seed
  }

  /// The samples of an epoch's views. Each two consecutive ones show one face.
  package func samples(epoch: Int) -> [Int] {
    var generator = SeededGenerator(seed: seed, label: "views \(epoch)")
    var anchors = data.people.flatMap { pictures in
      pictures.count <= Self.viewsOfPerson
        ? pictures : Array(pictures.shuffled(using: &generator).prefix(Self.viewsOfPerson))
    }
    // Adds as many unnamed faces. These are only known to differ from the named people.
    let unknown = data.person.indices.filter { data.person[$0] == nil }
    anchors += unknown.shuffled(using: &generator).prefix(max(anchors.count, 1))
    anchors.shuffle(using: &generator)
    return anchors.flatMap { [$0, partner(of: $0, using: &generator)] }
  }

  /// Another picture of the same face; the same picture if there is none.
  private func partner(of index: Int, using generator: inout SeededGenerator) -> Int {
    let others =
      data.person[index].map { person in data.people[person].filter { $0 != index } }
      ?? data.neighbours[index] ?? []
    return others.randomElement(using: &generator) ?? index
  }
}

extension Augmentation {
  /// Random changes from which embedders learn that a face stays the same: position, light, colour,
  /// sharpness, compression, covered parts.
  static let views = Augmentation([
    Step(HorizontalFlip(), probability: 0.5),
    Step(Rotation(degrees: -20...20, edges: .replicate), probability: 0.6),
    Step(
      ShiftScale(shift: -0.1...0.1, scale: 0.75...1.1, edges: .replicate), probability: 0.4),
    Step(RandomCrop(part: 0.62...1), probability: 0.7),
    Step(BrightnessContrast(brightness: -0.4...0.4, contrast: -0.4...0.4), probability: 0.6),
    Step(
      HueSaturationValue(hue: -25...25, saturation: -0.25...0.25, value: -0.15...0.15),
      probability: 0.5),
    Step(Gamma(gamma: 0.6...1.6), probability: 0.3),
    Step(Greyscale(), probability: 0.15),
    Step(
      OneOf([
        Step(GaussianBlur(sigma: 0.5...2.5)), Step(MotionBlur()),
        Step(Downscale(factor: 0.25...0.8)),
      ]), probability: 0.35),
    Step(Noise(), probability: 0.15),
    Step(Cutout(count: 1...2, size: 0.15...0.4), probability: 0.3),
    Step(JPEGCompression(quality: 25...90), probability: 0.5),
  ])
}
