import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// The embedders against PyTorch, with weights that each side computes from the keys
/// (`Fixtures/make_inception.py`, `Fixtures/make_look_alike.py`).
@Suite(.serialized) struct EmbedderGoldenTests {
  /// An entry of the fixtures.
  struct Entry: Decodable {
    var input: String
    var size: Int
    var batch: Int
    var varianceScale: Double
    var embeddings: [[Float]]

    var image: Tensor { Formula.image(input, batch: batch, height: size, width: size) }
  }

  static func read<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
    try JSONDecoder().decode(type, from: Data(contentsOf: Paths.fixture(name)))
  }

  /// A checkpoint with the formula's values, and the counters that PyTorch saves beside batch
  /// norms.
  static func state(_ parameters: [Parameter], _ varianceScale: Double) -> StateDict {
    StateDict(
      tensors: parameters.flatMap { parameter -> [StateDict.Entry] in
        let shape = parameter.layout.fileShape(parameter.shape)
        let values = Formula.values(parameter.key, shape: shape, varianceScale: varianceScale)
        let entry = StateDict.Entry(parameter.key, Tensor(values, shape: shape))
        guard parameter.key.hasSuffix(".running_var") else { return [entry] }
        let counter = parameter.key.dropLast("running_var".count) + "num_batches_tracked"
        return [entry, StateDict.Entry(String(counter), Tensor(scalar: 0))]
      }, file: "formula.pt")
  }

  @Test(arguments: [0, 1]) func inceptionResnet(_ index: Int) throws {
    let entry = try Self.read([Entry].self, "inception.json")[index]
    var state = Self.state(InceptionResnetEmbedder.parameters, entry.varianceScale)
    // Published checkpoints hold the classifier of the people they were trained on.
    state["logits.weight"] =
      StateDict(
        tensors: [.init("logits.weight", Tensor(zeros: [7, 512]))])["logits.weight"]
    let embedder = try InceptionResnetEmbedder(state)
    expectClose(
      embedder.embeddings(prepared: entry.image).scalars, entry.embeddings.flatMap { $0 },
      tolerance: 1e-5, entry.input)
  }

  @Test func lookAlike() throws {
    let entry = try Self.read(Entry.self, "look_alike.json")
    let network = LookAlikeNetwork()
    let state = try Self.state(network.store.parameters, entry.varianceScale)
      .renamingKeys { $0.hasSuffix(".num_batches_tracked") ? nil : $0 }
    try network.store.load(state)
    let expected = entry.embeddings.flatMap { $0 }
    expectClose(network(entry.image, .inference).scalars, expected, tolerance: 1e-5, "plain")
    let packed = LookAlikeEmbedder(network, input: LookAlikeEmbedder.input(), lookAlikeThreshold: 1)
    expectClose(
      packed.embeddings(prepared: entry.image).scalars, expected, tolerance: 1e-5, "packed")
  }

  @Test func keysAreThoseOfThePublishedCheckpoint() {
    let keys = InceptionResnetEmbedder.parameters.map(\.key)
    #expect(keys.count == 602)
    for key in [
      "conv2d_1a.conv.weight", "repeat_1.4.branch2.2.bn.running_var",
      "mixed_6a.branch0.conv.weight",
      "mixed_6a.branch1.2.bn.bias", "repeat_2.9.branch1.1.conv.weight", "repeat_3.0.conv2d.bias",
      "mixed_7a.branch2.0.bn.weight", "block8.branch1.2.conv.weight", "last_linear.weight",
      "last_bn.running_mean",
    ] {
      #expect(keys.contains(key), "\(key)")
    }
  }
}
