extension Augmentation {
  /// Augmentations with a name.
  public enum Preset: String, Sendable, CaseIterable {
    /// No change.
    case none
    /// The augmentation of the DFDC silver recipe.
    case silver
    /// All kinds of changes that footage goes through.
    case strong
  }

  /// The augmentation of a preset.
  public init(preset: Preset) {
    switch preset {
    case .none: self = .none
    case .silver: self = .silver
    case .strong: self = .strong
    }
  }

  /// No change.
  public static let none = Augmentation()

  /// The augmentation of the DFDC silver recipe: mirrors half of the crops and rotates all of them
  /// by up to 15 degrees.
  public static let silver = Augmentation([
    Step(HorizontalFlip(), probability: 0.5), Step(Rotation(degrees: -15...15)),
  ])

  /// Changes of position, colour, sharpness and compression, and covered parts. For networks that
  /// judge footage from any source.
  public static let strong = Augmentation([
    Step(HorizontalFlip(), probability: 0.5),
    Step(Rotation(degrees: -15...15), probability: 0.5),
    Step(ShiftScale(shift: -0.06...0.06, scale: 0.9...1.1), probability: 0.5),
    Step(RandomCrop(part: 0.8...1), probability: 0.2),
    Step(
      OneOf([
        Step(BrightnessContrast()), Step(HueSaturationValue(hue: -20...20)), Step(Gamma()),
      ]), probability: 0.6),
    Step(Greyscale(), probability: 0.05),
    Step(
      OneOf([Step(GaussianBlur()), Step(MotionBlur()), Step(Downscale())]), probability: 0.25),
    Step(Noise(), probability: 0.2),
    Step(OneOf([Step(Cutout()), Step(LandmarkCutout())]), probability: 0.3),
    Step(JPEGCompression(), probability: 0.4),
  ])
}
