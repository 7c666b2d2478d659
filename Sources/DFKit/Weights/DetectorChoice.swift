import DeepfakeCore
import FaceDetect
import Foundation

/// A face detector's settings and weights.
///
/// ```swift
/// let choice = try Recipe.Detector().choice(in: WeightsStore())
/// let detector = try choice.load()
/// print("faces are found by", choice.name)
/// ```
package struct DetectorChoice: Sendable, Equatable {
  /// The kind of detector, its thresholds and the scale of frames.
  package var settings: Recipe.Detector
  package var weights: WeightsSource
  /// The name of the weights in reports: the name of a fetched entry, `built-in NAME`, or the path
  /// of a file.
  package var name: String
  /// Where the weights come from.
  package var origin: Origin
  /// The detector that was asked for, if another one is used because it has no weights.
  package var replaced: Recipe.Detector.Kind?

  package enum Origin: Sendable, Equatable {
    /// The caller or the recipe named them.
    case named
    /// `dfkit weights fetch` downloaded them.
    case fetched
    /// They ship with dfkit.
    case shipped
  }

  /// Reads the weights and makes the detector.
  ///
  /// - Throws: `WeightsError` if the weights cannot be used.
  package func load() throws(WeightsError) -> any FaceDetector {
    try settings.load(weights)
  }

  /// One line that names the detector and says how to get a better one. Nil if the caller or the
  /// recipe named the weights.
  package var remark: String? {
    let entry = (replaced ?? settings.kind).storeEntries.first
    switch origin {
    case .named: return nil
    case .fetched: return "faces are detected with \(name), which was fetched"
    case .shipped:
      let first =
        replaced.map { "the weights of \($0.rawValue) have not been fetched; faces" } ?? "faces"
      let text = "\(first) are detected with the weights that ship with dfkit"
      guard let entry else { return text }
      return "\(text). Run 'dfkit weights fetch \(entry)' to get"
        + (replaced == nil ? " a detector that finds more faces" : " them")
    }
  }
}

extension Recipe.Detector {
  /// Chooses the weights of the detector, by the same rule for all commands and the library.
  ///
  /// The first of these that applies is taken: the weights given, the weights that the recipe
  /// names, the first of the detector's `storeEntries` that has been fetched, the weights that
  /// ship.
  ///
  /// - Parameters:
  ///   - given: Weights that the caller names.
  ///   - store: The store of fetched weights; nil: fetched weights are not used.
  ///   - allowsOther: If the detector has no weights, whether a detector that ships may be used
  ///     instead, with its own thresholds and the same scale of frames.
  /// - Throws: `WeightsStoreError` if there are no weights.
  package func choice(
    given: WeightsSource? = nil, in store: WeightsStore?, allowsOther: Bool = false
  ) throws(WeightsStoreError) -> DetectorChoice {
    func choice(_ weights: WeightsSource, _ name: String, _ origin: DetectorChoice.Origin)
      -> DetectorChoice
    {
      DetectorChoice(settings: self, weights: weights, name: name, origin: origin)
    }
    if let given { return choice(given, given.name, .named) }
    if let source = weights.map({ WeightsSource(argument: $0) }) {
      guard source.exists else { throw .noFile(source.name) }
      return choice(source, source.name, .named)
    }
    if let store {
      for entry in kind.storeEntries {
        if let url = store.url(of: entry) { return choice(.file(url), entry, .fetched) }
      }
    }
    if let shipped = kind.shippedWeights {
      let source = WeightsSource.shipped(shipped)
      return choice(source, source.name, .shipped)
    }
    if allowsOther, let other = Kind.allCases.first(where: { $0.shippedWeights != nil }) {
      var settings = Recipe.Detector()
      settings.kind = other
      settings.frameScale = frameScale
      var found = try settings.choice(in: store)
      found.replaced = kind
      return found
    }
    guard let store else { throw .noHome }
    let others = Kind.allCases.filter { other in
      other.storeEntries.contains { store.url(of: $0) != nil }
    }
    throw .missing(
      detector: kind.rawValue, entry: kind.storeEntries.first, folder: store.folder.path,
      others: others.map(\.rawValue))
  }
}

extension Recipe.Detector.Kind {
  /// The registered family that makes this kind of detector.
  package var family: any DetectorFamily {
    guard let family = DetectorFamilies.named(rawValue) else {
      preconditionFailure("Recipe.Detector: no family is called \(rawValue)")
    }
    return family
  }

  /// The names of the catalogue's entries with weights for this detector, in order of preference.
  public var storeEntries: [String] { family.storeEntries }

  /// The weights for this detector that ship with dfkit; nil if there are none.
  public var shippedWeights: ShippedWeights? {
    ShippedWeights.all.first { weights in
      guard weights.card?.kind == .detector, let state = try? weights.read() else { return false }
      return Self(recognizing: state) == self
    }
  }

  /// The kind of detector that weights belong to; nil if they are not a detector's.
  public init?(recognizing weights: StateDict) {
    guard let found = DetectorWeights(recognizing: weights) else { return nil }
    self.init(rawValue: found.detector)
  }
}
