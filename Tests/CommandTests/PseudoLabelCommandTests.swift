import DFKit
import Foundation
import TestSupport
import Testing

/// `pseudo-label`, with teachers of random weights on noise.
@Suite struct PseudoLabelCommandTests {
  private static let recipe = """
    name: pair
    members:
      - {name: small, architecture: efficientnet-b0, size: 64}
      - {name: large, architecture: efficientnet-b0, size: 64}
    training: {epochs: 1, batchSize: 4, augmentation: none}
    """

  private func noise(isDark: Bool, seed: UInt64) -> Image {
    var generator = SeededGenerator(seed: seed)
    return Image(width: 40, height: 40) { pixels in
      for i in pixels.indices {
        pixels[i] = UInt8(truncatingIfNeeded: generator.next()) / (isDark ? 3 : 1)
      }
    }
  }

  /// Writes a network of random weights whose last layer is changed so that the logits of the
  /// pictures have a mean of 0 and reach 3 or -3.
  private func teacher(_ url: URL, seed: UInt64) throws {
    try Material.classifier(url, seed: seed)
    let state = try StateDict.read(url)
    let probes = try ClassifierModel(state).logits(
      of: (0..<24).map { noise(isDark: $0 % 2 == 0, seed: UInt64($0)) }
    ).map { $0[0] }
    let mean = probes.reduce(0, +) / 24
    let scale = 3 / (probes.map { abs($0 - mean) }.max() ?? 1)
    let entries = try state.keys.map { key in
      let tensor = try #require(state[key]).tensor()
      guard key.hasPrefix("classifier.") else { return StateDict.Entry(key, tensor) }
      let offset = key == "classifier.bias" ? -scale * mean : 0
      return StateDict.Entry(
        key, Tensor(tensor.scalars.map { $0 * scale + offset }, shape: tensor.shape))
    }
    try StateDict(tensors: entries, file: "").write(safetensors: url, metadata: state.metadata)
  }

