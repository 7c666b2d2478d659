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

  /// Everything that learns decays, as PyTorch's optimisers do unless told otherwise.
  public static func decayingAll(_ decay: Float) -> [ParameterGroup] {
    [ParameterGroup(weightDecay: decay)]
  }

  /// Layers learn the more slowly the farther they are from the output: the last level at the full
  /// rate, each before it at `rate` times that of the next (discriminative rates; Howard and Ruder
  /// 2018, Clark et al. 2020). Of each level the weights decay by `weightDecay`, as with
  /// `decayingWeights`.
  ///
  /// A level is what keys have in common up to their first number, as in `blocks.3`, or else their
  /// first part; a norm (`bn1`) counts with the level before it. So an EfficientNet has its stem,
  /// seven stages, its head and the classifier.
  ///
  /// - Parameter parameters: The network's, from the first layer to the last.
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
