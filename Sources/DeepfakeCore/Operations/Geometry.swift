/// A height and a width: of a kernel, a stride or an image. An integer literal sets both.
public struct Size2d: Sendable, Equatable, ExpressibleByIntegerLiteral {
  /// The vertical extent.
  public var height: Int
  /// The horizontal extent.
  public var width: Int

  /// Creates a size from a height and a width.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// Creates a size of equal height and width.
  public init(_ both: Int) {
    self.init(height: both, width: both)
  }

  /// Creates a size of equal height and width.
  public init(integerLiteral both: Int) {
    self.init(both)
  }

  /// Height and width as ONNX lists them.
  var axes: [Int64] { [Int64(height), Int64(width)] }
}

/// The zeros that a convolution assumes around its input.
public enum Padding: Sendable, Equatable {
  /// Fixed numbers of rows and columns on each side, for inputs of any size.
  case explicit(top: Int, left: Int, bottom: Int, right: Int)
  /// TensorFlow's SAME, computed for each input: the output has ceil(input / stride) pixels. If the
  /// padding is odd, the extra pixel is at the bottom and right.
  case sameFromInput

  /// No padding.
  public static let none = symmetric(0)

  /// `n` rows and columns on every side.
  public static func symmetric(_ n: Int) -> Padding {
    .explicit(top: n, left: n, bottom: n, right: n)
  }

  /// TensorFlow's SAME for a square input of `nativeSize` pixels. The same padding is then used for
  /// inputs of any size, as in lukemelas's EfficientNet.
  public static func same(
    nativeSize: Int, kernel: Int, stride: Int, dilation: Int = 1
  ) -> Padding {
    let total = sameTotal(nativeSize, kernel: kernel, stride: stride, dilation: dilation)
    let before = total / 2
    return .explicit(top: before, left: before, bottom: total - before, right: total - before)
  }

  private static func sameTotal(_ input: Int, kernel: Int, stride: Int, dilation: Int) -> Int {
    max(0, (input.dividedRoundingUp(by: stride) - 1) * stride + (kernel - 1) * dilation + 1 - input)
  }

  /// The padding for an input of size `input`.
  func insets(input: Size2d, kernel: Size2d, stride: Size2d, dilation: Size2d) -> Insets {
    switch self {
    case .explicit(let top, let left, let bottom, let right):
      precondition(
        min(top, left, bottom, right) >= 0, "padding: \(self) has a negative side")
      return Insets(top: top, left: left, bottom: bottom, right: right)
    case .sameFromInput:
      let down = Self.sameTotal(
        input.height, kernel: kernel.height, stride: stride.height, dilation: dilation.height)
      let across = Self.sameTotal(
        input.width, kernel: kernel.width, stride: stride.width, dilation: dilation.width)
      return Insets(
        top: down / 2, left: across / 2, bottom: down - down / 2, right: across - across / 2)
    }
  }
}

/// Rows and columns on each side of an image.
struct Insets: Equatable {
  var top, left, bottom, right: Int
}

/// The extents of an NHWC tensor.
struct ImageShape: Equatable {
  var batch, height, width, channels: Int

  init(_ x: Tensor, _ operation: String) {
    precondition(
      x.rank == 4, "\(operation): input \(x.shape) is not [batch, height, width, channels]")
    self.init(x.shape)
  }

  /// The extents of a shape [batch, height, width, channels].
  init(_ shape: [Int]) {
    batch = shape[0]
    height = shape[1]
    width = shape[2]
    channels = shape[3]
  }

  var size: Size2d { Size2d(height: height, width: width) }
  var pixels: Int { height * width }
}
