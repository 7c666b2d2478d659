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
  /// The number added to the variance before the square root.
  public let epsilon: Float
  /// The weight of a new batch in the running statistics, defined as in PyTorch.
  public let momentum: Float

  /// Creates a norm for `channels` channels.
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

  /// The normalised `x`. At inference, and if training freezes the statistics, it uses the running
  /// statistics. Otherwise it uses the batch's statistics, and the context receives new running
  /// statistics.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode, activation: .identity)
  }

  /// The normalised `x`, followed by `activation`.
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

/// Group normalisation of the channels of each image (Wu and He 2018).
public struct GroupNorm: Module {
  /// The scale of each channel.
  public let weight: Parameter
  /// The shift of each channel.
  public let bias: Parameter
  /// The number of groups.
  public let groups: Int
  /// The number added to the variance before the square root.
  public let epsilon: Float

  /// Creates a norm of `channels` channels in `groups` groups.
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

  /// The normalised `x`; the same in training and at inference.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode, activation: .identity)
  }

  /// The normalised `x`, followed by `activation`.
  public func callAsFunction(_ x: Tensor, _ mode: Mode, activation: Activation) -> Tensor {
    x.groupNorm(
      groups: groups, weight: weight.value, bias: bias.value, epsilon: epsilon,
      activation: activation)
  }
}
