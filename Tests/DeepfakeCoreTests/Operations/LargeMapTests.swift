import DeepfakeCore
import TestSupport
import Testing

/// Maps that are cut into parts: whatever the number of threads, the same bits, and the right ones.
@Suite(.serialized) struct LargeMapTests {
  private static let x = Tensor(
    Formula.uniform("large", count: 3 * 41 * 37 * 50).map { Float($0 - 0.5) },
    shape: [3, 41, 37, 50])

  @Test(arguments: [[0, 1, 2], [1, 2], [0, 1], [3], [2, 3], [0, 1, 2, 3], [0, 2], [1, 3]])
  func sums(over axes: [Int]) {
    let x = Self.x
    var expected = [Double](
      repeating: 0,
      count: x.shape.indices.reduce(1) {
        axes.contains($1) ? $0 : $0 * x.shape[$1]
      })
    for (index, value) in x.scalars.enumerated() {
      var (rest, offset, stride) = (index, 0, 1)
      for axis in x.shape.indices.reversed() {
        if !axes.contains(axis) {
          offset += rest % x.shape[axis] * stride
          stride *= x.shape[axis]
        }
        rest /= x.shape[axis]
      }
      expected[offset] += Double(value)
    }
    let found = sameForAllThreadCounts { x.sum(axes: axes) }
    expectClose(found.scalars, expected.map { Float($0) }, tolerance: 1e-5)
    let mean = sameForAllThreadCounts { x.mean(axes: axes, keepsDimensions: true) }
    let each = Double(x.count / expected.count)
    expectClose(mean.scalars, expected.map { Float($0 / each) }, tolerance: 1e-6)
    #expect(mean.shape == x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] })
  }

  @Test(arguments: [[0, 3, 1, 2], [0, 2, 1, 3], [3, 2, 1, 0], [3, 0, 1, 2], [1, 2, 3, 0]])
  func transpositions(_ permutation: [Int]) {
    let x = Self.x
    let found = sameForAllThreadCounts { x.transposed(permutation) }
    let shape = permutation.map { x.shape[$0] }
    #expect(found.shape == shape)
    let (from, to) = (x.scalars, found.scalars)
    var wrong = 0
    for index in to.indices {
      var (rest, place) = (index, [0, 0, 0, 0])
      for axis in shape.indices.reversed() {
        place[permutation[axis]] = rest % shape[axis]
        rest /= shape[axis]
      }
      let source = zip(place, x.shape).reduce(0) { $0 * $1.1 + $1.0 }
      if to[index] != from[source] { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func repetitionsAndScatters() {
    let x = Self.x
    for axes in [[1, 2], [0, 1, 2], [3], [0, 1, 2, 3]] {
      let gradient = sameForAllThreadCounts {
        valueAndGrad(at: [x]) { ($0[0].sum(axes: axes) * 2).sum() }.gradients[0]
      }
      #expect(gradient.shape == x.shape && gradient.scalars.allSatisfy { $0 == 2 })
    }
    let ranges = [0..<3, 1..<41, 0..<37, 2..<50]
    let sliced = valueAndGrad(at: [x]) {
      let part = $0[0].slice(ranges, steps: [2, 3, 1, 5])
      return (part * part).sum()
    }
    let expected = x.slice(ranges, steps: [2, 3, 1, 5])
    #expect(
      sliced.gradients[0].slice(ranges, steps: [2, 3, 1, 5]).scalars == (expected * 2).scalars)
    let inside = sliced.gradients[0].scalars.filter { $0 != 0 }.count
    #expect(inside == expected.scalars.filter { $0 != 0 }.count)
  }

  private func sameForAllThreadCounts(_ body: () -> Tensor) -> Tensor {
    let before = Parallel.threadCount
    defer { Parallel.threadCount = before }
    let results = [1, 2, 5].map { threads in
      Parallel.threadCount = threads
      return body()
    }
    for result in results.dropFirst() {
      #expect(result.scalars.map(\.bitPattern) == results[0].scalars.map(\.bitPattern))
    }
    return results[0]
  }
}
