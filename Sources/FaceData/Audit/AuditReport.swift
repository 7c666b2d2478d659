/// What an audit of a dataset found.
package struct AuditReport: Sendable {
  /// A part or a dataset.
  package struct Side: Sendable, Equatable {
    /// What it is called.
    package var name: String
    /// How much there is in it.
    package var outline: DataOutline
  }

  /// What is on two sides at once, in one way.
  package struct Leak: Sendable, Equatable {
    /// In which way.
    package var kind: LinkKind
    /// The sides, as indices of `sides`.
    package var first, second: Int
    /// Pairs of samples that were found (a search finds a bounded number for each sample), or the
    /// names that both sides have.
    package var pairs: Int
    /// Samples of the first side that have a partner on the second.
    package var touchedInFirst: Int
    /// Samples of the second side that have a partner on the first.
    package var touchedInSecond: Int
    /// The part of the second side that is touched, 0 to 1.
    package var share: Double
    /// The worst pairs, the worst first, no sample twice.
    package var examples: [SampleLink]
    /// How many of the pairs of near-copies were found by what.
    package var evidence: [CopyEvidence: Int] = [:]
  }

  /// Samples that cannot both be labelled right.
  package struct Conflict: Sendable, Equatable {
    /// Why they should have one label: the same file, a copy, the same video.
    package var kind: LinkKind
    /// Pairs, or videos.
    package var count: Int
    /// Some of them.
    package var examples: [SampleLink]
  }

  package var sides: [Side] = []
  /// Leaks between every two sides, kind after kind.
  package var leaks: [Leak] = []
  /// Conflicts of labels, over all sides; empty where there are none.
  package var conflicts: [Conflict] = []
  /// What can tell the labels apart without looking at a face.
  package var shortcuts: [ShortcutProbe.Finding] = []
  /// Pictures that could not be used.
  package var unreadable: [FingerprintTable.Unreadable] = []
  /// What looked at faces; nil where nothing did.
  package var embedder: String?
  /// From where on faces count as alike; nil likewise.
  package var lookAlikeThreshold: Float?

  /// The leaks that go beyond `share` of a side that is held out. The same background alone is no
  /// leak.
  package func leaks(above share: Double) -> [Leak] {
    leaks.filter { $0.kind != .background && $0.share > share }
  }
}
