/// Changes parameters along their gradients.
///
/// What an optimiser remembers belongs to parameters by their keys, so that one optimiser serves
/// one network, whose keys differ. Parameters without a gradient are passed over, as in PyTorch.
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
  /// The rate of the next step; a schedule sets it.
  var learningRate: Float { get set }

  /// What is remembered from step to step (moments, numbers of steps), by names of the form
  /// `adam.m.blocks.0.0.conv_dw.weight`. Setting it to what another optimiser of the same kind had
  /// continues that one's work bit for bit; `restore` is for what comes from a file.
  var state: [String: Tensor] { get set }

  /// Changes those of `parameters` that have a gradient, in place.
  mutating func step(_ parameters: [Parameter], _ gradients: Gradients)

  /// The same with gradients that `compute` gives, once or, for an optimiser that looks around
  /// (`SharpnessAware`), more often, each time at the parameters' present values.
  mutating func step(_ parameters: [Parameter], computing compute: () throws -> Gradients) rethrows

  /// Takes on the state that a file holds.
  ///
  /// - Throws: `OptimizerStateError` when it does not fit this optimiser or `parameters`; nothing
  ///   has changed then.
  mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError)
}

extension Optimizer {
  /// One computation, one step.
  public mutating func step(
    _ parameters: [Parameter], computing compute: () throws -> Gradients
  ) rethrows {
    step(parameters, try compute())
  }
}

/// Why a file's state does not continue a training.
public enum OptimizerStateError: Error, Equatable, CustomStringConvertible {
  /// There is more than this optimiser has for these parameters.
  case unexpected(file: String, name: String)
  /// There is less.
  case missing(file: String, name: String)
  /// A tensor has another shape, or a number cannot be.
  case invalid(file: String, name: String, reason: String)

  /// What is wrong and what to do.
  public var description: String {
    let (file, problem) =
      switch self {
      case .unexpected(let file, let name): (file, "has \(name), which this training does not")
      case .missing(let file, let name): (file, "lacks \(name)")
      case .invalid(let file, let name, let reason): (file, "\(name) \(reason)")
      }
    return "\(file): \(problem). It belongs to a training with other settings: continue with "
      + "those, or start anew."
  }
}
