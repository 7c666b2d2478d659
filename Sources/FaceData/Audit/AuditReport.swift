/// What an audit of a dataset found.
public struct AuditReport: Sendable {
  /// A part or a dataset.
  public struct Side: Sendable, Equatable {
    /// What it is called.
    public var name: String
    /// How much there is in it.
    public var outline: DataOutline
  }

  /// What is on two sides at once, in one way.
  public struct Leak: Sendable, Equatable {
    /// In which way.
    public var kind: LinkKind
    /// The sides, as indices of `sides`.
    public var first, second: Int
    /// Pairs of samples that were found (a search finds a bounded number for each sample), or the names that both
    /// sides have.
    public var pairs: Int
    /// Samples of the first side that have a partner on the second.
    public var touchedInFirst: Int
    /// Samples of the second side that have a partner on the first.
    public var touchedInSecond: Int
    /// The part of the second side that is touched, 0 to 1.
    public var share: Double
    /// The worst pairs, the worst first, no sample twice.
    public var examples: [SampleLink]
    /// How many of the pairs of near-copies were found by what.
    public var evidence: [CopyEvidence: Int] = [:]
  }

  /// Samples that cannot both be labelled right.
  public struct Conflict: Sendable, Equatable {
    /// Why they should have one label: the same file, a copy, the same video.
    public var kind: LinkKind
    /// Pairs, or videos.
    public var count: Int
    /// Some of them.
    public var examples: [SampleLink]
  }

  /// The sides.
  public var sides: [Side] = []
  /// Leaks between every two sides, kind after kind.
  public var leaks: [Leak] = []
  /// Conflicts of labels, over all sides; empty where there are none.
  public var conflicts: [Conflict] = []
  /// What can tell the labels apart without looking at a face.
  public var shortcuts: [ShortcutProbe.Finding] = []
  /// Pictures that could not be used.
  public var unreadable: [FingerprintTable.Unreadable] = []
  /// What looked at faces; nil where nothing did.
  public var embedder: String?
  /// From where on faces count as alike; nil likewise.
  public var lookAlikeThreshold: Float?

  /// The leaks that go beyond `share` of a side that is held out. The same background alone is no leak.
  public func leaks(above share: Double) -> [Leak] {
    leaks.filter { $0.kind != .background && $0.share > share }
  }
}
