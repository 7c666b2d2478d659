/// What led to a pair of copies.
public enum CopyEvidence: String, Sendable, CaseIterable {
  /// Their perceptual hashes are near each other.
  case hash
  /// Parts of them look the same.
  case points
  /// Their embeddings, a learned feature, are near each other.
  case feature
}

/// Two pictures one of which is a copy of the other, and how that is known.
public struct CopyMatch: Sendable, Equatable {
  /// The link; its similarity is the correlation of the thumbnails' detail, laid over each other.
  public var link: SampleLink
  /// What the pair was found by; the thumbnails confirm it.
  public var evidence: CopyEvidence
  /// Where the second picture lies in the first.
  public var placement: CopyPlacement
}
