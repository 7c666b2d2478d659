import DeepfakeCore
import Testing

/// What dfkit's own files say about their network.
@Suite("Weights: model metadata")
struct ModelMetadataTests {
  private var full: ModelMetadata {
    var metadata = ModelMetadata()
    metadata.architecture = "efficientnet-b4"
    metadata.scheme = "timm"
    metadata.norm = .group
    metadata.groups = 8
    metadata.size = 224
    metadata.mean = [0.485, 0.456, 0.406]
    metadata.std = [0.229, 0.224, 0.225]
    metadata.channelOrder = .rgb
    metadata.fit = .letterbox
    metadata.classes = 1
    metadata.cropMargin = 0.3
    metadata.labels = ["real", "fake \"deep\""]
    metadata.recipe = "dfdc-silver"
    metadata.manifestSHA256 = String(repeating: "0a", count: 32)
    metadata.other = ["epoch": "3"]
    return metadata
  }

  @Test func roundTrip() throws {
    let entries = full.entries
    #expect(entries["dfkit"] == "1")
    #expect(entries["mean"] == "[0.485, 0.456, 0.406]")
    #expect(try ModelMetadata(entries, file: "f") == full)
    #expect(try ModelMetadata(ModelMetadata().entries, file: "f") == ModelMetadata())
  }

  @Test(arguments: [
    ("size", "0"), ("size", "two"), ("groups", "-1"), ("classes", ""), ("norm", "layer"),
    ("mean", "[1, 2]"), ("mean", "0.5"), ("std", "[1, 0, 1]"), ("std", "[1, 1, \"a\"]"),
    ("channelOrder", "grb"), ("fit", "crop"), ("cropMargin", "-1"), ("cropMargin", "nan"),
    ("labels", "real"), ("manifestSHA256", "12"),
  ])
  func malformedEntriesOfOursAreErrors(_ entry: (name: String, text: String)) throws {
    var entries = full.entries
    entries[entry.name] = entry.text
    let error = #expect(throws: WeightsError.self) {
      try ModelMetadata(entries, file: "model.safetensors")
    }
    #expect(error?.description.contains(entry.name) == true)
    #expect(error?.description.contains("model.safetensors") == true)
    // In another program's file the same entry only is not ours.
    entries["dfkit"] = nil
    let foreign = try ModelMetadata(entries, file: "model.safetensors")
    #expect(foreign.other[entry.name] == entry.text)
    #expect(foreign.recipe == "dfdc-silver")
  }
}
