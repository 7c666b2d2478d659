/// What a PyTorch checkpoint is, and holds beside the tensors that were taken out of it.
package struct CheckpointSummary: Sendable, Equatable {
  /// A state dict of the checkpoint.
  package struct State: Sendable, Equatable {
    /// The entry that it is, names joined by "/" where it lies deeper.
    package var name: String
    /// The number of its tensors.
    package var tensors: Int
  }

  /// The entry that the tensors came from; nil where the checkpoint is the state dict itself.
  package var state: String?
  /// The other state dicts (weights averaged over training, say), but for what optimizers keep.
  package var others: [State] = []
  /// Classes and functions that the checkpoint names and dfkit does not know. Nothing was run; what
  /// they would have made was passed over.
  package var passedOver: [String] = []
  /// Whether it is an archive of TorchScript, whose modules' tensors were taken.
  package var isTorchScript = false
}

extension CheckpointSummary {
  /// The other states that are about as large as the one that was taken, of `tensors`: copies of
  /// the same network, between which somebody should choose.
  package func rivals(tensors: Int) -> [State] {
    others.filter { $0.tensors * 2 >= tensors && $0.tensors <= tensors * 2 }
  }
}
