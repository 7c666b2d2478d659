/// Updates a parameter and up to two tensors of its optimiser slot in place, in one pass over the
/// elements on the thread pool. `rule` gets eight elements of each tensor at a time, and zeros for
/// a tensor that does not exist.
@inline(__always)
func updateInPlace(
  _ parameter: Parameter, _ gradient: Tensor, _ slot: inout OptimizerSlot,
  _ rule: @Sendable (inout Lanes, _ gradient: Lanes, inout Lanes, inout Lanes) -> Void
) {
  var (first, second) = (slot.first.take(), slot.second.take())
  parameter.update { value in
    value.withUnsafeMutableBuffer { value in
      gradient.withUnsafeBuffer { gradient in
        first.withMutableElements { first in
          second.withMutableElements { second in
            guard let value = value.baseAddress, let gradient = gradient.baseAddress else { return }
            nonisolated(unsafe) let elements = UpdatedElements(
              value: value, gradient: gradient, first: first, second: second)
            Parallel.forEachBlock(parameter.shape.reduce(1, *)) { elements.update($0, rule) }
          }
        }
      }
    }
  }
  (slot.first, slot.second) = (first, second)
}

/// Pointers to the elements of a parameter, its gradient and its slot.
private struct UpdatedElements {
  var value: UnsafeMutablePointer<Float>
  var gradient: UnsafePointer<Float>
  var first: UnsafeMutablePointer<Float>?
  var second: UnsafeMutablePointer<Float>?

  @inline(__always)
  func update(
    _ range: Range<Int>, _ rule: (inout Lanes, Lanes, inout Lanes, inout Lanes) -> Void
  ) {
    var index = range.lowerBound
    while index &+ 8 <= range.upperBound {
      var value = value.lanes(index)
      var one = first?.lanes(index) ?? .zero
      var two = second?.lanes(index) ?? .zero
      rule(&value, LaneSource(gradient).full(index), &one, &two)
      self.value.setLanes(index, value)
      first?.setLanes(index, one)
      second?.setLanes(index, two)
      index &+= 8
    }
    let rest = range.upperBound &- index
    guard rest > 0 else { return }
    var value = LaneSource(value).partial(index, rest)
    var one = first.map { LaneSource($0).partial(index, rest) } ?? .zero
    var two = second.map { LaneSource($0).partial(index, rest) } ?? .zero
    rule(&value, LaneSource(gradient).partial(index, rest), &one, &two)
    for lane in 0..<rest {
      self.value[index &+ lane] = value[lane]
      first?[index &+ lane] = one[lane]
      second?[index &+ lane] = two[lane]
    }
  }
}

extension UnsafeMutablePointer<Float> {
  @inline(__always)
  fileprivate func lanes(_ index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  fileprivate func setLanes(_ index: Int, _ lanes: Lanes) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: lanes, as: Lanes.self)
  }
}

extension Tensor? {
  /// Calls `body` with a pointer to the elements, to change them in place, or with nil.
  @inline(__always)
  fileprivate mutating func withMutableElements(
    _ body: (UnsafeMutablePointer<Float>?) -> Void
  ) {
    guard var tensor = take() else { return body(nil) }
    tensor.withUnsafeMutableBuffer { body($0.baseAddress) }
    self = tensor
  }
}
