/// Batch normalisation over all axes but the last (Ioffe and Szegedy 2015).
public struct BatchNorm2d: Module {
  /// The scale of each channel.
  public let weight: Parameter
  /// The shift of each channel.
  public let bias: Parameter
  /// The mean of each channel over past batches.
  public let runningMean: Parameter
  /// The unbiased variance of each channel over past batches.
  public let runningVariance: Parameter
  /// Added to the variance.
  public let epsilon: Float
  /// The weight of a new batch in the running statistics, as PyTorch means it.
  public let momentum: Float

  /// The kind of layer that `norm` says, for maps of so many channels.
  public init(_ scope: Scope, _ channels: Int, epsilon: Float = 1e-5, momentum: Float = 0.1) {
    weight = scope.parameter(
      "weight", shape: [channels], role: .affine, initializer: .constant(1))
    bias = scope.parameter("bias", shape: [channels], role: .affine, initializer: .constant(0))
    runningMean = scope.parameter(
      "running_mean", shape: [channels], role: .statistic, initializer: .constant(0))
    runningVariance = scope.parameter(
      "running_var", shape: [channels], role: .statistic, initializer: .constant(1))
    self.epsilon = epsilon
    self.momentum = momentum
  }

  /// The normalised tensor: by the running statistics at inference and where training freezes them;
  /// else by the batch's, and the context gets new running statistics.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode, activation: .identity)
  }

  /// The normalised tensor, activated.
  public func callAsFunction(_ x: Tensor, _ mode: Mode, activation: Activation) -> Tensor {
    guard case .training(let context) = mode, !context.freezesStatistics else {
      return x.batchNorm(
        mean: runningMean.value, variance: runningVariance.value, weight: weight.value,
        bias: bias.value, epsilon: epsilon, activation: activation)
    }
    let momentum = context.statisticsMomentum ?? momentum
    let statistics = x.channelStatistics()
    let samples = Float(x.count / weight.shape[0])
    let unbiased = samples / max(1, samples - 1)
    context.record(
      runningMean.value * (1 - momentum) + statistics.mean * momentum, for: runningMean.key)
    context.record(
      runningVariance.value * (1 - momentum) + statistics.variance * (unbiased * momentum),
      for: runningVariance.key)
    return BatchNormalization(epsilon: epsilon, measured: true, activation: activation)(
      x, statistics.mean, statistics.variance, weight.value, bias.value)
  }
}

/// Group normalisation of each image's channels (Wu and He 2018).
public struct GroupNorm: Module {
  /// The scale of each channel.
  public let weight: Parameter
  /// The shift of each channel.
  public let bias: Parameter
  /// The number of groups.
  public let groups: Int
  /// Added to the variance.
  public let epsilon: Float

  /// A norm of `channels` channels in `groups` groups.
  public init(_ scope: Scope, _ channels: Int, groups: Int, epsilon: Float = 1e-5) {
    precondition(
      groups > 0 && channels % groups == 0,
      "GroupNorm \(scope.prefix): \(groups) groups do not divide \(channels) channels")
    weight = scope.parameter(
      "weight", shape: [channels], role: .affine, initializer: .constant(1))
    bias = scope.parameter("bias", shape: [channels], role: .affine, initializer: .constant(0))
    self.groups = groups
    self.epsilon = epsilon
  }

  /// The normalised tensor; the same in both modes.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode, activation: .identity)
  }

  /// The normalised tensor, activated.
  public func callAsFunction(_ x: Tensor, _ mode: Mode, activation: Activation) -> Tensor {
    x.groupNorm(
      groups: groups, weight: weight.value, bias: bias.value, epsilon: epsilon,
      activation: activation)
  }
}
