import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What every embedder promises, and how files of embedders are told apart.
@Suite(.serialized) struct FaceEmbedderTests {
  /// Pictures of noise.
  static func crops(_ count: Int, side: Int = 90) -> [Image] {
    var generator = SeededGenerator(seed: 5)
    return (0..<count).map { index in
      Image(width: side + index, height: side + 2 * index) { pixels in
        for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
      }
    }
  }

  static func network(seed: UInt64) -> LookAlikeNetwork {
    let network = LookAlikeNetwork()
    network.store.initialize(seed: seed)
    return network
  }

  static func lookAlike(seed: UInt64 = 1) -> LookAlikeEmbedder {
    LookAlikeEmbedder(
      network(seed: seed), input: LookAlikeEmbedder.input(), lookAlikeThreshold: 0.8)
  }

  static let all: [any FaceEmbedder] = [lookAlike(), InceptionResnetEmbedder(seed: 1)]

  @Test(arguments: [0, 1]) func embeddingsHaveLengthOneAndDependOnTheCropAlone(
    _ index: Int
  ) throws {
    let embedder = Self.all[index]
    let crops = Self.crops(3)
    let together = try embedder.embeddings(crops)
    #expect(together.shape == [3, embedder.dimension])
    let lengths = (together * together).sum(axes: [1]).scalars
    expectClose(lengths, [1, 1, 1], tolerance: 1e-5, embedder.name)
    let alone = try embedder.embeddings([crops[1]])
    expectClose(
      together.slice(axis: 0, 1..<2), alone, tolerance: 1e-5, "\(embedder.name) alone")
    #expect(try embedder.embeddings([]).shape == [0, embedder.dimension])
  }

  @Test func manyCropsAreEmbeddedInParts() {
    let embedder = Self.lookAlike()
    let crops = Self.crops(37, side: 20)
    let together = embedder.embeddings(crops)
    #expect(together.shape == [37, 128])
    expectClose(
      together.slice(axis: 0, 36..<37), embedder.embeddings([crops[36]]), tolerance: 1e-5)
  }

  @Test func mirrorImagesHaveTheSameLookAlikeEmbedding() {
    let embedder = Self.lookAlike()
    let crops = Self.crops(2, side: 80)
    expectClose(
      embedder.embeddings(crops.map { $0.flippedHorizontally() }), embedder.embeddings(crops),
      tolerance: 1e-4)
  }

  @Test func namesTellWeightsApart() {
    let (one, same, other) = (Self.lookAlike(), Self.lookAlike(), Self.lookAlike(seed: 2))
    #expect(one.name == same.name)
    #expect(one.name != other.name)
    #expect(one.name.hasPrefix("dfkit-look-alike-"))
  }

  @Test func filesAreRecognisedAndSaySize() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("weights.safetensors")
      let input = LookAlikeEmbedder.input(size: 64)
      let metadata = LookAlikeEmbedder.metadata(input: input, lookAlikeThreshold: 0.625)
      try Self.network(seed: 1).store.stateDict().write(
        safetensors: file, metadata: metadata.entries)
      let read = try #require(try FaceEmbedders.read(file) as? LookAlikeEmbedder)
      #expect(read.input == input)
      #expect(read.lookAlikeThreshold == 0.625)
      #expect(read.name == Self.lookAlike().name)

      let entries = InceptionResnetEmbedder.parameters.map { parameter in
        StateDict.Entry(
          parameter.key, Tensor(zeros: parameter.layout.fileShape(parameter.shape)))
      }
      try StateDict(tensors: entries).write(safetensors: file)
      #expect(try FaceEmbedders.read(file) is InceptionResnetEmbedder)
      let wrapped = try StateDict(tensors: entries).renamingKeys { "model." + $0 }
      #expect(try FaceEmbedders.embedder(wrapped) is InceptionResnetEmbedder)
    }
  }

  @Test func wrongFilesAreRefused() throws {
    let foreign = StateDict(tensors: [.init("fc.weight", Tensor(zeros: [2, 2]))])
    #expect(throws: ClassifierError.self) { try FaceEmbedders.embedder(foreign) }
    let state = Self.network(seed: 1).store.stateDict()
    var short = state
    short["bn2.weight"] = nil
    let error = #expect(throws: WeightsError.self) { try FaceEmbedders.embedder(short) }
    #expect(error?.description.contains("bn2.weight") == true)
    for entry in [["lookAlikeThreshold": "2"], ["lookAlikeThreshold": "high"], ["size": "2000"]] {
      var wrong = state
      wrong.metadata = entry.merging(["dfkit": "1"]) { $1 }
      #expect(throws: ClassifierError.self, "\(entry)") { try FaceEmbedders.embedder(wrong) }
    }
    #expect(throws: WeightsError.self) {
      try FaceEmbedders.read(URL(fileURLWithPath: "/nowhere.safetensors"))
    }
  }
}
