import Classifiers
import DeepfakeCore
import FaceDetect

/// One way to change a crop so that a network sees more than there is.
///
/// What is drawn from the generator must depend neither on the picture nor on its landmarks: a real
/// crop and the fake made from it are changed alike by equal generators.
package protocol AugmentationOperation: Sendable {
  /// The name in recipes.
  static var name: String { get }
  init()
  /// Reads or writes the parameters.
  mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError)
  /// Changes a crop.
  func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator)
}

/// Random changes of face crops in training: steps one after the other, each with a probability.
///
/// Made in code, from a preset or from descriptions (`AugmentationDescription`), which a recipe's
/// text becomes. Results depend on the generator alone.
///
/// ```swift
/// let augmentation = Augmentation(preset: .strong)
/// var generator = SeededGenerator(seed: 1)
/// let changed = augmentation(crop, for: InputSpec(size: 224), using: &generator)
/// ```
public struct Augmentation: Sendable, Equatable {
  /// A step and how often it is taken.
  public struct Step: Sendable {
    /// From 0 to 1.
    public var probability: Float
    /// What is done.
    package var operation: any AugmentationOperation

    /// A step; always taken unless told otherwise.
    package init(_ operation: any AugmentationOperation, probability: Float = 1) {
      precondition(
        (0...1).contains(probability), "Augmentation: probability \(probability) is not in 0...1")
      self.operation = operation
      self.probability = probability
    }

    /// The step that a description tells.
    ///
    /// - Throws: `AugmentationError` where the name or a key is unknown or a value out of its
    ///   limits.
    package init(_ description: AugmentationDescription) throws(AugmentationError) {
      guard let type = Augmentation.operations.first(where: { $0.name == description.name }) else {
        throw AugmentationError(
          step: description.name, key: "",
          problem:
            "is not a known step; must be one of "
            + Augmentation.operationNames.joined(separator: ", ")
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
      // Nothing is given, so nothing can be wrong.
      try? fields.number("probability", &copy.probability, in: 0...1)
      try? copy.operation.describe(&fields)
      result.parameters = fields.written
      return result
    }

    func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
      // Drawn whatever the probability, so that a step's neighbours do not see it change.
      guard generator.uniform() < probability else { return }
      operation.apply(to: &face, using: &generator)
    }
  }

  /// What is done to each crop, in order.
  public var steps: [Step]
  /// How crops are mixed with others; nil is not at all.
  package var mixup: Mixup?

  /// An augmentation of steps.
  package init(_ steps: [Step] = [], mixup: Mixup? = nil) {
    self.steps = steps
    self.mixup = mixup
  }

  /// The augmentation that descriptions tell; one of the name `mixup` stands for `mixup`.
  ///
  /// - Throws: `AugmentationError`.
  package init(_ descriptions: [AugmentationDescription]) throws(AugmentationError) {
    self.init()
    for description in descriptions {
      if description.name == Mixup.name {
        guard mixup == nil else {
          throw AugmentationError(step: Mixup.name, key: "", problem: "is given twice")
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

  /// Whether nothing is ever changed.
  public var isEmpty: Bool { steps.isEmpty && mixup == nil }

  /// A crop changed at random, of the same size. `landmarks` are the five points in pixels of the
  /// crop, where they are known.
  public func callAsFunction(
    _ image: Image, landmarks: [Point]? = nil, using generator: inout SeededGenerator
  ) -> Image {
    var face = AugmentedFace(image, landmarks: landmarks)
    for step in steps { step.apply(to: &face, using: &generator) }
    return face.image
  }

  /// A crop changed at random and brought to a network's input.
  ///
  /// A crop of more than `detail` times the input's size is scaled down to that first, by areas:
  /// details that the network never sees cost time.
  public func callAsFunction(
    _ image: Image, landmarks: [Point]? = nil, for input: InputSpec, detail: Float = 2,
    using generator: inout SeededGenerator
  ) -> Image {
    let (small, points) = reduced(image, landmarks, for: input, detail: detail)
    return input.fitted(self(small, landmarks: points, using: &generator))
  }

  /// A crop without the details that the network never sees, as far as they are in the way: where
  /// nothing is changed, it stays as it is.
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

  /// Augmentations are equal where their descriptions are.
  public static func == (a: Augmentation, b: Augmentation) -> Bool {
    a.descriptions == b.descriptions
  }

  /// Every operation.
  static let operations: [any AugmentationOperation.Type] = [
    HorizontalFlip.self, Framing.self, Rotation.self, ShiftScale.self, RandomCrop.self,
    BrightnessContrast.self,
    HueSaturationValue.self, Gamma.self, Greyscale.self, GaussianBlur.self, MotionBlur.self,
    Noise.self, JPEGCompression.self, Downscale.self, Cutout.self, LandmarkCutout.self, OneOf.self,
  ]

  /// The names that descriptions may have.
  public static var operationNames: [String] {
    operations.map { $0.name } + [Mixup.name]
  }
}

/// One of several steps, by their probabilities in relation to each other.
package struct OneOf: AugmentationOperation {
  /// The name in recipes.
  package static let name = "oneOf"
  package var steps: [Augmentation.Step] = []

  /// No step yet.
  package init() {}

  /// One of some steps.
  package init(_ steps: [Augmentation.Step]) { self.steps = steps }

  /// Reads or writes the parameters.
  package mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.steps("steps", &steps)
  }

  /// Applies one of the steps.
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
