/// Kinds of nodes that several operations add.
extension GraphBuilder {
  /// A function of each element.
  func elementwise(_ operation: String, _ x: TracedValue, _ others: String...) -> TracedValue {
    value(operation, [name(x, in: x.order)] + others, shape: x.shape, order: x.order)
  }

  /// A function of the elements along one axis.
  func alongAxis(_ operation: String, _ x: TracedValue, _ axis: Int) -> TracedValue {
    value(
      operation, [name(x, in: x.order)], ["axis": .integer(Int64(x.position(of: axis)))],
      shape: x.shape, order: x.order)
  }

  /// The maps `x` with their rows and columns mixed by weights [output, input].
  func mixed(_ x: TracedValue, rows: Tensor, columns: Tensor, output: [Int]) -> TracedValue {
    let order = [Int].channelsFirst(rank: 4)
    let across = node(
      "MatMul", [name(x, in: order), constant(columns.transposed([1, 0]))])
    return value("MatMul", [constant(rows), across], shape: output, order: order)
  }

  /// A function of pairs of elements, with broadcasting.
  func broadcasting(
    _ operation: String, _ a: TracedValue, _ b: TracedValue, output: [Int]
  ) -> TracedValue {
    let rank = output.count
    let order =
      [a, b].first { !$0.isConstant && $0.rank == rank }?.order ?? Array(output.indices)
    return value(
      operation, [a, b].map { name($0, in: order, rank: rank) }, shape: output, order: order)
  }

  /// A reduction over axes.
  func reduction(
    _ operation: String, _ x: TracedValue, _ axes: ReductionAxes, output: [Int]
  ) -> TracedValue {
    let removed = axes.resolved(rank: x.rank, operation)
    guard !removed.isEmpty else { return x }
    let positions = removed.map { x.position(of: $0) }.sorted()
    let keeps: [String: ONNXGraph.Attribute] = [
      "keepdims": .integer(axes.keepsDimensions ? 1 : 0)
    ]
    let kept = x.shape.indices.filter { !removed.contains($0) }
    let order = axes.keepsDimensions ? x.order : x.order.compactMap { kept.firstIndex(of: $0) }
    let name = name(x, in: x.order)
    // From operation set 13 on, the axes of a sum are an input; those of the others are not yet.
    guard operation != "ReduceSum" else {
      return value(operation, [name, integers(positions)], keeps, shape: output, order: order)
    }
    let attributes = keeps.merging(["axes": .integers(positions.map(Int64.init))]) { $1 }
    return value(operation, [name], attributes, shape: output, order: order)
  }

  /// A range of elements along an axis of the graph.
  struct Cut: Equatable {
    var axis, start, end, step: Int
  }

  /// The elements in some ranges; all of them along other axes.
  func slice(_ x: TracedValue, _ cuts: [Cut], output: [Int]) -> TracedValue {
    guard !cuts.isEmpty else { return x }
    if let part = part(of: x, cuts) {
      return TracedValue(.graph(part), shape: output, order: x.order)
    }
    let lists = [cuts.map(\.start), cuts.map(\.end), cuts.map(\.axis), cuts.map(\.step)]
    return value(
      "Slice", [name(x, in: x.order)] + lists.map(integers), shape: output, order: x.order)
  }
}
