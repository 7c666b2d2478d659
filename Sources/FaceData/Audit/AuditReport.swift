/// Results of a dataset audit: leaks, label conflicts and shortcuts.
package struct AuditReport: Sendable {
  /// A part of the dataset, or one of several datasets.
  package struct Side: Sendable, Equatable {
    /// The part's or the dataset's name.
    package var name: String
    /// Numbers of samples, videos and persons of each label.
    package var outline: DataOutline
  }

  /// Data of one link kind that two sides share.
  package struct Leak: Sendable, Equatable {
    /// How the samples of the two sides are linked.
    package var kind: LinkKind
    /// The sides, as indices of `sides`.
    package var first, second: Int
    /// Number of linked pairs of samples (a search finds a bounded number for each sample). For
    /// kinds that the manifest names, the number of names that both sides have.
    package var pairs: Int
    /// Samples of the first side that have a partner on the second.
    package var touchedInFirst: Int
    /// Samples of the second side that have a partner on the first.
    package var touchedInSecond: Int
    /// The fraction of the second side's samples that are touched, 0 to 1.
    package var share: Double
    /// The most similar pairs, the worst first. No sample is in two of them.
    package var examples: [SampleLink]
    /// For near-copies, the number of pairs found by each kind of evidence.
    package var evidence: [CopyEvidence: Int] = [:]
  }

  /// Samples with different labels that should have the same one.
  package struct Conflict: Sendable, Equatable {
    /// Why they should have one label: the same file, a copy, the same video.
    package var kind: LinkKind
    /// Number of pairs, or of videos for the kind `video`.
    package var count: Int
    /// Some of the pairs, at most `DatasetAudit.exampleCount`.
    package var examples: [SampleLink]
  }

  package var sides: [Side] = []
  /// Leaks between every two sides, ordered by sides, then by kind.
  package var leaks: [Leak] = []
  /// Label conflicts over all sides; empty if there are none.
  package var conflicts: [Conflict] = []
  /// How well features unrelated to the face predict the label.
  package var shortcuts: [ShortcutProbe.Finding] = []
  /// Pictures that could not be read.
  package var unreadable: [FingerprintTable.Unreadable] = []
  /// Name of the embedder that compared faces; nil without one.
  package var embedder: String?
  /// The dot product from which faces count as alike; nil if neither the search nor an embedder
  /// sets it.
  package var lookAlikeThreshold: Float?

  /// The leaks whose `share` of the held-out side exceeds `share`. Shared backgrounds are never
  /// included: the same background alone is no leak.
  package func leaks(above share: Double) -> [Leak] {
    leaks.filter { $0.kind != .background && $0.share > share }
  }
}
