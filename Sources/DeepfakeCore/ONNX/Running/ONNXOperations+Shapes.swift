extension ONNXOperations {
  /// Identity, and Dropout, which changes nothing in inference.
  static func identity(_ plan: inout ONNXNodePlan) -> ONNXBody {
    { arguments throws(ONNXMismatch) in [try arguments.value(0)] }
  }

  /// Reshape: 0 keeps an extent, and -1 is computed from the number of elements.
  static func reshape(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let allowsZero = try plan.flag("allowzero", false)
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      guard var shape = try arguments.list(1) else { throw ONNXMismatch("it has no shape") }
      let stated = shape
      let count = x.shape.reduce(1, *)
      let open = shape.indices.filter { shape[$0] == -1 }
      for axis in shape.indices where shape[axis] == 0 && !allowsZero {
        guard axis < x.rank else { throw ONNXMismatch("its shape \(stated) keeps no axis") }
        shape[axis] = x.shape[axis]
      }
      for axis in open { shape[axis] = 1 }
      let known = try shape.elementCount()
      if open.count == 1, known > 0 { shape[open[0]] = count / known }
      guard open.count <= 1, try shape.elementCount() == count else {
        throw ONNXMismatch("its input of shape \(x.shape) cannot have the shape \(stated)")
      }
      return [x.reshaped(shape)]
    }
  }

  /// Flatten: a matrix of the axes before `axis` and of those from it on.
  static func flatten(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let axis = try plan.integer("axis", 1)
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      let split = axis == x.rank ? axis : try axis.axis(rank: x.rank)
      return [x.reshaped([x.shape[..<split].reduce(1, *), x.shape[split...].reduce(1, *)])]
    }
  }

  /// Transpose; without a permutation the axes are reversed.
  static func transpose(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let stated = try plan.integers("perm")
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      let permutation = stated ?? (0..<x.rank).reversed()
      guard permutation.sorted() == Array(0..<x.rank) else {
        throw ONNXMismatch("its permutation \(permutation) does not fit its input \(x.shape)")
      }
      if case .floats(let floats) = x { return [.floats(floats.transposed(permutation))] }
      return [
        x.gathered(
          shape: permutation.map { x.shape[$0] }, strides: permutation.map { x.strides[$0] })
      ]
    }
  }

  /// Squeeze removes axes of extent 1. The axes are a setting before version 13.
  static func squeeze(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let setting = try plan.integers("axes")
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      let axes =
        try (arguments.list(1, unless: setting))?.axes(rank: x.rank)
        ?? x.shape.indices.filter { x.shape[$0] == 1 }
      guard axes.allSatisfy({ x.shape[$0] == 1 }) else {
        throw ONNXMismatch("its input \(x.shape) has more than one element along \(axes)")
      }
      return [x.reshaped(x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })]
    }
  }

  /// Unsqueeze adds axes of extent 1. The axes are a setting before version 13.
  static func unsqueeze(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let setting = try plan.integers("axes")
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      let stated = try arguments.list(1, unless: setting) ?? []
      guard stated.count <= ONNXLimit.rank else {
        throw ONNXMismatch("it adds \(stated.count) axes")
      }
      let axes = try stated.axes(rank: x.rank + stated.count)
      var shape = x.shape
      for axis in axes.sorted() { shape.insert(1, at: axis) }
      _ = try shape.elementCount()
      return [x.reshaped(shape)]
    }
  }

  /// Shape, from axis `start` up to axis `end`.
  static func shape(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let start = try plan.integer("start", 0)
    let end = try plan.integer("end", 1 << 30)
    return { arguments throws(ONNXMismatch) in
      let shape = try arguments.value(0).shape
      let low = min(max(0, start < 0 ? start + shape.count : start), shape.count)
      let high = min(max(low, end < 0 ? end + shape.count : end), shape.count)
      return [.integers(ONNXIntegers(Array(shape[low..<high])))]
    }
  }

  /// Size: the number of elements.
  static func size(_ plan: inout ONNXNodePlan) -> ONNXBody {
    { arguments throws(ONNXMismatch) in
      [.integers(ONNXIntegers([try arguments.value(0).shape.reduce(1, *)], shape: []))]
    }
  }

  /// Constant.
  static func constant(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let value: ONNXValue
    if case .tensor(let stored)? = plan.node.attributes["value"] {
      value = try ONNXValue(stored)
    } else if let numbers = try plan.numbers("value_floats") {
      value = .floats(ONNXFloats(Tensor(numbers, shape: [numbers.count])))
    } else if let integers = try plan.integers("value_ints") {
      value = .integers(ONNXIntegers(integers))
    } else if plan.node.attributes["value_float"] != nil {
      value = .floats(ONNXFloats(Tensor(scalar: try plan.number("value_float", 0))))
    } else if let integer = try plan.integers("value_int"), integer.count == 1 {
      value = .integers(ONNXIntegers(integer, shape: []))
    } else {
      throw ONNXMismatch("its value is of a type that dfkit does not have")
    }
    return { _ in [value] }
  }

  /// ConstantOfShape: one number in every element.
  static func constantOfShape(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    var element = ONNXValue.floats(ONNXFloats(Tensor(scalar: 0)))
    if case .tensor(let stored)? = plan.node.attributes["value"] {
      element = try ONNXValue(stored)
    }
    guard element.shape.reduce(1, *) == 1 else {
      throw ONNXMismatch("its value has the shape \(element.shape)")
    }
    let value = element
    return { arguments throws(ONNXMismatch) in
      let shape = try arguments.list(0) ?? []
      switch value {
      case .floats(let floats):
        _ = try shape.elementCount(limit: ONNXLimit.expanded)
        return [.floats(ONNXFloats(Tensor(repeating: floats.stored.item, shape: shape)))]
      case .integers(let integers):
        let count = try shape.elementCount(limit: ONNXLimit.integers)
        return [
          .integers(
            ONNXIntegers([Int](repeating: integers.values[0], count: count), shape: shape))
        ]
      }
    }
  }

  /// Cast between floats and integers. All floats are Float32, and all integers have 64 bits.
  static func cast(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let code = try plan.integer("to", 0)
    guard let type = ONNXTensor.types[Int64(code)],
      type.isFloatingPoint || [.i64, .i32, .bool].contains(type)
    else { throw ONNXMismatch("dfkit does not cast to ONNX's type \(code)") }
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      switch (x, type.isFloatingPoint) {
      case (.floats, true): return [x]
      case (.integers(let integers), true):
        return [
          .floats(ONNXFloats(Tensor(integers.values.map { Float($0) }, shape: integers.shape)))
        ]
      case (.integers(let integers), false):
        return [
          type == .bool
            ? .integers(
              ONNXIntegers(integers.values.map { $0 == 0 ? 0 : 1 }, shape: integers.shape)) : x
        ]
      case (.floats(let floats), false):
        _ = try floats.shape.elementCount(limit: ONNXLimit.integers)
        let numbers = floats.fileOrder.scalars
        var values: [Int] = []
        values.reserveCapacity(numbers.count)
        for number in numbers {
          guard type == .bool || abs(number) < 0x1p62 else {
            throw ONNXMismatch("its input \(number) is no integer of 64 bits")
          }
          values.append(type == .bool ? (number == 0 ? 0 : 1) : Int(number))
        }
        return [.integers(ONNXIntegers(values, shape: floats.shape))]
      }
    }
  }
}

