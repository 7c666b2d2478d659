import CDFKernels
import Foundation

/// Batch normalisation (Ioffe and Szegedy 2015) by a given mean and variance of each channel.
///
/// The statistics are inputs either way, because in training the layer needs them too, for its running
/// averages; `measured` tells a pullback that they are functions of x.
public struct BatchNormalization: Operation {
  /// Added to the variance.
  public let epsilon: Float
  /// Whether the statistics are this very x's (`Tensor.channelStatistics`).
  public let measured: Bool

  /// The operation of those settings.
  public init(epsilon: Float, measured: Bool) {
    self.epsilon = epsilon
    self.measured = measured
  }

  /// Inputs: x [..., channels]; mean, variance, scale and shift, each [channels].
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (x, mean, variance, weight, bias) = (inputs[0], inputs[1], inputs[2], inputs[3], inputs[4])
    let channels = x.shape.last ?? 0
    precondition(
      x.rank >= 2 && inputs.dropFirst().allSatisfy { $0.shape == [channels] },
      "batch norm: statistics \(mean.shape), \(variance.shape) and parameters \(weight.shape),"
        + " \(bias.shape) do not fit input \(x.shape)")
    let affine = ChannelAffine(
      mean: mean, variance: variance, weight: weight, bias: bias, epsilon: epsilon)
    let output = Tensor(shape: x.shape) { y in
      x.withUnsafeBuffer { x in
        affine.scale.withUnsafeBuffer { scale in
          affine.shift.withUnsafeBuffer { shift in
            nonisolated(unsafe) let (x, y, scale, shift) = (x, y, scale, shift)
            let rows = channels == 0 ? 0 : x.count / channels
            Parallel.forEachBlock(rows, of: max(1, (1 << 15) / max(1, channels))) { block in
              df_f32_scale_shift(
                block.count, channels, x.baseAddress?.advanced(by: block.lowerBound * channels),
                scale.baseAddress, shift.baseAddress,
                y.baseAddress?.advanced(by: block.lowerBound * channels), DF_IDENTITY, 0)
            }
          }
        }
      }
    }
    return (output, [x, mean, variance, weight])
  }
}

/// A batch norm with fixed statistics as y = x * scale + shift, computed in double precision.
struct ChannelAffine {
  let scale, shift: Tensor

  init(mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {
    let (mean, variance) = (mean.scalars, variance.scalars)
    let (weight, bias) = (weight.scalars, bias.scalars)
    let scales = weight.indices.map {
      Double(weight[$0]) / (Double(variance[$0]) + Double(epsilon)).squareRoot()
    }
    let shifts = scales.indices.map { Double(bias[$0]) - Double(mean[$0]) * scales[$0] }
    scale = Tensor(scales.map { Float($0) }, shape: [scales.count])
    shift = Tensor(shifts.map { Float($0) }, shape: [shifts.count])
  }
}

/// Group normalisation (Wu and He 2018): each image's channels in groups, normalised over a group's
/// channels and all pixels.
public struct GroupNormalization: Operation {
  /// The number of groups.
  public let groups: Int
  /// Added to the variance.
  public let epsilon: Float

  /// The operation of those settings.
  public init(groups: Int, epsilon: Float) {
    self.groups = groups
    self.epsilon = epsilon
  }

  /// Inputs: x [batch, ..., channels], scale and shift, each [channels].
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (x, weight, bias) = (inputs[0], inputs[1], inputs[2])
    let channels = checkedChannels(x, weight, bias)
    let batch = x.shape[0]
    let output = Tensor(shape: x.shape) { y in
      guard x.count > 0 else { return }
      x.withUnsafeBuffer { x in
        weight.withUnsafeBuffer { weight in
          bias.withUnsafeBuffer { bias in
            df_f32_group_norm(
              batch, x.count / (batch * channels), channels, groups, epsilon, x.baseAddress,
              weight.baseAddress, bias.baseAddress, nil, y.baseAddress, DF_IDENTITY, 0, nil, nil)
          }
        }
      }
    }
    return (output, [x, weight])
  }

  /// The channels of x; stops where they do not fit groups and parameters.
  func checkedChannels(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Int {
    let channels = x.shape.last ?? 0
    precondition(
      x.rank >= 2 && groups > 0 && channels % groups == 0 && weight.shape == [channels]
        && bias.shape == [channels],
      "group norm: \(groups) groups and parameters \(weight.shape), \(bias.shape) do not fit input"
        + " \(x.shape)")
    return channels
  }
}

/// The mean and the biased variance of each channel.
public struct ChannelStatistics: Sendable {
  /// Means, [channels].
  public var mean: Tensor
  /// Variances over all elements (divided by their number), [channels].
  public var variance: Tensor
}

extension Tensor {
  /// The mean and variance of each channel of [..., channels], in double precision.
  public func channelStatistics() -> ChannelStatistics {
    let channels = shape.last ?? 0
    precondition(channels > 0 && count > 0, "channelStatistics: shape \(shape) is empty")
    let rows = count / channels
    var means = [Double](repeating: 0, count: channels)
    var squares = [Double](repeating: 0, count: channels)
    withUnsafeBuffer { x in
      for row in 0..<rows {
        for c in 0..<channels { means[c] += Double(x[row * channels + c]) }
      }
      for c in 0..<channels { means[c] /= Double(rows) }
      for row in 0..<rows {
        for c in 0..<channels {
          let difference = Double(x[row * channels + c]) - means[c]
          squares[c] += difference * difference
        }
      }
    }
    return ChannelStatistics(
      mean: Tensor(means.map { Float($0) }, shape: [channels]),
      variance: Tensor(squares.map { Float($0 / Double(rows)) }, shape: [channels]))
  }

  /// Batch normalisation of [..., channels] by fixed statistics.
  public func batchNorm(
    mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor, epsilon: Float = 1e-5
  ) -> Tensor {
    BatchNormalization(epsilon: epsilon, measured: false)(self, mean, variance, weight, bias)
  }

  /// Group normalisation of [batch, ..., channels].
  public func groupNorm(
    groups: Int, weight: Tensor, bias: Tensor, epsilon: Float = 1e-5
  ) -> Tensor {
    GroupNormalization(groups: groups, epsilon: epsilon)(self, weight, bias)
  }
}
