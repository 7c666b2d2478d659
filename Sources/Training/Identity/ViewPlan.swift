import DeepfakeCore

/// Which pictures an epoch shows: pairs of views of one face.
package struct ViewPlan: Sendable {
  /// Views of a person that an epoch shows first, at most: a person with many pictures must not
  /// drown the others.
  package static let viewsOfPerson = 40

  let data: IdentityData
  let seed: UInt64

  /// The plan of a run.
  package init(data: IdentityData, seed: UInt64) {
    self.data = data
    self.seed = seed
  }

  /// The samples of an epoch's views, two that belong together after the other.
  package func samples(epoch: Int) -> [Int] {
    var generator = SeededGenerator(seed: seed, label: "views \(epoch)")
    var anchors = data.people.flatMap { pictures in
      pictures.count <= Self.viewsOfPerson
        ? pictures : Array(pictures.shuffled(using: &generator).prefix(Self.viewsOfPerson))
    }
    // As many of those without a name, which tell each other apart from nobody but the named.
    let unknown = data.person.indices.filter { data.person[$0] == nil }
    anchors += unknown.shuffled(using: &generator).prefix(max(anchors.count, 1))
    anchors.shuffle(using: &generator)
    return anchors.flatMap { [$0, partner(of: $0, using: &generator)] }
  }

  /// Another picture of the same face where there is one, or the same picture.
  private func partner(of index: Int, using generator: inout SeededGenerator) -> Int {
    let others =
      data.person[index].map { person in data.people[person].filter { $0 != index } }
      ?? data.neighbours[index] ?? []
    return others.randomElement(using: &generator) ?? index
  }
}

extension Augmentation {
  /// How one picture of a face becomes another, for embedders to learn that it is the same face:
  /// place, light, colour, sharpness, compression, parts covered.
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
