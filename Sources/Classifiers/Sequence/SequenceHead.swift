import DeepfakeCore

/// The part of a sequence network that reads features: an LSTM over a person's frames, a pooling
/// over its outputs, dropout and a fully connected layer with one logit.
package struct SequenceHead: Sendable {
  /// The parameters, under keys that begin with `sequence.`.
  package let store: ParameterStore
  /// The settings of the LSTM.
  package let settings: NetworkSettings.FrameSequence
  private let lstm: LSTM
  private let dropout: Dropout
  private let last: any Module

  /// The rate of dropout between levels and before the last layer, if none is given.
  package static let usualDropout: Float = 0.3
  /// The beginning of the parameters' keys.
  package static let prefix = "sequence."

  /// Creates a head without weights for `features` features of a frame.
  package init(_ settings: NetworkSettings.FrameSequence, features: Int, dropout rate: Float? = nil)
  {
    let rate = rate ?? Self.usualDropout
    store = ParameterStore()
    self.settings = settings
    let scope = store.root / "sequence"
    lstm = LSTM(
      scope / "lstm", features, settings.hidden, layers: settings.levels,
      isBidirectional: settings.isTwoWay, dropout: rate)
    dropout = Dropout(scope / "dropout", rate)
    last = Linear(scope / "head", settings.outputs, 1)
  }

  /// The head of a sequence network's weights.
  ///
  /// - Throws: `WeightsError` if they do not fit the settings in the metadata.
  package init(loading state: StateDict, features: Int) throws(WeightsError) {
    self.init(
      try ModelMetadata(state).sequence ?? NetworkSettings.FrameSequence(), features: features)
    try store.load(state.ofSequenceHead)
  }

  private init(packing head: SequenceHead) {
    store = head.store
    settings = head.settings
    lstm = head.lstm.packed()
    dropout = head.dropout
    last = head.last.forInference()
  }

  /// The head with packed weights, for inference. It releases the parameters.
  package func packed() -> SequenceHead { SequenceHead(packing: self) }

  /// The logit of each clip, [clips, 1].
  ///
  /// - Parameters:
  ///   - features: The features of each clip's frames, [clips, frames, features].
  ///   - lengths: The number of frames of each clip, at least 1; what follows them is ignored. Nil:
  ///     all clips have all frames.
  package func callAsFunction(
    _ features: Tensor, lengths: [Int]? = nil, _ mode: Mode = .inference
  ) -> Tensor {
    let outputs = lstm(features, lengths: lengths, mode).steps
    return last(dropout(pooled(outputs, lengths), mode), mode)
  }

  /// The outputs [clips, frames, outputs] as one vector of each clip, [clips, outputs].
  private func pooled(_ outputs: Tensor, _ lengths: [Int]?) -> Tensor {
    let (clips, frames, width) = (outputs.shape[0], outputs.shape[1], outputs.shape[2])
    guard let lengths, lengths.contains(where: { $0 < frames }) else {
      switch settings.pooling {
      case .mean: return outputs.mean(axes: [1])
      case .maximum: return outputs.max(axes: [1])
      case .last:
        // The first of the frames in reverse and one more: so an exported network does the same for
        // any number of frames.
        return outputs.flipped(axes: [1]).padded(before: [0, 0, 0], after: [0, 1, 0])
          .slice(axis: 1, 0..<1).reshaped([clips, width])
      }
    }
    /// A value for each frame, [clips, frames, 1].
    func mask(_ value: (_ frame: Int, _ length: Int) -> Float) -> Tensor {
      Tensor(
        lengths.flatMap { length in (0..<frames).map { value($0, length) } },
        shape: [lengths.count, frames, 1])
    }
    // The outputs after a clip's end are zero.
    switch settings.pooling {
    case .mean:
      return FixedProduct(mask { $0 < $1 ? 1 / Float($1) : 0 })(outputs).sum(axes: [1])
    case .maximum:
      // The LSTM's outputs are between -1 and 1.
      return (outputs + mask { $0 < $1 ? 0 : -4 }).max(axes: [1])
    case .last:
      return FixedProduct(mask { $0 == $1 - 1 ? 1 : 0 })(outputs).sum(axes: [1])
    }
  }
}
