import CDFKernels
import Foundation

// The kernels' meaning, as plain loops in double precision.

func activated(_ x: Double, _ activation: df_activation, _ slope: Float) -> Double {
  switch activation {
  case DF_RELU: x < 0 ? 0 : x
  case DF_LEAKY_RELU: x < 0 ? x * Double(slope) : x
  case DF_SILU: x / (1 + exp(-x))
  case DF_SIGMOID: 1 / (1 + exp(-x))
  case DF_RELU6: min(max(x, 0), 6)
  default: x
  }
}

/// A convolution of x [batch][height][width][channels] with weights [kh][kw][in / groups][out].
func convolved(_ v: df_conv2d, _ x: [Float], _ weights: [Float], _ epilogue: Epilogue) -> [Double] {
  let inputs = v.in_channels / v.groups
  let outputs = v.out_channels / v.groups
  var y = [Double](repeating: 0, count: v.batch * v.out_height * v.out_width * v.out_channels)
  var at = 0
  for b in 0..<v.batch {
    for oy in 0..<v.out_height {
      for ox in 0..<v.out_width {
        for o in 0..<v.out_channels {
          var sum = 0.0
          for ky in 0..<v.kernel_height {
            let iy = oy * v.stride_height + ky * v.dilation_height - v.pad_top
            guard (0..<v.in_height).contains(iy) else { continue }
            for kx in 0..<v.kernel_width {
              let ix = ox * v.stride_width + kx * v.dilation_width - v.pad_left
              guard (0..<v.in_width).contains(ix) else { continue }
              let pixel = ((b * v.in_height + iy) * v.in_width + ix) * v.in_channels
              for i in 0..<inputs {
                let weight = ((ky * v.kernel_width + kx) * inputs + i) * v.out_channels + o
                sum += Double(x[pixel + o / outputs * inputs + i]) * Double(weights[weight])
              }
            }
          }
          y[at] = epilogue(sum, channel: o, at: at)
          at += 1
        }
      }
    }
  }
  return y
}

/// Each image's sums over pixels.
func pixelSums(batch: Int, pixels: Int, channels: Int, _ x: [Double]) -> [Double] {
  var sums = [Double](repeating: 0, count: batch * channels)
  for b in 0..<batch {
    for p in 0..<pixels {
      for c in 0..<channels { sums[b * channels + c] += x[(b * pixels + p) * channels + c] }
    }
  }
  return sums
}
