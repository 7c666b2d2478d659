import DeepfakeCore
import TestSupport
import Testing

/// What a recording of layers says they had to do, and that it adds up.
@Suite struct LayerTimesTests {
  struct Network: Sendable {
    let stem, depthwise, pointwise: PackedConv2d
    let norm: FusedGroupNorm
    let last: PackedLinear

    init() {
      let store = ParameterStore()
      let root = store.root
      let stem = Conv2d(root / "stem", 3, 8, kernel: 3, stride: 2, padding: .symmetric(1))
      let depthwise = Conv2d(
        root / "dw", 8, 8, kernel: 5, padding: .symmetric(2), groups: 8, bias: false)
      let pointwise = Conv2d(root / "pw", 8, 12, kernel: 1, bias: false)
      let norm = GroupNorm(root / "bn", 12, groups: 4)
      let last = Linear(root / "fc", 12, 2)
      store.initialize(seed: 1)
      self.stem = PackedConv2d(stem)
      self.depthwise = PackedConv2d(depthwise)
      self.pointwise = PackedConv2d(pointwise)
      self.norm = FusedGroupNorm(norm)
      self.last = PackedLinear(last)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      last(norm(pointwise(depthwise(stem(x)))).globalAveragePool())
    }
  }

  @Test func layersTellTheirWork() {
    let network = Network()
    let x = Tensor(repeating: 0.5, shape: [2, 6, 8, 3])
    let plain = network(x)
    let (output, entries) = LayerTimes.record { network(x) }
    #expect(output.scalars == plain.scalars)
    #expect(entries.map(\.key) == ["stem", "dw", "pw", "bn", "fc"])
    #expect(entries.map(\.work.kind) == [.convolution, .depthwise, .pointwise, .norm, .linear])
    #expect(entries.map(\.calls) == [1, 1, 1, 1, 1])
    #expect(entries.allSatisfy { $0.seconds > 0 })
    // Two images of 6x8 become maps of 3x4: 24 pixels.
    #expect(entries[0].work.input == [2, 6, 8, 3])
    #expect(entries[0].work.output == [2, 3, 4, 8])
    #expect(
      entries.map(\.work.multiplyAdds)
        == [24 * 8 * 27, 24 * 8 * 25, 24 * 8 * 12, 2 * 24 * 12, 2 * 12 * 2])
    #expect(entries[0].work.weightBytes == 4 * 8 * 27)
    #expect(entries[0].work.bytes == 4 * (2 * 48 * 3 + 24 * 8 + 8 * 27))
    #expect(entries[4].work.bytes == 4 * (2 * 12 + 2 * 2 + 12 * 2))
  }

  @Test func callsOfOneShapeAreAddedUpOnAllThreads() {
    let network = Network()
    let small = Tensor(repeating: 0.5, shape: [1, 6, 8, 3])
    let large = Tensor(repeating: 0.5, shape: [1, 12, 8, 3])
    let (_, entries) = LayerTimes.record {
      Parallel.forEach(12) { i in _ = network.stem(i % 3 == 0 ? large : small) }
    }
    let calls = Dictionary(grouping: entries, by: \.work.input).mapValues { $0.map(\.calls) }
    #expect(calls == [[1, 6, 8, 3]: [8], [1, 12, 8, 3]: [4]])
    #expect(Set(entries.map(\.key)) == ["stem"])
  }

  @Test func layersInALayerAreNotCountedTwice() {
    let network = Network()
    let x = Tensor(repeating: 0.5, shape: [1, 6, 8, 3])
    let parts = LayerTimes.record { network(x) }.entries.map(\.work)
    let (_, entries) = LayerTimes.record {
      LayerTimes.measure("whole.weight", work: LayerWork(fusing: parts)) { network(x) }
    }
    #expect(entries.map(\.key) == ["whole"])
    let work = LayerWork(fusing: parts)
    #expect(entries[0].work == work)
    #expect(work.kind == .block)
    #expect(work.multiplyAdds == parts.reduce(0) { $0 + $1.multiplyAdds })
    // What lies between the layers is not moved.
    #expect(work.bytes == 4 * (6 * 8 * 3 + 2) + parts.reduce(0) { $0 + $1.weightBytes })
  }

  @Test func timesAddUpToTheClocks() {
    let network = Network()
    let x = Tensor(repeating: 0.5, shape: [8, 64, 64, 3])
    let clock = ContinuousClock()
    var entries: [LayerTimes.Entry] = []
    let whole = clock.measure { entries = LayerTimes.record { network(x) }.entries }
    let sum = entries.reduce(0) { $0 + $1.seconds }
    #expect(sum > 0)
    #expect(.seconds(sum) <= whole)
  }

  @Test func pipelinesCountWindowsOfAllSizes() {
    let store = ParameterStore()
    let first = Conv2d(store.root / "conv1", 3, 10, kernel: 3)
    let second = Conv2d(store.root / "conv2", 10, 16, kernel: 3)
    store.initialize(seed: 1)
    let pipeline = PixelPipeline(
      [.convolution(first, nil), .maxPool(kernel: 2, stride: 2), .convolution(second, nil)],
      mean: 127.5, scale: 1 / 128)
    let image = Image(width: 40, height: 30) { _ in }
    let windows = [(12, 12), (20, 15)].map { width, height in
      PixelWindow(
        image: 0, x: 0, y: 0, width: 40, height: 30, toWidth: width, toHeight: height)
    }
    let (_, entries) = LayerTimes.record { pipeline(windows, of: [image]) }
    #expect(entries.map(\.key) == ["conv1 to conv2"])
    // Maps of 10x10 and 18x13, pooled to 5x5 and 9x7, then 3x3 and 7x5.
    #expect(
      entries[0].work.multiplyAdds == (100 + 18 * 13) * 27 * 10 + (9 + 35) * 90 * 16)
    #expect(entries[0].work.bytes == 2 * 40 * 30 * 3 + 4 * ((9 + 35) * 16 + 270 + 1440))
  }
}
