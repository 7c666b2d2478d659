/// For each output index along one axis of a resized image, the two source indices and the weight
/// of the second one.
struct ONNXResampling: Sendable {
  struct Source: Sendable {
    var low, high: Int
    var weight: Float
  }

  var sources: [Source]

  /// How output indices map to source coordinates, and coordinates to sources.
  struct Rules: Sendable {
    /// Whether the two closest pixels are interpolated; otherwise one pixel is taken.
    var isLinear: Bool
    var coordinates: String
    /// How the coordinate of one pixel is rounded.
    var rounding: String
  }

  /// Plans an axis. `scale` is the factor from `input` to `output` pixels.
  init(input: Int, output: Int, scale: Float, rules: Rules) {
    let last = Float(input - 1)
    sources = (0..<output).map { index in
      let place = Self.coordinate(index, input, output, scale, rules.coordinates)
      guard rules.isLinear else {
        let nearest = Int(min(max(Self.rounded(place, scale, rules.rounding), 0), last))
        return Source(low: nearest, high: nearest, weight: 0)
      }
      let inside = min(max(place, 0), last)
      let low = Int(inside)
      return Source(low: low, high: min(low + 1, input - 1), weight: inside - Float(low))
    }
  }

  private static func coordinate(
    _ index: Int, _ input: Int, _ output: Int, _ scale: Float, _ rule: String
  ) -> Float {
    switch rule {
    case "asymmetric": Float(index) / scale
    case "align_corners":
      output == 1 ? 0 : Float(index) * Float(input - 1) / Float(output - 1)
    case "pytorch_half_pixel" where output == 1: 0
    default: (Float(index) + 0.5) / scale - 0.5
    }
  }

  private static func rounded(_ place: Float, _ scale: Float, _ rule: String) -> Float {
    switch rule {
    case "floor": place.rounded(.down)
    case "ceil": place.rounded(.up)
    case "round_prefer_ceil": (place + 0.5).rounded(.down)
    // Version 10: up when an image shrinks, and down when it grows.
    case "simple": scale < 1 ? place.rounded(.up) : place.rounded(.towardZero)
    default: (place - 0.5).rounded(.up)
    }
  }
}

extension ONNXOperations {
  /// Resize and Upsample of images: by nearest pixels or linearly.
  static func resize(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let isOld = plan.opset < 11 || plan.node.operation == "Upsample"
    let rules = ONNXResampling.Rules(
      isLinear: try plan.text("mode", ["nearest", "linear"]) == "linear",
      coordinates: isOld
        ? "asymmetric"
        : try plan.text(
          "coordinate_transformation_mode",
          ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"]),
      rounding: isOld
        ? "simple"
        : try plan.text(
          "nearest_mode", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]))
    _ = try plan.integer("antialias", 0, in: 0...0)
    _ = try plan.integer("exclude_outside", 0, in: 0...0)
    _ = try plan.text("keep_aspect_ratio_policy", ["stretch"])
    let setting = try plan.numbers("scales")
    let axes = try plan.integers("axes")
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.images(0)
      let shape = [x.shape[0], x.shape[3], x.shape[1], x.shape[2]]
      let sizes = isOld ? nil : try arguments.list(3)
      let stated = try factors(arguments, isOld ? 1 : 2, unless: setting)
      let order = try (axes ?? [0, 1, 2, 3]).axes(rank: 4)
      var (extents, scales) = (shape, [Float](repeating: 1, count: 4))
      if let sizes, sizes.count == order.count {
        for (axis, size) in zip(order, sizes) {
          extents[axis] = size
          scales[axis] = Float(size) / Float(shape[axis])
        }
      } else if stated.count == order.count {
        for (axis, scale) in zip(order, stated) {
          guard scale > 0, scale * Float(shape[axis]) < 0x1p31 else {
            throw ONNXMismatch("its factors are \(stated)")
          }
          scales[axis] = scale
          extents[axis] = Int(scale * Float(shape[axis]))
        }
      } else {
        throw ONNXMismatch("it has neither a size nor a factor for each of its axes")
      }
      let sides = 1...ONNXLimit.side
      guard extents[0] == shape[0], extents[1] == shape[1], sides.contains(extents[2]),
        sides.contains(extents[3])
      else {
        throw ONNXMismatch("it would resize \(shape) to \(extents); dfkit resizes H and W only")
      }
      _ = try extents.elementCount(limit: ONNXLimit.expanded)
      let rows = ONNXResampling(
        input: shape[2], output: extents[2], scale: scales[2], rules: rules)
      let columns = ONNXResampling(
        input: shape[3], output: extents[3], scale: scales[3], rules: rules)
      return [.floats(ONNXFloats(channelsLast: x.resampled(rows, columns, rules.isLinear)))]
    }
  }

  /// The setting if there is one, otherwise the factors of input `index`; empty if it is left out.
  private static func factors(
    _ arguments: ONNXArguments, _ index: Int, unless setting: [Float]?
  ) throws(ONNXMismatch) -> [Float] {
    if let setting { return setting }
    guard arguments.has(index) else { return [] }
    guard case .floats(let floats) = try arguments.value(index), floats.rank == 1 else {
      throw ONNXMismatch("its input \(index + 1) is not a list of factors")
    }
    return floats.stored.scalars
  }
}

extension Tensor {
  /// NHWC images whose pixels are mixed from these rows and columns of this tensor.
  fileprivate func resampled(
    _ rows: ONNXResampling, _ columns: ONNXResampling, _ isLinear: Bool
  ) -> Tensor {
    let (batch, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    let (rows, columns) = (rows.sources, columns.sources)
    return Tensor(shape: [batch, rows.count, columns.count, channels]) { y in
      withUnsafeBuffer { x in
        guard let from = x.baseAddress, let to = y.baseAddress else { return }
        nonisolated(unsafe) let (x, y) = (from, to)
        Parallel.forEach(batch * rows.count) { line in
          let row = rows[line % rows.count]
          let image = x + line / rows.count * height * width * channels
          let (above, below) = (
            image + row.low * width * channels, image + row.high * width * channels
          )
          var target = y + line * columns.count * channels
          for column in columns {
            let (left, right) = (column.low * channels, column.high * channels)
            if isLinear {
              let corners = (
                LaneSource(above + left), LaneSource(above + right), LaneSource(below + left),
                LaneSource(below + right)
              )
              let (across, down) = (column.weight, row.weight)
              func mixed(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) -> Lanes {
                (a * (1 - across) + b * across) * (1 - down) + (c * (1 - across) + d * across)
                  * down
              }
              fillLanes(target, channels) {
                mixed(
                  corners.0.full($0), corners.1.full($0), corners.2.full($0), corners.3.full($0))
              } partial: {
                mixed(
                  corners.0.partial($0, $1), corners.1.partial($0, $1),
                  corners.2.partial($0, $1), corners.3.partial($0, $1))
              }
            } else {
              target.update(from: above + left, count: channels)
            }
            target += channels
          }
        }
      }
    }
  }
}
