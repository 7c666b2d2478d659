import Classifiers
import DeepfakeCore
import FaceDetect
import Settings

/// A random change of a crop, to train a network on more variety than the data has.
///
/// The number and order of draws from the generator must depend neither on the picture nor on its
/// landmarks. So a real crop and the fake made from it get the same change from equal generators.
package protocol AugmentationOperation: Described, Sendable {
  /// The name in recipes, such as `rotation`.
  static var name: String { get }
  /// What the operation does, in a sentence for the reference.
  static var help: String { get }
  init()
  /// Changes a crop at random. Its size must stay the same.
  func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator)
}

/// Random changes of face crops in training: a sequence of steps, each with a probability.
///
/// Made from a preset or from the text of a recipe. Results depend on the generator alone.
///
/// ```swift
/// let augmentation = Augmentation(preset: .strong)
/// var generator = SeededGenerator(seed: 1)
/// let changed = augmentation(crop, for: InputSpec(size: 224), using: &generator)
/// ```
public struct Augmentation: Sendable, Equatable {
  /// A change and its probability.
  public struct Step: Sendable {
    /// The probability of the change, 0 to 1.
    public var probability: Float
    /// The change of the crop.
    package var operation: any AugmentationOperation

    /// The name in recipes.
    var name: String { type(of: operation).name }

    /// A step. By default it is always applied.
    package init(_ operation: any AugmentationOperation, probability: Float = 1) {
      precondition(
        (0...1).contains(probability), "Augmentation: probability \(probability) is not in 0...1")
      self.operation = operation
      self.probability = probability
    }

    func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
      // Always draws one number, so that a change of the probability does not change later steps.
      guard generator.uniform() < probability else { return }
      operation.apply(to: &face, using: &generator)
    }
  }

  /// The steps that are applied to each crop, in order.
  public var steps: [Step]
  /// How crops are mixed with others; nil: they are not mixed.
  package var mixup: Mixup?

  package init(_ steps: [Step] = [], mixup: Mixup? = nil) {
    self.steps = steps
    self.mixup = mixup
  }

  /// Whether crops are never changed or mixed.
  public var isEmpty: Bool { steps.isEmpty && mixup == nil }

  /// Returns a randomly changed crop of the same size. `landmarks` are the five points in pixels of
  /// the crop; nil if they are unknown.
  public func callAsFunction(
    _ image: Image, landmarks: [Point]? = nil, using generator: inout SeededGenerator
  ) -> Image {
    var face = AugmentedFace(image, landmarks: landmarks)
    for step in steps { step.apply(to: &face, using: &generator) }
    return face.image
  }

  /// Returns a randomly changed crop, fitted to a network's input.
  ///
  /// A crop of more than `detail` times the input's size is first scaled down to that size by area.
  /// Details that the network never sees would cost time.
  public func callAsFunction(
    _ image: Image, landmarks: [Point]? = nil, for input: InputSpec, detail: Float = 2,
    using generator: inout SeededGenerator
  ) -> Image {
    let (small, points) = reduced(image, landmarks, for: input, detail: detail)
    return input.fitted(self(small, landmarks: points, using: &generator))
  }

  /// Scales a crop and its landmarks down to `detail` times the input's size. A smaller crop, or
  /// any crop if there are no steps, is not changed.
  func reduced(
    _ image: Image, _ landmarks: [Point]?, for input: InputSpec, detail: Float
  ) -> (Image, [Point]?) {
    let factor = detail * Float(input.size) / Float(min(image.width, image.height))
    guard factor < 1, !steps.isEmpty else { return (image, landmarks) }
    let small = image.resized(
      width: max(1, Int((Float(image.width) * factor).rounded())),
      height: max(1, Int((Float(image.height) * factor).rounded())), method: .area)
    return (small, landmarks.map { $0.map { $0.scaled(x: factor, y: factor) } })
  }

  /// Whether the steps of two augmentations have the same names and parameters.
  public static func == (a: Augmentation, b: Augmentation) -> Bool { a.items == b.items }

  /// All operations that recipes may name.
  static let operations: [any AugmentationOperation.Type] = [
    HorizontalFlip.self, Framing.self, Rotation.self, ShiftScale.self, RandomCrop.self,
    BrightnessContrast.self,
    HueSaturationValue.self, Gamma.self, Greyscale.self, GaussianBlur.self, MotionBlur.self,
    Noise.self, JPEGCompression.self, Downscale.self, Cutout.self, LandmarkCutout.self, OneOf.self,
  ]

  /// The names of all steps that recipes may have, including mixup.
  public static var operationNames: [String] {
    operations.map { $0.name } + [Mixup.name]
  }
}

/// Applies one of several steps, chosen in proportion to their probabilities.
package struct OneOf: AugmentationOperation {
  /// The name in recipes.
  package static let name = "oneOf"
  /// The sentence about it in the reference.
  package static let help = "Applies one of several steps."
  package var steps: [Augmentation.Step] = []

  package init() {}

  package init(_ steps: [Augmentation.Step]) { self.steps = steps }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.steps(
      "steps", &steps, "The steps; each is chosen in proportion to its probability.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    var left = generator.uniform() * steps.reduce(0) { $0 + $1.probability }
    for step in steps {
      left -= step.probability
      if left < 0 {
        step.operation.apply(to: &face, using: &generator)
        return
      }
    }
  }
}
