import DeepfakeCore
import Foundation
import TestSupport

/// What `Fixtures/optimisation.json` holds: PyTorch's steps and scikit-learn's metrics.
struct OptimisationGoldens: Decodable {
  /// Both parameters after every step, and the gradients' norms before clipping.
  struct Trace: Decodable {
    var values: [Float]
    var norms: [Float]
  }

  /// The rate before the first step and after each; for plateaus, how they are set and what they
  /// see.
  struct Schedule: Decodable {
    struct Settings: Decodable {
      var mode: String?
      var patience: Int?
      var factor: Double?
      var threshold: Double?
      var threshold_mode: String?
      var cooldown: Int?
      var min_lr: Double?
      var eps: Double?
    }
    var settings: Settings?
    /// NaN where null.
    var metrics: [Double?]?
    var rates: [Double]
  }

  var traces: [String: Trace]
  var statistics: [String: [Float]]
  var schedules: [String: Schedule]

  static func read() throws -> OptimisationGoldens {
    try JSONDecoder().decode(
      Self.self, from: Data(contentsOf: Paths.fixture("optimisation.json")))
  }
}

/// The problem of `Fixtures/make_optimisation.py`: two parameters and a loss whose gradient is
/// written down at once.
struct Problem {
  let store = ParameterStore()
  let parameters: [Parameter]

  init() {
    let layer = store.root / "layer"
    parameters = [
      layer.parameter("weight", shape: [3, 5], role: .weight, initializer: .constant(0)),
      layer.parameter("bias", shape: [4], role: .affine, initializer: .constant(0)),
    ]
    for parameter in parameters {
      parameter.value = Tensor(numbers(parameter.key).map { 2 * $0 - 1 }, shape: parameter.shape)
    }
  }

  private func numbers(_ name: String, like key: String? = nil) -> [Float] {
    let count = store[key ?? name]?.shape.reduce(1, *) ?? 0
    return Formula.uniform(name, count: count).map { Float($0) }
  }

  /// The gradients of step `t` at the present values.
  func gradients(_ t: Int) -> Gradients {
    var gradients = Gradients()
    for parameter in parameters {
      let key = parameter.key
      let curvature = numbers("\(key):curvature", like: key)
      let noise = numbers("\(key):noise:\(t)", like: key)
      let values = parameter.value.scalars
      gradients[parameter] = Tensor(
        values.indices.map { (0.5 + curvature[$0]) * values[$0] + 2 * noise[$0] - 1 },
        shape: parameter.shape)
    }
    return gradients
  }

  /// Both parameters, one after the other.
  var values: [Float] { parameters.flatMap { $0.value.scalars } }
}
