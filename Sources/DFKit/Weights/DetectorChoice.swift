import DeepfakeCore
import FaceDetect
import Foundation

/// A face detector's settings with the weights that it gets.
///
/// ```swift
/// let choice = try Recipe.Detector().choice(in: WeightsStore())
/// let detector = try choice.load()
/// print("faces are found by", choice.name)
/// ```
package struct DetectorChoice: Sendable, Equatable {
  /// Kind, thresholds and scale of frames.
  package var settings: Recipe.Detector
  /// Where the detector's weights are read from.
  package var weights: WeightsSource
  /// What reports call the weights: the name of a fetched entry, `built-in NAME`, or the path of a
  /// file.
  package var name: String
  /// Where the weights come from.
  package var origin: Origin
  /// The detector that was asked for, where another takes its place.
  package var replaced: Recipe.Detector.Kind?

  /// Where a detector's weights come from.
  package enum Origin: Sendable, Equatable {
    /// They were named: by the caller, or by the recipe.
    case named
    /// `dfkit weights fetch` brought them.
    case fetched
    /// They ship with dfkit.
    case shipped
  }

  /// The detector, ready to look for faces.
  ///
  /// - Throws: `WeightsError` where the weights cannot be used.
  package func load() throws(WeightsError) -> any FaceDetector {
    try settings.load(weights)
  }

  /// One line that says which detector it is, and how to get a better one; nil where the caller
  /// named it.
  package var remark: String? {
    let entry = (replaced ?? settings.kind).storeEntries[0]
    switch origin {
    case .named: return nil
    case .fetched: return "faces are found by \(name), which was fetched"
    case .shipped:
      let first =
        replaced.map { "the weights of \($0.rawValue) have not been fetched; faces" } ?? "faces"
      return "\(first) are found by the detector that ships. 'dfkit weights fetch \(entry)' brings"
        + (replaced == nil ? " one that finds more" : " them")
    }
  }
}

extension Recipe.Detector {
  /// The detector that these settings come to: the one rule for every command and for the library.
  ///
  /// The weights are those given; else those that the recipe names; else the first of the
  /// detector's `storeEntries` that has been fetched; else those that ship.
  ///
  /// - Parameters:
  ///   - given: weights that a caller names.
  ///   - store: where fetched weights lie; nil for nowhere.
  ///   - allowsOther: whether a detector that ships, with its own thresholds and the same scale of
  ///     frames, may take the place of one that has no weights.
  /// - Throws: `WeightsStoreError` where there are no weights.
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
      guard source.isThere else { throw .noFile(source.name) }
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
      detector: kind.rawValue, entry: kind.storeEntries[0], folder: store.folder.path,
      others: others.map(\.rawValue))
  }
}

extension Recipe.Detector.Kind {
  /// What the detector is made by.
  package var family: any DetectorFamily {
    guard let family = DetectorFamilies.named(rawValue) else {
      preconditionFailure("Recipe.Detector: no family is called \(rawValue)")
    }
    return family
  }

  /// The catalogue's entries that serve the detector, in the order in which they are looked for.
  public var storeEntries: [String] { family.storeEntries }

  /// The weights of this detector that ship; nil where none do.
  public var shippedWeights: ShippedWeights? {
    ShippedWeights.all.first { weights in
      guard weights.card?.kind == .detector, let state = try? weights.read() else { return false }
      return Self(recognizing: state) == self
    }
  }

  /// The detector that weights are for; nil where they are for none.
  public init?(recognizing weights: StateDict) {
    guard let found = DetectorWeights(recognizing: weights) else { return nil }
    self.init(rawValue: found.detector)
  }
}
