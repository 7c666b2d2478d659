import Synchronization

/// The relation between a parameter's axes in a published (PyTorch) file and its axes in memory.
public enum ParameterLayout: Sendable {
  /// Equal axes: vectors, and parameters without a convention.
  case unchanged
  /// A convolution's weight: OIHW in files, HWIO in memory (I is input channels over groups).
  case convolution
  /// A fully connected layer's weight: [out, in] in files, [in, out] in memory.
  case linear

  /// The shape in a published file of a parameter with `shape` in memory.
  public func fileShape(_ shape: [Int]) -> [Int] {
    switch self {
    case .unchanged: shape
    case .convolution: [shape[3], shape[2], shape[0], shape[1]]
    case .linear: [shape[1], shape[0]]
    }
  }
}

/// The purpose of a parameter. Optimisers and loaders treat the roles differently.
public enum ParameterRole: Sendable {
  /// A weight; it learns, with weight decay.
  case weight
  /// A bias, or a norm's scale or shift; it learns without weight decay.
  case affine
  /// A running statistic; it never gets a gradient.
  case statistic
}

/// The method for a parameter's first value if no file gives one.
public enum Initializer: Sendable {
  /// The same value for all elements.
  case constant(Float)
  /// A normal distribution with standard deviation sqrt(2 / fanOut), as for EfficientNet's
  /// convolutions (He et al. 2015).
  case heNormal(fanOut: Int)
  /// A uniform distribution from -bound to bound.
  case uniform(bound: Float)
}

/// A named tensor of a network that a file can fill and training can change.
public final class Parameter: Sendable {
  /// The key in published checkpoints: dotted, as in `blocks.1.0.se.conv_reduce.weight`.
  public let key: String
  /// The shape in memory.
  public let shape: [Int]
  /// The relation of `shape` to the shape in files.
  public let layout: ParameterLayout
  /// The purpose of the parameter.
  public let role: ParameterRole
  /// The method for the first value if no file gives one.
  public let initializer: Initializer

  /// The value, or a file's tensor that is converted when it is first read. A network that packs
  /// its layers one after the other thus never holds all of its weights twice.
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

  /// The value in memory layout. Reading it inside `valueAndGrad` asks for its gradient.
  ///
  /// It is a programmer error to read the value before a file was loaded or `initialize` was
  /// called, or to set a value of another shape.
  public var value: Tensor {
    get { Recording.current?.leaf(self, current) ?? current }
    set {
      precondition(
        newValue.shape == shape, "Parameter \(key): shape \(newValue.shape) is not \(shape)")
      content.withLock { $0 = .value(newValue.detached) }
    }
  }

  /// Changes the value in place, without a copy if nothing else refers to it. `body` must not read
  /// or set this parameter and must not change the shape.
  public func update(_ body: (inout Tensor) throws -> Void) rethrows {
    _ = current
    try content.withLock { content in
      guard case .value(var value) = content else { return }
      // The content is taken out for now, so that only `value` refers to the elements.
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
      // The conversion runs outside the lock because it uses the thread pool. Converting twice is
      // harmless.
      guard let value = try? stored.tensor(layout: layout) else { break }
      stored.releasePages()
      content.withLock { $0 = .value(value) }
      return value
    case .none: break
    }
    preconditionFailure("Parameter \(key): read before it was loaded or initialised")
  }

  /// The file's tensor, or nil once the value has been read or set.
  var unread: StoredTensor? {
    content.withLock { if case .stored(let stored) = $0 { stored } else { nil } }
  }

  /// Takes the value from a file's tensor. Its shape must be the one that `layout` gives for files.
  func take(_ stored: StoredTensor) {
    precondition(
      stored.shape == layout.fileShape(shape),
      "Parameter \(key): shape \(stored.shape) is not \(layout.fileShape(shape))")
    content.withLock { $0 = .stored(stored) }
  }

  /// Whether the parameter has a value.
  public var isLoaded: Bool {
    content.withLock { if case .none = $0 { false } else { true } }
  }

  /// Frees the value. Inference calls this after it has packed the value.
  public func release() {
    content.withLock { $0 = .none }
  }
}
