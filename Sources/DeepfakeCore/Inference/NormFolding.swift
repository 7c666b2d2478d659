import CDFKernels

/// The folding of a batch norm into the convolution before it, computed in double precision.
struct NormFolding {
  /// The factor for the weights of each output channel.
  private let scales: [Double]
  let bias: Tensor

  init(_ norm: BatchNorm2d, after conv: Conv2d) {
    let outputs = conv.weight.shape[3]
    precondition(
      norm.weight.shape == [outputs],
      "\(norm.weight.key): \(norm.weight.shape) does not fit \(conv.weight.key) with \(outputs)"
        + " outputs"
    )
    let (gamma, beta) = (norm.weight.value.scalars, norm.bias.value.scalars)
    let (mean, variance) = (norm.runningMean.value.scalars, norm.runningVariance.value.scalars)
    let before = conv.bias?.value.scalars ?? [Float](repeating: 0, count: outputs)
    let scales = (0..<outputs).map {
      Double(gamma[$0]) / (Double(variance[$0]) + Double(norm.epsilon)).squareRoot()
    }
    let shifts = (0..<outputs).map { c in
      let centred = Double(before[c]) - Double(mean[c])
      return Float(Double(beta[c]) + centred * scales[c])
    }
    self.scales = scales
    bias = Tensor(shifts, shape: [outputs])
  }

  /// The weight [..., out] multiplied by the factors.
  func scaling(_ weight: Tensor) -> Tensor {
    Tensor(shape: weight.shape) { scaled in
      weight.withUnsafeBuffer { weight in
        for start in stride(from: 0, to: scaled.count, by: scales.count) {
          for (c, scale) in scales.enumerated() {
            scaled[start + c] = Float(Double(weight[start + c]) * scale)
          }
        }
      }
    }
  }

  /// The panels of a weight of `shape` multiplied by the factors.
  func scalingPanels(_ panels: Tensor, shape: [Int]) -> Tensor {
    var panels = panels
    panels.withUnsafeMutableBuffer {
      df_f32_scale_packed(shape[2], shape[3], scales, $0.baseAddress)
    }
    return panels
  }

  /// Releases the parameters of a convolution and of its norm, after they were packed.
  static func release(_ conv: Conv2d, _ norm: BatchNorm2d?) {
    let parameters = [
      conv.weight, conv.bias, norm?.weight, norm?.bias, norm?.runningMean, norm?.runningVariance,
    ]
    for parameter in parameters { parameter?.release() }
  }
}

extension Conv2d {
  /// The weights of a 1x1 convolution in panels, with the norm after it folded in.
  func packedInPanels(_ folding: NormFolding?) -> Tensor {
    let panels = weight.packedInPanels()
    return folding.map { $0.scalingPanels(panels, shape: weight.shape) } ?? panels
  }
}
