/// Settings that an optimiser has for some of a network's parameters. Of several groups the first
/// that holds a parameter counts; one that none holds learns at the full rate and does not decay.
public struct ParameterGroup: Sendable, Equatable {
  /// Beginnings of the keys that belong to the group; none: all keys.
  public var prefixes: [String]
  /// The roles that belong to it.
  public var roles: Set<ParameterRole>
  /// What the learning rate is multiplied by.
  public var learningRateScale: Float
  /// How strongly the parameters are drawn to 0; each optimiser says how.
  public var weightDecay: Float

  /// A group of all parameters, unless told otherwise.
  public init(
    prefixes: [String] = [], roles: Set<ParameterRole> = [.weight, .affine],
    learningRateScale: Float = 1, weightDecay: Float = 0
  ) {
    precondition(
      learningRateScale >= 0 && weightDecay >= 0,
      "ParameterGroup: rate scale \(learningRateScale) and decay \(weightDecay) must not be negative"
    )
    self.prefixes = prefixes
    self.roles = roles
    self.learningRateScale = learningRateScale
    self.weightDecay = weightDecay
  }

  /// Whether the group holds `parameter`.
  public func holds(_ parameter: Parameter) -> Bool {
    roles.contains(parameter.role)
      && (prefixes.isEmpty || prefixes.contains { parameter.key.hasPrefix($0) })
  }
}

extension [ParameterGroup] {
  /// Weights decay; biases and the scales and shifts of norms do not.
  public static func decayingWeights(_ decay: Float) -> [ParameterGroup] {
    [ParameterGroup(roles: [.weight], weightDecay: decay)]
  }

  /// Everything that learns decays, as PyTorch's optimisers do unless told otherwise.
  public static func decayingAll(_ decay: Float) -> [ParameterGroup] {
    [ParameterGroup(weightDecay: decay)]
  }

  /// The settings for `parameter`.
  func settings(for parameter: Parameter) -> ParameterGroup {
    first { $0.holds(parameter) } ?? ParameterGroup()
  }
}
