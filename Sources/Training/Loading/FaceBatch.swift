import DeepfakeCore
import FaceData

/// Some face crops as a network in training takes them.
public struct FaceBatch: Sendable {
  /// A picture that could not be used.
  public struct Skipped: Sendable {
    /// The sample's index in the manifest.
    public let index: Int
    /// Why.
    public let error: DatasetError
  }

  /// [crops, size, size, 3], normalised; no crop where all were to be skipped.
  public let images: Tensor
  /// [crops], what the probability of "fake" should be: 0 or 1, or between them after mixup.
  public let labels: Tensor
  /// The samples' indices in the manifest.
  public let indices: [Int]
  /// What was to be in the batch and is not.
  public let skipped: [Skipped]
  /// How many samples of the order have been used up to here: where a loader that goes on begins.
  public let end: Int
}
