import DeepfakeCore

extension Familiarity {
  private static let prefix = "familiarity."
  private static let projectionKey = "familiarity.projection"
  private static let centerKey = "familiarity.center"
  private static let meansKey = "familiarity.means"

  /// Whether an entry of a file's metadata belongs to the familiarity.
  static func isEntry(_ key: String) -> Bool { key.hasPrefix(prefix) }

  /// Keys of the tensors that a weights file may hold in addition to its network's.
  static let tensorKeys: Set<String> = [projectionKey, centerKey, meansKey]
  /// The largest number of directions that is accepted from a file.
  static let dimensionLimit = 1024

  /// Reads the familiarity from a weights file; nil if the file holds none.
  ///
  /// - Parameter featureCount: The number of features of the file's network.
  /// - Throws: `WeightsError.unreadable` if a part is missing, if shapes do not fit each other or
  ///   the network, or if numbers are not finite or out of range.
  package init?(_ state: StateDict, featureCount: Int) throws(WeightsError) {
    let stored = (state[Self.projectionKey], state[Self.centerKey], state[Self.meansKey])
    let entries = state.metadata.filter { $0.key.hasPrefix(Self.prefix) }
    if stored.0 == nil, stored.1 == nil, stored.2 == nil, entries.isEmpty { return nil }
    func problem(_ what: String) -> WeightsError {
      .unreadable(
        file: state.file,
        reason: "its data on familiar faces is damaged: \(what). Create it again from the"
          + " network's weights with 'dfkit familiarity', or get the file again")
    }
    guard let projection = stored.0, let center = stored.1, let means = stored.2 else {
      throw problem(
        Self.tensorKeys.sorted().filter { state[$0] == nil }.joined(separator: ", ")
          + " is missing")
    }
    let shape = projection.shape
    guard shape.count == 2, (1...Self.dimensionLimit).contains(shape[0]), shape[1] == featureCount
    else {
      throw problem(
        "\(Self.projectionKey) has shape \(shape), expected [1 to \(Self.dimensionLimit),"
          + " \(featureCount)]")
    }
    guard center.shape == [featureCount] else {
      throw problem("\(Self.centerKey) has shape \(center.shape), expected [\(featureCount)]")
    }
    guard means.shape == [2, shape[0]] else {
      throw problem("\(Self.meansKey) has shape \(means.shape), expected [2, \(shape[0])]")
    }
    let (rows, middle) = (try projection.tensor().scalars, try center.tensor().scalars)
    let classes = try means.tensor().scalars
    guard rows.allSatisfy(\.isFinite), middle.allSatisfy(\.isFinite),
      classes.allSatisfy(\.isFinite)
    else { throw problem("its tensors have elements that are not finite") }
    for row in 0..<shape[0]
    where rows[row * featureCount..<(row + 1) * featureCount].allSatisfy({ $0 == 0 }) {
      throw problem("row \(row) of \(Self.projectionKey) is zero")
    }
    func number(_ key: String) throws(WeightsError) -> Float? {
      guard let text = entries[Self.prefix + key] else { return nil }
      guard let value = Float(text), value.isFinite, value >= 0 else {
        throw problem("\(Self.prefix)\(key) is \"\(text.prefix(40))\", expected a number from 0")
      }
      return value
    }
    guard let residual = try number("residual"), residual > 0 else {
      throw problem("\(Self.prefix)residual is not a number above 0")
    }
    self.init(
      projection: rows, center: middle,
      means: [Array(classes[..<shape[0]]), Array(classes[shape[0]...])], residual: residual)
    for trait in FamiliarityTrait.allCases {
      limits[trait] = try number("limit.\(trait.rawValue)")
    }
    for (key, value) in entries {
      let name = String(key.dropFirst(Self.prefix.count))
      if name != "residual", !name.hasPrefix("limit.") { notes[name] = value }
    }
  }

  /// Adds the tensors and metadata entries to those of a weights file, replacing any familiarity
  /// that it holds.
  package func write(to state: inout StateDict) {
    let own = StateDict(tensors: [
      .init(Self.projectionKey, Tensor(projection, shape: [dimensions, featureCount])),
      .init(Self.centerKey, Tensor(center, shape: [featureCount])),
      .init(Self.meansKey, Tensor(means[0] + means[1], shape: [2, dimensions])),
    ])
    for key in own.keys { state[key] = own[key] }
    state.metadata = state.metadata.filter { !$0.key.hasPrefix(Self.prefix) }
    state.metadata[Self.prefix + "residual"] = "\(residual)"
    for trait in FamiliarityTrait.allCases {
      state.metadata["\(Self.prefix)limit.\(trait.rawValue)"] = limits[trait].map { "\($0)" }
    }
    for (name, value) in notes { state.metadata[Self.prefix + name] = value }
  }
}
