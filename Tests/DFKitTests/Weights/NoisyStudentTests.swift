import DFKit
import Foundation
import TestSupport
import Testing

/// timm's `tf_efficientnet_b0.ns_jft_in1k` as a start of training
/// (`Fixtures/make_noisy_student.py`).
@Suite struct NoisyStudentTests {
  private struct Published: Decodable {
    var name: String
    var url: String
    var size: Int
    var mean: [Float]
    var std: [Float]
    var interpolation: String
    var licence: String
    var epsilon: Float
    var varianceScale: Double
    var logits: [[Float]]
    var shapes: [String: [Int]]
  }

  private static func published() throws -> Published {
    try JSONDecoder().decode(
      Published.self, from: Data(contentsOf: Paths.fixture("noisy_student.json")))
  }

  /// A file with the keys and shapes of timm's, and values computed from the keys.
  private static func state(_ published: Published) -> StateDict {
    StateDict(
      tensors: published.shapes.sorted { $0.key < $1.key }.map { key, shape in
        StateDict.Entry(
          key,
          Tensor(
            Formula.values(key, shape: shape, varianceScale: published.varianceScale),
            shape: shape))
      }, file: "tf_efficientnet_b0_ns.pth")
  }

  @Test func theCatalogueHasAllEight() throws {
    let catalogue = try WeightsCatalogue.builtIn()
    for number in 0..<8 {
      let entry = try catalogue.entry(named: "noisy-student-b\(number)")
      #expect(entry.kind == .imagenet && entry.scheme == "timm-tf")
      #expect(entry.network == "efficientnet-b\(number)" && entry.licence == "Apache-2.0")
      // The file's name ends in the first digits of its SHA-256.
      guard case .address(let address) = entry.source else {
        Issue.record("\(entry.name) has no address")
        continue
      }
      let hash = try #require(entry.files[0].sha256)
      #expect(hash.count == 8 && address.hasSuffix("/tf_efficientnet_b\(number)_ns-\(hash).pth"))
    }
    let published = try Self.published()
    guard case .address(let address) = try catalogue.entry(named: "noisy-student-b0").source else {
      return
    }
    #expect(address == published.url && published.licence == "apache-2.0")
  }

  @Test func itsLogitsAreTimms() throws {
    let published = try Self.published()
    #expect(published.epsilon == 1e-3 && published.interpolation == "bicubic")
    let state = Self.state(published)
    let model = try ClassifierModel(state, ClassifierOptions(scheme: .timmTF))
    #expect(model.settings.architecture == .efficientNetB0 && model.classCount == 1000)
    let input = InputSpec(size: published.size, mean: published.mean, std: published.std)
    #expect(model.input == input)
    let logits = model.logits(Formula.image(published.name, batch: 2, height: 64, width: 64))
    for (image, expected) in published.logits.enumerated() {
      let own = Array(logits.scalars[image * 1000..<(image + 1) * 1000])
      let found = stride(from: 0, to: 1000, by: 50).map { own[$0] }
      expectClose(found, expected, tolerance: 1e-5, "image \(image)")
    }
    // Read as the other kind it is another network.
    let other = try ClassifierModel(state, ClassifierOptions(scheme: .timm))
    let difference = zip(
      other.logits(Formula.image(published.name, batch: 1, height: 64, width: 64)).scalars,
      logits.scalars
    ).map { abs($0 - $1) }
    #expect(difference.max() ?? 0 > 1e-2)
  }

  @Test func trainingStartsFromEveryKeyButTheLastLayers() throws {
    let published = try Self.published()
    let state = Self.state(published)
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("tf_efficientnet_b0_ns.safetensors")
      let named = folder.appendingPathComponent("named.safetensors")
      try state.write(safetensors: file)
      try state.write(safetensors: named, metadata: ["architecture": published.name])
      let picture = folder.appendingPathComponent("a.png")
      let image = Image(width: 40, height: 40) { pixels in
        for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: i &* 37) }
      }
      try ImageFile.write(image, to: picture)
      try Data("path,label\na.png,REAL\n".utf8)
        .write(to: folder.appendingPathComponent("manifest.csv"))
      let recipe = try Recipe(
        yaml: """
          name: student
          members: [{name: b0, architecture: efficientnet-b0}]
          training: {holdOut: 0}
          """, file: "student.yaml")
      // The scheme is given, or the file's metadata has timm's name.
      for (weights, scheme) in [(file, Scheme.timmTF), (named, nil)] as [(URL, Scheme?)] {
        var job = TrainingJob(
          recipe: recipe, member: recipe.members[0], data: [folder],
          folder: RunFolder(folder.appendingPathComponent("run")))
        job.initialWeights = .init(weights)
        job.initialWeights?.scheme = scheme
        let plan = try job.plan()
        let transfer = try #require(plan.transfer)
        #expect(transfer.scheme == .timmTF && plan.recipe.members[0].scheme == .timmTF)
        #expect(transfer.new == ["classifier.weight", "classifier.bias"])
        #expect(
          Set(transfer.dropped)
            == Set(
              ["classifier.weight", "classifier.bias"]
                + (transfer.dropped.filter { $0.hasSuffix("num_batches_tracked") })))
        let learned = plan.trainer.network.parameters
        let keys = published.shapes.keys.filter { !$0.hasSuffix("num_batches_tracked") }
        #expect(Set(learned.map(\.key)) == Set(keys))
        for parameter in learned where !parameter.key.hasPrefix("classifier") {
          let shape = try #require(published.shapes[parameter.key])
          #expect(parameter.layout.fileShape(parameter.shape) == shape, "\(parameter.key)")
        }
        #expect(plan.trainer.network.input.size == published.size)
      }
    }
  }
}