  /// A folder with two teachers and unlabelled faces in four videos of six; one picture is broken.
  private func withMaterial(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      for seed in [1, 2] as [UInt64] {
        try teacher(folder.appendingPathComponent("\(seed).safetensors"), seed: seed)
      }
      try Data(Self.recipe.utf8).write(to: folder.appendingPathComponent("pair.yaml"))
      var lines = ["path,video,origin,split,hue"]
      for index in 0..<24 {
        let image = noise(isDark: index % 2 == 0, seed: UInt64(index))
        try ImageFile.write(image, to: folder.appendingPathComponent("\(index).png"))
        let part = index < 18 ? "train" : index < 21 ? "validation" : "test"
        lines.append("\(index).png,v\(index / 6),\(index < 12 ? "one" : "two"),\(part),h\(index)")
      }
      try Data("no picture".utf8).write(to: folder.appendingPathComponent("5.png"))
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: folder.appendingPathComponent("faces.csv"))
      try body(folder)
    }
  }

  private static let arguments = [
    "pseudo-label", "faces.csv", "--output", "labels.csv", "--cache", "none", "--no-balance",
  ]

  private func probabilities(_ folder: URL, _ options: [String]) throws -> [String: Double] {
    let names = (0..<18).filter { $0 != 5 }.map { "\($0).png" }
    let entries: [[String: Any]] =
      try Tool.run(["classify", "--json"] + names + options, in: folder).json()
    let values = try entries.map { try #require($0["probability"] as? Double) }
    return Dictionary(uniqueKeysWithValues: zip(names, values))
  }

  @Test(arguments: [
    ["--weights", "1.safetensors"],
    [
      "--recipe", "pair.yaml", "--weights", "small=1.safetensors", "--weights",
      "large=2.safetensors",
    ],
  ])
  func facesGetTheProbabilityThatClassifyGives(_ teacher: [String]) throws {
    try withMaterial { folder in
      let expected = try probabilities(folder, teacher)
      let result = try Tool.run(
        Self.arguments + teacher + ["--sure", "0.5", "--per-video", "all", "--json"], in: folder)
      // One picture is broken.
      #expect(result.status == 1, "\(result.errors)")
      let report: [String: Any] = try result.json()
      #expect(report["judged"] as? Int == 17 && report["leftOut"] as? Int == 6)
      #expect(report["kept"] as? Int == 17 && report["calibrated"] as? Bool == false)
      let failures = try #require(report["failures"] as? [[String: String]])
      #expect(failures.count == 1 && failures[0]["file"] == "5.png")
      let sources = try #require(report["sources"] as? [[String: Any]])
      #expect(sources.map { $0["source"] as? String } == ["one", "two"])
      #expect(sources.map { $0["judged"] as? Int } == [11, 6])

      let text = try String(
        contentsOf: folder.appendingPathComponent("labels.csv"), encoding: .utf8)
      #expect(text.hasPrefix("path,video,origin,hue,label,probability,teacher\n0.png,v0,one,h0,"))
      let labels = try FaceManifest.read(folder.appendingPathComponent("labels.csv"))
      #expect(labels.count == 17 && labels.ignoredColumns == ["hue"])
      for sample in labels.samples {
        let probability = try #require(sample.probability)
        #expect(abs(Double(probability) - (expected[sample.path] ?? .nan)) < 1e-6)
        #expect(sample.label == (probability >= 0.5 ? .fake : .real))
      }
      let information = try #require(report["teacher"] as? [String: String])
      let hash = try #require(information["sha256"])
      #expect(labels.teachers == ["\(information["name"] ?? ""), SHA-256 \(hash.prefix(16))"])
      if teacher.count == 2 {
        let file = folder.appendingPathComponent("1.safetensors")
        #expect(hash == SHA256.digits(of: try Data(contentsOf: file)))
      }
    }
  }

  @Test func whatIsSureIsKeptAndKnownAgain() throws {
    try withMaterial { folder in
      let teacher = ["--weights", "1.safetensors"]
      let expected = try probabilities(folder, teacher)
      // Between the two middle values of how sure the teacher is.
      let sure = expected.values.map { max($0, 1 - $0) }.sorted()
      let limit = (sure[8] + sure[9]) / 2
      let options =
        ["pseudo-label", "faces.csv", "--no-balance", "--cache", "scores", "--sure", "\(limit)"]
        + teacher
      let result = try Tool.run(options + ["--out", "labels.csv"], in: folder)
      #expect(result.status == 1)
      #expect(result.output.contains("wrote labels.csv; train a student with --data LABELLED"))
      #expect(result.output.contains("1 pictures cannot be judged:\n  5.png: "))
      #expect(result.output.contains("6 samples of the parts validation, test and unused"))
      let labels = try FaceManifest.read(folder.appendingPathComponent("labels.csv"))
      #expect(
        Set(labels.samples.map(\.path))
          == Set(expected.filter { max($0.value, 1 - $0.value) > limit }.keys))
      #expect(labels.count == 8)
      // From the cache, and on one thread: the same, byte for byte.
      for extra in [[], ["--cache", "none", "--threads", "1"]] {
        let again = try Tool.run(options + ["--output", "again.csv"] + extra, in: folder)
        #expect(again.status == 1)
        #expect(
          try Data(contentsOf: folder.appendingPathComponent("again.csv"))
            == Data(contentsOf: folder.appendingPathComponent("labels.csv")))
      }
      let cached = try FileManager.default.contentsOfDirectory(
        atPath: folder.appendingPathComponent("scores").path)
      #expect(cached.count == 1)
    }
  }

  @Test func aStudentLearnsFromThem() throws {
    try withMaterial { folder in
      let made = try Tool.run(
        Self.arguments + ["--weights", "1.safetensors", "--sure", "0.5", "--per-video", "all"],
        in: folder)
      #expect(made.status == 1)
      var lines = ["path,label,video,split"]
      for index in 0..<12 {
        try Material.picture(
          folder.appendingPathComponent("known\(index).png"), seed: UInt64(index + 50))
        let video = index < 8 ? "k\(index / 2)" : "v0"
        lines.append(
          "known\(index).png,\(index % 2 == 0 ? "REAL" : "FAKE"),\(video),"
            + (index < 8 ? "train" : "validation"))
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: folder.appendingPathComponent("known.csv"))
      let arguments = [
        "train", "--data", "known.csv", "--data", "labels.csv", "--recipe", "pair.yaml",
        "--member", "small", "--output", "run",
      ]
      let run = try Tool.run(arguments, in: folder)
      #expect(run.status == 0, "\(run.errors)")
      // The video v0 is held out, so the five faces of it that were judged are not used.
      #expect(run.output.contains("12 training samples are pseudo-labelled; teacher: "))
      #expect(run.output.contains("5 pseudo-labelled samples are not used: they are linked"))
      let alone = try Tool.run(
        [
          "train", "--data", "labels.csv", "--recipe", "pair.yaml", "--member", "1", "--output",
          "alone",
        ], in: folder)
      #expect(alone.status == 1 && alone.errors.contains("a teacher gave all labels of the data"))
      let judged = try Tool.run(
        ["calibrate", "--data", "labels.csv", "--weights", "2.safetensors", "--split", "all"],
        in: folder)
      #expect(judged.status == 1 && judged.errors.contains("a teacher gave all labels of the data"))
    }
  }

  @Test func whatCannotBeUsedIsNamed() throws {
    try withMaterial { folder in
      func failure(_ arguments: [String]) throws -> String {
        let result = try Tool.run(arguments, in: folder)
        #expect(result.status == 1, "\(arguments)\n\(result.output)")
        return result.errors
      }
      let teacher = ["--weights", "1.safetensors"]
      let none = try failure(Self.arguments + teacher + ["--sure", "1"])
      #expect(none.contains("the teacher is sure of none of the 17 faces"), "\(none)")
      #expect(none.contains("Lower --sure (1.0)"))
      #expect(
        !FileManager.default.fileExists(atPath: folder.appendingPathComponent("labels.csv").path))
      #expect(try failure(Self.arguments + ["--weights", "no.pth"]).contains("no.pth"))
      #expect(try failure(Self.arguments + ["--recipe", "no.yaml"]).contains("no.yaml"))
      #expect(
        try failure(["pseudo-label", "none.csv", "--output", "o.csv"] + teacher)
          .contains("none.csv"))
      #expect(
        try failure(["pseudo-label", "faces.csv", "--output", "./faces.csv"] + teacher)
          .contains("it is the manifest faces.csv"))
      #expect(
        try failure(Self.arguments + teacher + ["--only", "x"])
          .contains("no sample of the data has the given path prefix"))
      func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
      }
      try write("path,split\n20.png,validation\n", "held.csv")
      #expect(
        try failure(["pseudo-label", "held.csv", "--output", "o.csv"] + teacher)
          .contains("has no sample for training"))
      try write("path\n5.png\nmissing.png\n", "broken.csv")
      #expect(
        try failure(["pseudo-label", "broken.csv", "--output", "o.csv"] + teacher)
          .contains("none of the 2 pictures can be judged, the first: 5.png"))
      // Only pictures that are fake to the teacher.
      let fakes = try probabilities(folder, teacher).filter { $0.value > 0.5 }.keys.sorted()
      try write("path\n" + fakes.map { "\($0)\n" }.joined(), "fakes.csv")
      let one = try failure(
        ["pseudo-label", "fakes.csv", "--output", "o.csv", "--sure", "0.5", "--cache", "none"]
          + teacher)
      #expect(one.contains("the teacher calls all \(fakes.count) faces"), "\(one)")
      #expect(one.contains("--no-balance"))
      try write("path,label,probability\n0.png,REAL,nan\n", "odd.csv")
      let odd = try failure(
        ["train", "--data", "odd.csv", "--recipe", "pair.yaml", "--member", "1", "--output", "r"])
      #expect(odd.contains("column probability: is 'nan', which is not a number from 0 to 1"))
    }
  }
}
