extension Augmentation {
  /// How one picture of a face becomes another, for embedders to learn that it is the same face: place, light,
  /// colour, sharpness, compression, parts covered.
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
