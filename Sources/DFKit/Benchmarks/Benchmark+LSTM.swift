import DeepfakeCore

extension Benchmark {
  /// The settings of an LSTM to time.
  package struct LSTMSettings: Sendable, Equatable {
    /// The number of input features.
    package var features = 2304
    /// The number of outputs of each direction.
    package var hidden = 512
    package var levels = 2
    package var isBidirectional = true
    package var steps = 25

    package init() {}

    /// The name for tables, such as `lstm-512x2-both`.
    var name: String { "lstm-\(hidden)x\(levels)" + (isBidirectional ? "-both" : "") }
  }

  /// Times a packed LSTM on `batch` sequences; times are milliseconds per sequence. In a cancelled
  /// task, throws `CancellationError` before the next run.
  package func lstm(_ settings: LSTMSettings, batch: Int) throws -> BenchmarkResult {
    let store = ParameterStore()
    let lstm = LSTM(
      store.root / "lstm", settings.features, settings.hidden, layers: settings.levels,
      isBidirectional: settings.isBidirectional)
    store.initialize(seed: 1)
    let packed = lstm.packed()
    var generator = SeededGenerator(seed: 2)
    let x = Tensor.uniform(
      shape: [batch, settings.steps, settings.features], in: -1..<1, using: &generator)
    return try measure(
      "lstm", settings.name, norm: "none",
      size: .sequence(steps: settings.steps, features: settings.features), batch: batch
    ) { _ = packed(x, lengths: nil) }
  }
}
