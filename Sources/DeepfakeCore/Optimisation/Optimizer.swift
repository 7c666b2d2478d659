/// An algorithm that changes parameters along their gradients.
///
/// An optimiser stores its state by parameter keys, so it can serve only one network, whose keys
/// are unique. Parameters without a gradient are skipped, as in PyTorch.
///
/// ```swift
/// var optimizer: any Optimizer = AdamW(learningRate: 1e-3)
/// for step in 0..<100 {
///   let mode = Mode.training(TrainingContext(seed: 1, step: step))
///   let loss = valueAndGrad { network(images, mode).binaryCrossEntropy(labels) }
///   optimizer.step(store.parameters, loss.gradients)
/// }
/// ```
public protocol Optimizer: Sendable {
  /// The learning rate of the next step; a schedule sets it.
  var learningRate: Float { get set }

  /// The state to keep between steps (moments, step counts), under names such as
  /// `adam.m.blocks.0.0.conv_dw.weight`. Setting it to the state of another optimiser of the same
  /// kind continues that optimiser's work bit for bit. Use `restore` for a state from a file.
  var state: [String: Tensor] { get set }

  /// Changes those of `parameters` that have a gradient, in place.
  mutating func step(_ parameters: [Parameter], _ gradients: Gradients)

  /// Changes the parameters in place along gradients that `compute` returns. `compute` is called
  /// once, or twice by `SharpnessAware`, each time with the current values of the parameters.
  mutating func step(_ parameters: [Parameter], computing compute: () throws -> Gradients) rethrows

  /// Restores the state from a file.
  ///
  /// - Throws: `OptimizerStateError` if it does not fit this optimiser or `parameters`. The
  ///   optimiser is unchanged then.
  mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError)
}

extension Optimizer {
  /// Computes the gradients once and makes one step.
  public mutating func step(
    _ parameters: [Parameter], computing compute: () throws -> Gradients
  ) rethrows {
    step(parameters, try compute())
  }
}

/// The reason why a state from a file cannot be used to continue a training.
public enum OptimizerStateError: Error, Equatable, CustomStringConvertible {
  /// The file has an entry that this optimiser does not have for these parameters.
  case unexpected(file: String, name: String)
  /// The file lacks an entry.
  case missing(file: String, name: String)
  /// A tensor has another shape, or a number is not valid.
  case invalid(file: String, name: String, reason: String)

  /// The problem and the way to solve it, for users.
  public var description: String {
    let (file, problem) =
      switch self {
      case .unexpected(let file, let name): (file, "has \(name), which this training does not have")
      case .missing(let file, let name): (file, "lacks \(name)")
      case .invalid(let file, let name, let reason): (file, "\(name) \(reason)")
      }
    return "\(file): \(problem). It was saved with other settings. Use those settings, or start a "
      + "new training."
  }
}