extension ONNXValue {
  /// A tensor of a file. Throws if it has more integers than a graph may use.
  init(_ stored: StoredTensor) throws(ONNXMismatch) {
    if stored.dtype.isFloatingPoint {
      self = .floats(ONNXFloats(try stored.floats()))
      return
    }
    guard stored.count <= ONNXLimit.integers else {
      throw ONNXMismatch(
        "\(stored.key) has \(stored.count) integers; dfkit has them for shapes and indices only")
    }
    self = .integers(ONNXIntegers(stored.integers, shape: stored.shape))
  }
}

extension StoredTensor {
  /// The elements of a tensor of integers. Those beyond 2^63 become the largest integer.
  fileprivate var integers: [Int] {
    func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> [Int] {
      rawBytes().withUnsafeBytes { bytes in
        (0..<count).map {
          Int(
            clamping: T(
              littleEndian: bytes.loadUnaligned(
                fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self)))
        }
      }
    }
    return switch dtype {
    case .i64: read(Int64.self)
    case .i32: read(Int32.self)
    case .i16: read(Int16.self)
    case .i8: read(Int8.self)
    case .u64: read(UInt64.self)
    case .u32: read(UInt32.self)
    case .u16: read(UInt16.self)
    case .u8, .bool: read(UInt8.self)
    case .f64, .f32, .f16, .bf16: []
    }
  }
}
