/// The windows of a convolution or pooling as a node's settings describe them.
struct ONNXWindows: Sendable {
  /// The size of a window; nil if the node leaves it to its weights.
  var kernel: Size2d?
  var stride: Size2d
  var dilation: Size2d
  var padding: Padding
  /// Whether the last window may reach beyond the edge.
  var ceilMode: Bool

  /// Reads and checks a node's settings.
  init(_ plan: ONNXNodePlan) throws(ONNXMismatch) {
    kernel = try Self.size(plan, "kernel_shape")
    stride = try Self.size(plan, "strides") ?? 1
    dilation = try Self.size(plan, "dilations") ?? 1
    ceilMode = try plan.flag("ceil_mode", false)
    switch try plan.text("auto_pad", ["NOTSET", "SAME_UPPER", "VALID"]) {
    case "SAME_UPPER": padding = .sameFromInput
    case "VALID": padding = .none
    default:
      let pads = try plan.integers("pads") ?? [0, 0, 0, 0]
      guard pads.count == 4, pads.allSatisfy({ (0...ONNXLimit.window).contains($0) }) else {
        throw ONNXMismatch("its setting pads is \(pads); dfkit needs four numbers from 0 up")
      }
      padding = .explicit(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
    }
  }

  private static func size(
    _ plan: ONNXNodePlan, _ name: String
  ) throws(ONNXMismatch) -> Size2d? {
    guard let extents = try plan.integers(name) else { return nil }
    guard extents.count == 2, extents.allSatisfy({ (1...ONNXLimit.window).contains($0) }) else {
      throw ONNXMismatch(
        "its setting \(name) is \(extents); dfkit has it in two dimensions only, from 1 to"
          + " \(ONNXLimit.window)")
    }
    return Size2d(height: extents[0], width: extents[1])
  }

  /// The pixels that one axis of the input gets before and after it.
  struct Edge {
    var before, after: Int
  }

  /// The margins of an input, for the rows and the columns. Throws if the input is smaller than a
  /// window.
  func edges(
    of image: ImageShape, kernel: Size2d
  ) throws(ONNXMismatch) -> (rows: Edge, columns: Edge) {
    let insets = padding.insets(
      input: image.size, kernel: kernel, stride: stride, dilation: dilation)
    let rows = Edge(before: insets.top, after: insets.bottom)
    let columns = Edge(before: insets.left, after: insets.right)
    guard
      span(image.height, rows, kernel.height, dilation.height) >= 0,
      span(image.width, columns, kernel.width, dilation.width) >= 0
    else {
      throw ONNXMismatch(
        "its input of \(image.height)x\(image.width) pixels is smaller than its window of"
          + " \(kernel.height)x\(kernel.width)")
    }
    return (rows, columns)
  }

  private func span(_ input: Int, _ edge: Edge, _ kernel: Int, _ dilation: Int) -> Int {
    input + edge.before + edge.after - dilation * (kernel - 1) - 1
  }

  /// The size of a convolution's output.
  func outputSize(of image: ImageShape, kernel: Size2d) throws(ONNXMismatch) -> Size2d {
    let (rows, columns) = try edges(of: image, kernel: kernel)
    return Size2d(
      height: span(image.height, rows, kernel.height, dilation.height) / stride.height + 1,
      width: span(image.width, columns, kernel.width, dilation.width) / stride.width + 1)
  }
}
