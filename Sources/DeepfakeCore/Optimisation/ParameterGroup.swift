/// An optimiser's settings for some of a network's parameters. If several groups hold a parameter,
/// the first one counts. A parameter in no group learns at the full rate without weight decay.
public struct ParameterGroup: Sendable, Equatable {
  /// The prefixes of the keys that belong to the group; empty: all keys.
  public var prefixes: [String]
  /// The roles of the parameters that belong to the group.
  public var roles: Set<ParameterRole>
  /// The factor for the learning rate.
  public var learningRateScale: Float
  /// The strength of the weight decay; its exact meaning depends on the optimiser.
  public var weightDecay: Float

  /// Creates a group; by default it holds all parameters that learn.
  public init(
    prefixes: [String] = [], roles: Set<ParameterRole> = [.weight, .affine],
    learningRateScale: Float = 1, weightDecay: Float = 0
  ) {
    precondition(
      learningRateScale >= 0 && weightDecay >= 0,
      "ParameterGroup: rate scale \(learningRateScale) and decay \(weightDecay) must not be"
        + " negative"
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

  /// Weights, biases and norms decay, which is the default of PyTorch's optimisers.
  public static func decayingAll(_ decay: Float) -> [ParameterGroup] {
    [ParameterGroup(weightDecay: decay)]
  }

  /// Layers that learn more slowly the farther they are from the output (discriminative learning
  /// rates; Howard and Ruder 2018, Clark et al. 2020). The last level learns at the full rate, and
  /// each level before it at `rate` times the rate of the next. In each level, weights decay by
  /// `weightDecay`; biases and norms do not decay.
  ///
  /// A level is the part of a key up to its first number, as in `blocks.3`, or the first component
  /// if there is no number. A norm (`bn1`) belongs to the level before it. An EfficientNet thus has
  /// its stem, seven stages, its head and the classifier.
  ///
  /// - Parameters:
  ///   - rate: The factor from one level to the level before it.
  ///   - weightDecay: The decay of the weights.
  ///   - parameters: The network's parameters, from the first layer to the last.
  public static func layerwise(
    rate: Float, weightDecay: Float, over parameters: [Parameter]
  ) -> [ParameterGroup] {
    var levels: [[String]] = []
    var seen: Set<String> = []
    for parameter in parameters {
      let name = level(of: parameter.key)
      guard seen.insert(name).inserted else { continue }
      if name.hasPrefix("bn"), !levels.isEmpty {
        levels[levels.count - 1].append(name)
      } else {
        levels.append([name])
      }
    }
    var scale: Float = 1
    return levels.reversed().flatMap { level in
      defer { scale *= rate }
      let prefixes = level.map { $0 + "." }
      return [
        ParameterGroup(
          prefixes: prefixes, roles: [.weight], learningRateScale: scale, weightDecay: weightDecay),
        ParameterGroup(prefixes: prefixes, roles: [.affine], learningRateScale: scale),
      ]
    }
  }

  private static func level(of key: String) -> String {
    let parts = key.split(separator: ".")
    let number = parts.dropLast().firstIndex { $0.allSatisfy(\.isNumber) }
    return parts[...(number ?? 0)].joined(separator: ".")
  }

  func settings(for parameter: Parameter) -> ParameterGroup {
    first { $0.holds(parameter) } ?? ParameterGroup()
  }
}
