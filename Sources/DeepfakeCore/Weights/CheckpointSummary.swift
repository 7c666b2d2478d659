/// A description of a PyTorch checkpoint: the source of the tensors that were read, and its other
/// contents.
package struct CheckpointSummary: Sendable, Equatable {
  /// A state dict of the checkpoint.
  package struct State: Sendable, Equatable {
    /// The name of its entry; nested names are joined by "/".
    package var name: String
    package var tensors: Int
  }

  /// The entry that the tensors came from; nil if the checkpoint itself is the state dict.
  package var state: String?
  /// The other state dicts, for example averaged weights; states of optimizers are left out.
  package var others: [State] = []
  /// The classes and functions in the checkpoint that dfkit does not know. None was run, and the
  /// objects that they would have created were ignored.
  package var passedOver: [String] = []
  /// Whether the checkpoint is a TorchScript archive.
  package var isTorchScript = false
}

extension CheckpointSummary {
  /// The other states that have between half and twice as many tensors as the one that was read,
  /// whose number is `tensors`. They are probably copies of the same network, so the user should
  /// choose.
  package func rivals(tensors: Int) -> [State] {
    others.filter { $0.tensors * 2 >= tensors && $0.tensors <= tensors * 2 }
  }
}
