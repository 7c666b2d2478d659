import DeepfakeCore
import Foundation
import TestSupport
import Testing

@Suite struct OperationEdgeTests {
  @Test func largeBroadcastsAreSplitRight() {
    // Larger than one block, so that the split over the pool shows: one long row, and many rows.
    for shape in [[100_003], [331, 307]] {
      let count = shape.reduce(1, *)
      let x = Tensor((0..<count).map { Float($0) }, shape: shape)
      let width = shape[shape.count - 1]
      let last = Tensor((0..<width).map { Float($0) }, shape: [width])
      let (doubled, rest, fromOne, negative) = (x + x, x - last, 1 - x, -x)
      #expect(doubled.scalars == (0..<count).map { Float(2 * $0) })
      #expect(rest.scalars == (0..<count).map { Float($0 - $0 % width) })
      #expect(fromOne.scalars == (0..<count).map { Float(1 - $0) })
      #expect(negative.scalars == (0..<count).map { Float(-$0) })
      #expect(x.flipped(axes: [-1]).flipped(axes: [-1]).scalars == x.scalars)
    }
  }

  @Test func notANumberIsNotLost() {
    let x = Tensor([1, .nan, 3, 2, 2, 2, 2, 2, 2], shape: [1, 3, 3, 1])
    let zero = Tensor(scalar: 0)
    #expect(x.max().item.isNaN)
    #expect(x.min().item.isNaN)
    #expect(x.maxPool(3).item.isNaN)
    #expect(Tensor.maximum(x, zero).scalars[1].isNaN)
    #expect(Tensor.maximum(zero, x).scalars[1].isNaN)
    #expect(Tensor.minimum(x, zero).scalars[1].isNaN)
    #expect(x.clamped(to: 0...1).scalars[1].isNaN)
    #expect(x.relu().scalars[1].isNaN)
    #expect(x.reshaped([9]).argmax() == [1])
  }

  @Test func reductionsOfNothing() {
    let empty = Tensor(zeros: [2, 0])
    #expect(empty.sum(axes: [1]).scalars == [0, 0])
    #expect(empty.mean(axes: [1]).scalars.allSatisfy { $0.isNaN })
    #expect(empty.max(axes: [1]).scalars == [-.infinity, -.infinity])
    #expect(empty.sum(axes: [0]).shape == [0])
    #expect(Tensor(scalar: 3).sum().item == 3)
    #expect(Tensor([1, 2], shape: [2]).sum(axes: []).scalars == [1, 2])
  }

  @Test func longSumsAreExact() {
    let x = Tensor(repeating: 0.1, shape: [1_000_003])
    #expect(abs(x.sum().item - 1_000_003 * 0.1) < 0.01)
    #expect(abs(x.mean().item - 0.1) < 1e-7)
  }

  @Test func softmaxOfLargeLogitsIsFinite() {
    let x = Tensor([1000, 0, -1000], shape: [3])
    #expect(x.softmax().scalars == [1, 0, 0])
    #expect(x.logSoftmax().scalars == [0, -1000, -2000])
  }

  @Test func activationsOfExtremes() {
    let x = Tensor([-.infinity, -1e30, -200, -90, -0.0, 90, 200, 1e30, .infinity], shape: [9])
    expectClose(x.sigmoid().scalars, [0, 0, 0, 0, 0.5, 1, 1, 1, 1], tolerance: 1e-6)
    let silu = x.silu().scalars
    expectClose(Array(silu[1..<7]), [0, 0, 0, 0, 90, 200], tolerance: 1e-6)
    #expect(silu[7] == 1e30)
    #expect(!silu[8].isFinite, "an overflow stays visible")
    #expect(x.relu().scalars == [0, 0, 0, 0, 0, 90, 200, 1e30, .infinity])
    #expect(x.leakyReLU(slope: 0.5).scalars[2] == -100)
    #expect(x.abs().scalars == [.infinity, 1e30, 200, 90, 0, 90, 200, 1e30, .infinity])
    for y in [x.sigmoid(), x.tanh()] { #expect(y.scalars.allSatisfy { $0.isFinite }) }
    let nan = Tensor(repeating: .nan, shape: [9])
    for y in [nan.sigmoid(), nan.silu(), nan.tanh(), nan.leakyReLU(slope: 0.1), nan.exp()] {
      #expect(y.scalars.allSatisfy { $0.isNaN })
    }
  }

  @Test func samePaddingKeptFromTheNativeSize() {
    // lukemelas's EfficientNet-B4 (380 pixels): its stem pads (0, 1), a stride-1 kernel evenly.
    #expect(
      Padding.same(nativeSize: 380, kernel: 3, stride: 2)
        == .explicit(top: 0, left: 0, bottom: 1, right: 1))
    #expect(Padding.same(nativeSize: 190, kernel: 5, stride: 1) == .symmetric(2))
    #expect(
      Padding.same(nativeSize: 95, kernel: 5, stride: 2) == .symmetric(2))
    #expect(Padding.same(nativeSize: 10, kernel: 1, stride: 2) == .none)
    #expect(Padding.same(nativeSize: 9, kernel: 3, stride: 1, dilation: 3) == .symmetric(3))
  }

  @Test func roundTrips() {
    var generator = SeededGenerator(seed: 5)
    let x = Tensor.normal(shape: [2, 3, 4, 5], using: &generator)
    #expect(x.transposed([3, 1, 0, 2]).transposed([2, 1, 3, 0]).scalars == x.scalars)
    let parts = [x.slice(axis: 1, 0..<1), x.slice(axis: -3, 1..<3)]
    #expect(Tensor.concatenated(parts, axis: 1).scalars == x.scalars)
    let padded = x.padded(before: [1, 0, 2, 0], after: [0, 1, 0, 3], value: 7)
    #expect(padded.shape == [3, 4, 6, 8])
    #expect(padded.slice([1..<3, 0..<3, 2..<6, 0..<5]).scalars == x.scalars)
    #expect(padded.scalars.filter { $0 == 7 }.count == padded.count - x.count)
  }

  @Test func resultsDoNotDependOnThreads() {
    var generator = SeededGenerator(seed: 6)
    let x = Tensor.normal(shape: [2, 33, 31, 24], using: &generator)
    let weight = Tensor.normal(shape: [3, 3, 24, 20], using: &generator)
    let matrix = Tensor.normal(shape: [24, 37], using: &generator)
    let before = Parallel.threadCount
    defer { Parallel.threadCount = before }
    let results = [1, 2, 3].map { threads in
      Parallel.threadCount = threads
      return [
        x.conv2d(weight, padding: .symmetric(1)), x.matmul(matrix), x.averagePool(3),
        x.groupNorm(
          groups: 8, weight: Tensor(repeating: 1, shape: [24]), bias: Tensor(zeros: [24])),
        x.silu(),
      ].map(\.scalars)
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test func shapesThatDoNotFitStop() async {
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [2, 3]) + Tensor(zeros: [4]) }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3]).matmul(Tensor(zeros: [2, 3]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [1, 2, 2, 3]).conv2d(Tensor(zeros: [3, 3, 3, 1]))
    }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [2, 3]).reshaped([4, -1]) }
  }
}
