import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// What reads the features of a person's frames.
@Suite struct SequenceHeadTests {
  struct Kind: Sendable, CustomTestStringConvertible {
    var pooling: NetworkSettings.FrameSequence.Pooling
    var isTwoWay: Bool
    var levels: Int

    var settings: NetworkSettings.FrameSequence {
      var settings = NetworkSettings.FrameSequence()
      settings.hidden = 5
      (settings.pooling, settings.isTwoWay, settings.levels) = (pooling, isTwoWay, levels)
      return settings
    }

    var testDescription: String { "\(pooling) \(isTwoWay ? "both" : "one") \(levels)" }

    static let all = NetworkSettings.FrameSequence.Pooling.allCases.flatMap { pooling in
      [
        Kind(pooling: pooling, isTwoWay: true, levels: 2),
        Kind(pooling: pooling, isTwoWay: false, levels: 1),
      ]
    }
  }

  private func head(_ settings: NetworkSettings.FrameSequence) -> SequenceHead {
    let head = SequenceHead(settings, features: 7)
    head.store.initialize(seed: 2)
    return head
  }

  @Test(arguments: Kind.all)
  func whatFollowsAClipsEndDoesNotCount(_ kind: Kind) {
    let head = head(kind.settings)
    let lengths = [4, 1, 3]
    let features = SequenceMaterial.features([3, 4, 7])
    let together = head(features, lengths: lengths)
    #expect(together.shape == [3, 1])
    for (clip, length) in lengths.enumerated() {
      let own = features.slice(axis: 0, clip..<clip + 1).slice(axis: 1, 0..<length)
      expectClose(
        head(own).scalars, [together.scalars[clip]], tolerance: 1e-5, "clip \(clip)")
    }
  }

  @Test(arguments: Kind.all)
  func packedWeightsGiveTheSame(_ kind: Kind) {
    let head = head(kind.settings)
    let features = SequenceMaterial.features([2, 9, 7])
    let plain = head(features, lengths: [9, 5])
    expectClose(head.packed()(features, lengths: [9, 5]), plain, tolerance: 1e-5)
  }

  /// By PyTorch's definition, the final state of a one-way LSTM is its output for the last frame.
  @Test func lastIsTheFinalState() {
    let kind = Kind(pooling: .last, isTwoWay: false, levels: 2)
    let head = head(kind.settings)
    let store = ParameterStore()
    let lstm = LSTM(store.root, 7, 5, layers: 2)
    for parameter in store.parameters {
      parameter.value = head.store["sequence.lstm.\(parameter.key)"]?.value ?? parameter.value
    }
    let features = SequenceMaterial.features([2, 6, 7])
    let final = lstm(features, lengths: [6, 2]).final.hidden.slice(axis: 0, 1..<2)
      .reshaped([2, 5])
    guard let weight = head.store["sequence.head.weight"]?.value,
      let bias = head.store["sequence.head.bias"]?.value
    else {
      Issue.record("the head has no last layer")
      return
    }
    expectClose(
      head(features, lengths: [6, 2]), final.matmul(weight) + bias, tolerance: 1e-5)
  }

  @Test func theOrderOfFramesMatters() {
    let head = head(Kind(pooling: .mean, isTwoWay: false, levels: 1).settings)
    let features = SequenceMaterial.features([1, 6, 7])
    let change = (head(features) - head(features.flipped(axes: [1]))).abs().item
    #expect(change > 1e-4)
  }

  @Test func keysAreThoseOfPyTorch() {
    let keys = head(Kind(pooling: .mean, isTwoWay: true, levels: 1).settings).store.parameters
      .map(\.key)
    let names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    #expect(
      Set(keys)
        == Set((names + names.map { $0 + "_reverse" }).map { "sequence.lstm.\($0)" })
        .union(["sequence.head.weight", "sequence.head.bias"]))
  }

  @Test func windowsCoverAllFrames() {
    var settings = NetworkSettings.FrameSequence()
    settings.frames = 4
    #expect(settings.windows(of: 10) == [0..<10])
    settings.clips = .consecutive
    #expect(settings.windows(of: 10) == [0..<4, 4..<8, 6..<10])
    #expect(settings.windows(of: 8) == [0..<4, 4..<8])
    #expect(settings.windows(of: 3) == [0..<3])
  }
}
