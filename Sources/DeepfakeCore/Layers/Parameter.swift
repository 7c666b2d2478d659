import Synchronization

/// How a parameter's axes in a published (PyTorch) file map to the axes in memory.
public enum ParameterLayout: Sendable {
  /// The same: vectors, and anything without a convention.
  case unchanged
  /// A convolution's weight: OIHW in files, HWIO in memory (I is input channels over groups).
  case convolution
  /// A fully connected layer's weight: [out, in] in files, [in, out] in memory.
  case linear

  /// The shape in a published file of a parameter that has `shape` in memory.
  public func fileShape(_ shape: [Int]) -> [Int] {
    switch self {
    case .unchanged: shape
    case .convolution: [shape[3], shape[2], shape[0], shape[1]]
    case .linear: [shape[1], shape[0]]
    }
  }
}

/// What a parameter is for: optimisers and loaders treat the kinds differently.
public enum ParameterRole: Sendable {
  /// A weight that decays and learns.
  case weight
  /// A bias, or a norm's scale or shift: learns, does not decay.
  case affine
  /// A running statistic: never learns by gradient.
  case statistic
}

/// How a parameter that no file gave gets its first value.
public enum Initializer: Sendable {
  /// The same value everywhere.
  case constant(Float)
  /// Normal with standard deviation sqrt(2 / fanOut), as EfficientNet's convolutions (He et al.
  /// 2015).
  case heNormal(fanOut: Int)
  /// Uniform in plus or minus `bound`.
  case uniform(bound: Float)
}

/// A named tensor of a network that a file can fill and training can change.
public final class Parameter: Sendable {
  /// The key in published checkpoints: dotted, as in `blocks.1.0.se.conv_reduce.weight`.
  public let key: String
  /// The shape in memory.
  public let shape: [Int]
  /// How `shape` relates to the shape in files.
  public let layout: ParameterLayout
  /// What the parameter is for.
  public let role: ParameterRole
  /// The first value when no file gives one.
  public let initializer: Initializer

  /// A value from a file is converted when it is first read, so that a network which packs its
  /// layers one after the other never holds all of its weights twice.
  private enum Content {
    case none
    case value(Tensor)
    case stored(StoredTensor)
  }

  private let content = Mutex<Content>(.none)

  init(
    key: String, shape: [Int], layout: ParameterLayout, role: ParameterRole,
    initializer: Initializer
  ) {
    self.key = key
    self.shape = shape
    self.layout = layout
    self.role = role
    self.initializer = initializer
  }

  /// The value in memory layout; inside `valueAndGrad` the computation's gradient by it is wanted.
  /// Reading it before a file was loaded or `initialize` was called, or setting another shape, is a
  /// programmer error.
  public var value: Tensor {
    get { Tape.current?.leaf(self, current) ?? current }
    set {
      precondition(
        newValue.shape == shape, "Parameter \(key): shape \(newValue.shape) is not \(shape)")
      content.withLock { $0 = .value(newValue.detached) }
    }
  }

  /// Changes the value in place, without a copy where nothing else holds it. `body` must not read
  /// or set this parameter, and must leave the shape as it is.
  public func update(_ body: (inout Tensor) throws -> Void) rethrows {
    _ = current
    try content.withLock { content in
      guard case .value(var value) = content else { return }
      // Taken out meanwhile, so that `value` alone refers to the elements.
      content = .none
      defer { content = .value(value) }
      try body(&value)
      precondition(
        value.shape == shape, "Parameter \(key): shape \(value.shape) is not \(shape)")
    }
  }

  private var current: Tensor {
    switch content.withLock({ $0 }) {
    case .value(let value): return value
    case .stored(let stored):
      // Outside the lock: the conversion runs on the pool, and doing it twice does no harm.
      guard let value = try? stored.tensor(layout: layout) else { break }
      stored.releasePages()
      content.withLock { $0 = .value(value) }
      return value
    case .none: break
    }
    preconditionFailure("Parameter \(key): read before it was loaded or initialised")
  }

  /// The file's tensor, as long as nobody has read the value.
  var unread: StoredTensor? {
    content.withLock { if case .stored(let stored) = $0 { stored } else { nil } }
  }

  /// Takes the value from a file's tensor, whose shape must be the one that `layout` gives in
  /// files.
  func take(_ stored: StoredTensor) {
    precondition(
      stored.shape == layout.fileShape(shape),
      "Parameter \(key): shape \(stored.shape) is not \(layout.fileShape(shape))")
    content.withLock { $0 = .stored(stored) }
  }

  /// Whether there is a value.
  public var isLoaded: Bool {
    content.withLock { if case .none = $0 { false } else { true } }
  }

  /// Drops the value: what inference needs of it has been packed.
  public func release() {
    content.withLock { $0 = .none }
  }
}
