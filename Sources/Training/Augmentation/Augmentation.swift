import Classifiers
import DeepfakeCore
import FaceDetect

/// A random change of a crop, to train a network on more variety than the data has.
///
/// The number and order of draws from the generator must depend neither on the picture nor on its
/// landmarks. So a real crop and the fake made from it get the same change from equal generators.
package protocol AugmentationOperation: Sendable {
  /// The name in recipes, such as `rotation`.
  static var name: String { get }
  init()
  /// Reads the parameters from `fields`, and writes their values to it.
  mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError)
  /// Changes a crop at random. Its size must stay the same.
  func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator)
}

/// Random changes of face crops in training: a sequence of steps, each with a probability.
///
/// Made in code, from a preset, or from the text of a recipe by `AugmentationDescription`. Results
/// depend on the generator alone.
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

    /// A step. By default it is always applied.
    package init(_ operation: any AugmentationOperation, probability: Float = 1) {
      precondition(
        (0...1).contains(probability), "Augmentation: probability \(probability) is not in 0...1")
      self.operation = operation
      self.probability = probability
    }

    /// Makes a step from its description.
    ///
    /// - Throws: `AugmentationError` if the name or a key is unknown or a value is outside its
    ///   limits.
    package init(_ description: AugmentationDescription) throws(AugmentationError) {
      guard let type = Augmentation.operations.first(where: { $0.name == description.name }) else {
        throw AugmentationError(
          step: description.name, key: "",
          problem:
            "is no known step; known are \(Augmentation.operationNames.joined(separator: ", "))"
        )
      }
      var fields = AugmentationFields(description)
      var probability: Float = 1
      try fields.number("probability", &probability, in: 0...1)
      var operation: any AugmentationOperation = type.init()
      try operation.describe(&fields)
      try fields.end()
      self.init(operation, probability: probability)
    }

    /// The step as data.
    package var description: AugmentationDescription {
      var result = AugmentationDescription(type(of: operation).name)
      var fields = AugmentationFields(result)
      var copy = self
      // Without given parameters, no error can occur.
      try? fields.number("probability", &copy.probability, in: 0...1)
      try? copy.operation.describe(&fields)
      result.parameters = fields.written
      return result
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

  /// Makes an augmentation from descriptions. The description named `mixup` sets `mixup`.
  ///
  /// - Throws: `AugmentationError` if a description is invalid or `mixup` occurs twice.
  package init(_ descriptions: [AugmentationDescription]) throws(AugmentationError) {
    self.init()
    for description in descriptions {
      if description.name == Mixup.name {
        guard mixup == nil else {
          throw AugmentationError(step: Mixup.name, key: "", problem: "is there twice")
        }
        mixup = try Mixup(description)
      } else {
        steps.append(try Step(description))
      }
    }
  }

  /// The augmentation as data.
  package var descriptions: [AugmentationDescription] {
    steps.map(\.description) + (mixup.map { [$0.description] } ?? [])
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

  /// Whether the descriptions of two augmentations are equal.
  public static func == (a: Augmentation, b: Augmentation) -> Bool {
    a.descriptions == b.descriptions
  }

  /// All operations that recipes may name.
  static let operations: [any AugmentationOperation.Type] = [
    HorizontalFlip.self, Framing.self, Rotation.self, ShiftScale.self, RandomCrop.self,
    BrightnessContrast.self,
    HueSaturationValue.self, Gamma.self, Greyscale.self, GaussianBlur.self, MotionBlur.self,
    Noise.self, JPEGCompression.self, Downscale.self, Cutout.self, LandmarkCutout.self, OneOf.self,
  ]

  /// The names of all steps that descriptions may have, including mixup.
  public static var operationNames: [String] {
    operations.map { $0.name } + [Mixup.name]
  }
}

/// Applies one of several steps, chosen in proportion to their probabilities.
package struct OneOf: AugmentationOperation {
  /// The name in recipes.
  package static let name = "oneOf"
  package var steps: [Augmentation.Step] = []

  package init() {}

  package init(_ steps: [Augmentation.Step]) { self.steps = steps }

  package mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.steps("steps", &steps)
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
