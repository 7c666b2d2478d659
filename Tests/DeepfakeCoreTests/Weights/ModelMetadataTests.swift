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
    metadata.classCount = 1
    metadata.cropMargin = 0.3
    metadata.labels = ["real", "fake \"deep\""]
    metadata.recipe = "dfdc-silver"
    metadata.manifestSHA256 = String(repeating: "0a", count: 32)
    metadata.calibration = LogitCalibration(scale: 0.8, offset: -0.1234567890123)
    metadata.other = ["epoch": "3", "calibration.method": "platt"]
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
    ("labels", "real"), ("manifestSHA256", "12"), ("calibration.scale", "nan"),
    ("calibration.scale", "0"), ("calibration.scale", "-1"), ("calibration.scale", "1e300"),
    ("calibration.scale", "inf"), ("calibration.scale", "steep"), ("calibration.scale", ""),
    ("calibration.offset", "nan"), ("calibration.offset", "-1e6"), ("calibration.offset", "[0]"),
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

  /// Without its other half, a number of a calibration means nothing.
  @Test(arguments: ["calibration.scale", "calibration.offset"])
  func halfACalibrationIsNone(_ missing: String) throws {
    var entries = full.entries
    entries[missing] = nil
    let error = #expect(throws: WeightsError.self) { try ModelMetadata(entries, file: "f") }
    #expect(error?.description.contains("calibration.scale") == true)
    entries["dfkit"] = nil
    #expect(try ModelMetadata(entries, file: "f").calibration == nil)
  }

  @Test func calibrationsAreAppliedToLogOdds() throws {
    let half = try #require(LogitCalibration(scale: 0.5, offset: 1))
    #expect(abs(half.probability(logit: 2) - 0.8807970779778823) < 1e-7)
    // A probability's log odds are the logit that it came from.
    #expect(abs(half.probability(of: 0.8807970779778823) - 0.8807970779778823) < 1e-6)
    let identity = try #require(LogitCalibration(scale: 1))
    for probability: Float in [0.001, 0.25, 0.5, 0.999] {
      #expect(abs(identity.probability(of: probability) - probability) < 1e-6)
    }
    // Certainty has infinite log odds, and still gives a probability.
    for probability: Float in [0, 1] {
      #expect(abs(identity.probability(of: probability) - probability) < 2e-6)
    }
    let steep = try #require(LogitCalibration(scale: 1e4, offset: -1e3))
    for logit: Float in [-.greatestFiniteMagnitude, -100, 0, 100, .greatestFiniteMagnitude] {
      #expect((0...1).contains(steep.probability(logit: logit)), "\(logit)")
    }
    for wrong in [Double.nan, .infinity, 0, -1, 1e9] {
      #expect(LogitCalibration(scale: wrong) == nil)
    }
    #expect(LogitCalibration(scale: 1, offset: .nan) == nil)
  }
}
