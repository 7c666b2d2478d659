import Foundation

/// exp(x) divided by its sum along an axis.
package struct Softmax: Operation {
  /// The axis; a negative axis counts from the last.
  package let axis: Int

  package init(axis: Int) {
    self.axis = axis
  }

  /// Inputs: x. Saved: the output.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].alongAxis(axis, "softmax") { line in
      line.subtract(line.largest)
      let total = line.reduce { $0 + Foundation.exp(Double($1)) }
      line.update { Float(Foundation.exp(Double($0)) / total) }
    }
    return (output, [output])
  }

  /// softmax * (gradient - the sum of gradient * softmax).
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [
      gradient.alongAxis(axis, "softmax", with: saved[0]) { gradient, y in
        let total = gradient.reduce(with: y) { $0 + Double($1) * Double($2) }
        gradient.update(with: y) { Float((Double($0) - total) * Double($1)) }
      }
    ]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.alongAxis("Softmax", inputs[0], axis)
  }
}

/// The logarithm of softmax, accurate even where softmax itself rounds to zero.
package struct LogSoftmax: Operation {
  /// The axis; a negative axis counts from the last.
  package let axis: Int

  package init(axis: Int) {
    self.axis = axis
  }

  /// Inputs: x. Saved: the output.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].alongAxis(axis, "logSoftmax") { line in
      line.subtract(line.largest)
      let total = Foundation.log(line.reduce { $0 + Foundation.exp(Double($1)) })
      line.update { Float(Double($0) - total) }
    }
    return (output, [output])
  }

  /// gradient - softmax * the sum of the gradient.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [
      gradient.alongAxis(axis, "logSoftmax", with: saved[0]) { gradient, y in
        let total = gradient.reduce { $0 + Double($1) }
        gradient.update(with: y) { Float(Double($0) - Foundation.exp(Double($1)) * total) }
      }
    ]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.alongAxis("LogSoftmax", inputs[0], axis)
  }
}

extension Tensor {
  /// exp(x) divided by its sum along `axis`.
  public func softmax(axis: Int = -1) -> Tensor { Softmax(axis: axis)(self) }

  /// The logarithm of softmax along `axis`, accurate even where softmax itself rounds to zero.
  public func logSoftmax(axis: Int = -1) -> Tensor { LogSoftmax(axis: axis)(self) }

  /// A copy of this tensor in which `body` changes one line along `axis` at a time.
  fileprivate func alongAxis(_ axis: Int, _ operation: String, _ body: (Line) -> Void) -> Tensor {
    alongAxis(axis, operation, with: self) { line, _ in body(line) }
  }

  /// A copy of this tensor in which `body` changes one line along `axis` at a time. `body` also
  /// gets the corresponding line of `other`, a tensor of the same shape, which it only reads.
  fileprivate func alongAxis(
    _ axis: Int, _ operation: String, with other: Tensor, _ body: (Line, Line) -> Void
  ) -> Tensor {
    let axis = [axis].normalizedAxes(rank: rank, operation)[0]
    let (extent, stride) = (shape[axis], strides[axis])
    var copy = self
    copy.withUnsafeMutableBuffer { elements in
      other.withUnsafeBuffer { others in
        guard extent > 0 else { return }
        let others = UnsafeMutableBufferPointer(mutating: others)
        for line in 0..<elements.count / extent {
          let start = line / stride * stride * extent + line % stride
          body(
            Line(elements: elements, start: start, stride: stride, count: extent),
            Line(elements: others, start: start, stride: stride, count: extent))
        }
      }
    }
    return copy
  }
}

/// The elements of a tensor along one axis.
private struct Line {
  let elements: UnsafeMutableBufferPointer<Float>
  let start, stride, count: Int

  var largest: Float {
    var largest = -Float.infinity
    for i in 0..<count { largest = max(largest, elements[start + i * stride]) }
    return largest
  }

  func reduce(_ combine: (Double, Float) -> Double) -> Double {
    (0..<count).reduce(0) { combine($0, elements[start + $1 * stride]) }
  }

  func reduce(with other: Line, _ combine: (Double, Float, Float) -> Double) -> Double {
    (0..<count).reduce(0) {
      combine($0, elements[start + $1 * stride], other.elements[other.start + $1 * other.stride])
    }
  }

  func update(with other: Line, _ transform: (Float, Float) -> Float) {
    for i in 0..<count {
      let place = start + i * stride
      elements[place] = transform(elements[place], other.elements[other.start + i * other.stride])
    }
  }

  func update(_ transform: (Float) -> Float) {
    for i in 0..<count {
      elements[start + i * stride] = transform(elements[start + i * stride])
    }
  }

  func subtract(_ value: Float) { update { $0 - value } }
}
