import DFKit
import Foundation
import TestSupport
import Testing

/// `classify`, `weights` and `bench`.
@Suite struct NetworkCommandTests {
  @Test func classifyScoresGoodFilesAndNamesBadOnes() throws {
    try Paths.withTemporaryFolder { folder in
      let weights = folder.appendingPathComponent("b0.safetensors")
      try Material.classifier(weights)
      let faces = folder.appendingPathComponent("faces")
      try FileManager.default.createDirectory(at: faces, withIntermediateDirectories: true)
      try Material.picture(faces.appendingPathComponent("a.png"), seed: 1)
      try Data("no picture".utf8).write(to: faces.appendingPathComponent("b.png"))
      try Material.picture(faces.appendingPathComponent("c.jpg"), width: 90, height: 40, seed: 2)

      let result = try Tool.run(
        ["classify", "faces", "--weights", "b0.safetensors", "--json"], in: folder)
      #expect(result.status == 1)
      #expect(result.errors.contains("b.png"))
      let entries: [[String: Any]] = try result.json()
      let names = entries.map { $0["file"] as? String }
      #expect(names == ["faces/a.png", "faces/b.png", "faces/c.jpg"])

      // The same through the library.
      let model = try ClassifierModel(try StateDict.read(weights))
      for index in [0, 2] {
        let name = try #require(entries[index]["file"] as? String)
        let image = try ImageFile.read(folder.appendingPathComponent(name))
        let expected = model.logits(of: [image])[0]
        let logits = try #require(entries[index]["logits"] as? [Double]).map { Float($0) }
        expectClose(logits, expected, tolerance: 1e-5)
        let probability = try #require(entries[index]["probability"] as? Double)
        expectClose([Float(probability)], [1 / (1 + exp(-expected[0]))], tolerance: 1e-5)
      }
      #expect((entries[1]["error"] as? String)?.contains("b.png") == true)
      #expect(entries[1]["probability"] is NSNull)

      let table = try Tool.run(
        ["classify", "faces/a.png", "--weights", "b0.safetensors"], in: folder)
      #expect(table.status == 0)
      #expect(table.output.contains("P(fake)"))
    }
  }

  @Test func theRecipeJudgesUnlessOneNetworkIsAskedFor() throws {
    try Paths.withTemporaryFolder { folder in
      try Material.picture(folder.appendingPathComponent("a.png"), width: 160, height: 160)
      func entry(_ options: [String]) throws -> [String: Any] {
        let result = try Tool.run(["classify", "a.png", "--json"] + options, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        return try #require((try result.json() as [[String: Any]]).first)
      }
      let recipe = try Recipe.named(Recipe.defaultName)
      let whole = try entry([])
      let members = try #require(whole["members"] as? [[String: Any]])
      #expect(members.map { $0["name"] as? String } == recipe.members.map(\.name))
      let image = try ImageFile.read(folder.appendingPathComponent("a.png"))
      let ensemble = try recipe.ensemble(
        of: MemberFiles([], members: recipe.members).members())
      let expected = try ensemble.assess([image])
      let probability = try #require(whole["probability"] as? Double)
      expectClose([Float(probability)], [expected.probability], tolerance: 1e-4)
      #expect(
        whole["verdict"] as? String
          == Verdict(probability: expected.probability, undecided: recipe.verdict.undecided).answer
          .rawValue)
      let named = try entry(["--recipe", "default"])
      #expect(named["probability"] as? Double == probability)
      let one = try entry(["--weights", "default"])
      #expect(one["verdict"] == nil && (one["logits"] as? [Double])?.count == 1)
      #expect((try entry(["--size", "64"])["members"] as? [[String: Any]])?.count == 1)
      let table = try Tool.run(["classify", "a.png"], in: folder)
      #expect(table.output.contains("verdict"))
    }
  }

  @Test func optionsOverrideWhatTheFileSays() throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(folder.appendingPathComponent("b0.safetensors"))
      try Material.picture(folder.appendingPathComponent("a.png"))
      func logit(_ options: [String]) throws -> Double {
        let arguments = ["classify", "a.png", "--weights", "b0.safetensors", "--json"]
        let entries: [[String: Any]] = try Tool.run(arguments + options, in: folder).json()
        return try #require((entries[0]["logits"] as? [Double])?.first)
      }
      let plain = try logit([])
      #expect(try logit(["--size", "64", "--architecture", "efficientnet-b0"]) == plain)
      #expect(try logit(["--size", "96"]) != plain)
      #expect(try logit(["--mean", "0.5,0.5,0.5"]) != plain)
      #expect(try logit(["--std", "0.5,0.5,0.5"]) != plain)
      #expect(try logit(["--scheme", "timm-tf"]) != plain)
      // Threads change nothing.
      #expect(try logit(["--threads", "1"]) == plain)

      let groups = try Tool.run(
        ["classify", "a.png", "--weights", "b0.safetensors", "--groups", "7"], in: folder)
      #expect(groups.status == 1)
      #expect(groups.errors.contains("groups"))
      let wrong = try Tool.run(
        ["classify", "a.png", "--weights", "b0.safetensors", "--norm", "group"], in: folder)
      #expect(wrong.status == 1)
      #expect(wrong.errors.contains("running_mean"))
      let missing = try Tool.run(["classify", "a.png", "--weights", "no.pth"], in: folder)
      #expect(missing.status == 1)
      #expect(missing.errors.contains("no.pth"))
    }
  }

  @Test func weightsAreDescribed() throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(folder.appendingPathComponent("b0.safetensors"))
      let result = try Tool.run(["weights", "info", "b0.safetensors", "--json"], in: folder)
      #expect(result.status == 0)
      let report: [String: Any] = try result.json()
      #expect(report["architecture"] as? String == "efficientnet-b0")
      #expect(report["scheme"] as? String == "timm")
      #expect(report["norm"] as? String == "batch")
      #expect(report["classes"] as? Int == 1)
      #expect(report["size"] as? Int == 64)
      let tensors = try #require(report["tensors"] as? [[String: Any]])
      let stem = try #require(tensors.first { $0["key"] as? String == "conv_stem.weight" })
      #expect(stem["shape"] as? [Int] == [32, 3, 3, 3])
      #expect(stem["dtype"] as? String == "F32")
      let text = try Tool.run(["weights", "info", "b0.safetensors"], in: folder)
      #expect(text.output.contains("32 x 3 x 3 x 3"))

      try Material.detector(folder.appendingPathComponent("r.safetensors"))
      let detector: [String: Any] =
        try Tool.run(["weights", "info", "r.safetensors", "--json"], in: folder).json()
      #expect(detector["architecture"] as? String == "retinaface-mobilenet0.25")
    }
  }

  @Test func unknownWeightsAreNoErrorAndUnreadableOnesAre() throws {
    try Paths.withTemporaryFolder { folder in
      let state = StateDict(tensors: [.init("mystery", Tensor([1, 2], shape: [2]))])
      try state.write(safetensors: folder.appendingPathComponent("m.safetensors"))
      let known = try Tool.run(["weights", "info", "m.safetensors", "--json"], in: folder)
      #expect(known.status == 0)
      let report: [String: Any] = try known.json()
      #expect(report["scheme"] is NSNull)
      try Data("garbage".utf8).write(to: folder.appendingPathComponent("g.pth"))
      let unreadable = try Tool.run(["weights", "info", "g.pth"], in: folder)
      #expect(unreadable.status == 1)
      #expect(unreadable.errors.contains("g.pth"))
    }
  }

  @Test func convertedWeightsNeedNoOptions() throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(
        folder.appendingPathComponent("bare.safetensors"), metadata: false)
      try Material.picture(folder.appendingPathComponent("a.png"))
      let converted = try Tool.run(
        [
          "weights", "convert", "bare.safetensors", "own.safetensors", "--scheme", "timm-tf",
          "--size", "48", "--mean", "0.5,0.4,0.3", "--crop-margin", "0.2",
        ], in: folder)
      #expect(converted.status == 0, "\(converted.errors)")
      func logit(_ options: [String]) throws -> Double {
        let entries: [[String: Any]] = try Tool.run(
          ["classify", "a.png", "--json"] + options, in: folder
        ).json()
        return try #require((entries[0]["logits"] as? [Double])?.first)
      }
      let options = ["--scheme", "timm-tf", "--size", "48", "--mean", "0.5,0.4,0.3"]
      #expect(
        try logit(["--weights", "own.safetensors"])
          == logit(["--weights", "bare.safetensors"] + options))
      let report: [String: Any] =
        try Tool.run(["weights", "info", "own.safetensors", "--json"], in: folder).json()
      #expect((report["metadata"] as? [String: String])?["cropMargin"] == "0.2")

      let half = try Tool.run(
        ["weights", "convert", "own.safetensors", "half.safetensors", "--dtype", "f16"], in: folder)
      #expect(half.status == 0)
      let (full, small) = (
        try Data(contentsOf: folder.appendingPathComponent("own.safetensors")).count,
        try Data(contentsOf: folder.appendingPathComponent("half.safetensors")).count
      )
      #expect(small < full * 11 / 20)
      let wrong = try Tool.run(
        [
          "weights", "convert", "bare.safetensors", "x.safetensors", "--architecture",
          "efficientnet-b1",
        ], in: folder)
      #expect(wrong.status == 1)
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/x.safetensors"))
    }
  }

  @Test func whatAFileLeavesOpenIsSaid() throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(
        folder.appendingPathComponent("bare.safetensors"), metadata: false)
      try Material.picture(folder.appendingPathComponent("a.png"))
      func run(_ arguments: [String]) throws -> Tool.Result {
        let result = try Tool.run(arguments, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        return result
      }
      let words = "bare.safetensors: timm's efficientnet_* and tf_efficientnet_*"
      let info = try run(["weights", "info", "bare.safetensors"])
      #expect(info.output.contains("note") && info.output.contains(words))
      let classify = ["classify", "a.png", "--weights", "bare.safetensors", "--size", "64"]
      #expect(try run(classify).errors.contains(words))
      #expect(try run(classify).errors.contains("--scheme timm-tf"))
      #expect(try run(classify + ["--scheme", "timm"]).errors.isEmpty)
      let convert = ["weights", "convert", "bare.safetensors", "own.safetensors"]
      #expect(try run(convert).errors.contains(words))
      #expect(try run(["classify", "a.png", "--weights", "own.safetensors"]).errors.isEmpty)
      let own: [String: Any] = try run(["weights", "info", "own.safetensors", "--json"]).json()
      #expect((own["remarks"] as? [Any])?.isEmpty == true && own["state"] is NSNull)

      // A recipe names the scheme of its member, or does not.
      for (scheme, isOpen) in [("", true), ("    scheme: timm\n", false)] {
        try Data((Material.recipe + "\n" + scheme).utf8)
          .write(to: folder.appendingPathComponent("r.yaml"))
        let result = try Tool.run(
          ["classify", "a.png", "--recipe", "r.yaml", "--weights", "bare.safetensors"], in: folder)
        #expect(result.status == 0 && result.errors.contains(words) == isOpen, "\(result.errors)")
      }
    }
  }

  /// Writes what timm's training script would of networks of these files: their tensors, the
  /// averaged ones too, and options that say which network it is.
  private func checkpoint(_ states: [String: URL], to url: URL) throws {
    var storages: [[Float]] = []
    var pickle = Pickle()
    let networks = try states.mapValues { try StateDict.read($0) }
    try pickle.dictionary(["state_dict", "state_dict_ema", "args"]) { pickle, name in
      guard let network = networks[name] else {
        return pickle.object("argparse", "Namespace", ["model"]) { pickle, _ in
          pickle.text("tf_efficientnet_b0.ns_jft_in1k")
        }
      }
      try pickle.dictionary(network.keys.map { "module.\($0)" }) { pickle, key in
        let tensor = try #require(try network[String(key.dropFirst(7))]?.tensor())
        var step = 1
        var strides: [Int] = []
        for extent in tensor.shape.reversed() {
          strides.insert(step, at: 0)
          step *= extent
        }
        pickle.tensor(
          count: tensor.count, offset: 0, shape: tensor.shape, strides: strides,
          storage: "\(storages.count)")
        storages.append(tensor.scalars)
      }
    }
    try pickle.legacyFile(storages: storages).write(to: url)
  }

  @Test func whatTimmsTrainingScriptWritesIsRead() throws {
    try Paths.withTemporaryFolder { folder in
      func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
      for seed in [1, 2] as [UInt64] {
        try Material.classifier(file("\(seed).safetensors"), seed: seed, metadata: false)
      }
      try Material.picture(file("a.png"))
      try checkpoint(
        ["state_dict": file("1.safetensors"), "state_dict_ema": file("2.safetensors")],
        to: file("last.pth"))
      func classify(_ options: [String]) throws -> (logit: Double?, errors: String) {
        let result = try Tool.run(
          ["classify", "a.png", "--json", "--size", "64", "--weights"] + options, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let entries: [[String: Any]] = try result.json()
        return ((entries.first?["logits"] as? [Double])?.first, result.errors)
      }
      let plain = try classify(["1.safetensors", "--scheme", "timm-tf"]).logit
      let averaged = try classify(["2.safetensors", "--scheme", "timm-tf"]).logit
      #expect(plain != nil && averaged != nil && plain != averaged)
      let usual = try classify(["last.pth"])
      #expect(usual.logit == plain)
      #expect(usual.errors.contains("state_dict is used, not state_dict_ema"))
      #expect(usual.errors.contains("--state state_dict_ema"))
      let chosen = try classify(["last.pth", "--state", "ema"])
      #expect(chosen.logit == averaged && chosen.errors.isEmpty)

      let info: [String: Any] =
        try Tool.run(["weights", "info", "last.pth", "--json"], in: folder).json()
      #expect(info["scheme"] as? String == "timm-tf" && info["state"] as? String == "state_dict")
      #expect(info["otherStates"] as? [String] == ["state_dict_ema"])
      #expect(info["passedOver"] as? [String] == ["argparse.Namespace"])
      #expect((info["remarks"] as? [String])?.count == 1)
      let text = try Tool.run(["weights", "info", "last.pth"], in: folder).output
      #expect(text.contains("argparse.Namespace") && text.contains("--state state_dict_ema"))
      let converted = try Tool.run(
        ["weights", "convert", "last.pth", "own.safetensors", "--state", "ema"], in: folder)
      #expect(converted.status == 0 && converted.errors.isEmpty, "\(converted.errors)")
      #expect(converted.output.contains("tensors of state_dict_ema, efficientnet-b0"))
      #expect(try classify(["own.safetensors"]).logit == averaged)
      let missing = try Tool.run(
        ["weights", "info", "last.pth", "--state", "teacher"], in: folder)
      #expect(missing.status == 1)
      #expect(
        missing.errors.contains("no entry teacher; its states are state_dict, state_dict_ema"))
    }
  }

  @Test func benchmarksPrintTheDocumentedForm() throws {
    let result = try Tool.run([
      "bench", "classify", "--architecture", "efficientnet-b0", "--norm", "batch", "--norm",
      "group", "--size", "64", "--batch", "2", "--threads", "1", "--repeats", "3", "--json",
    ])
    #expect(result.status == 0)
    let entries: [[String: Any]] = try result.json()
    #expect(entries.map { $0["norm"] as? String } == ["batch", "group"])
    for entry in entries {
      #expect(entry["work"] as? String == "classify")
      #expect(entry["architecture"] as? String == "efficientnet-b0")
      #expect(entry["size"] as? Int == 64)
      #expect(entry["batch"] as? Int == 2)
      #expect(entry["threads"] as? Int == 1)
      let times = try #require(entry["millisecondsPerImage"] as? [String: Double])
      let spread = ["min", "lowerQuartile", "median", "upperQuartile", "max"].map {
        times[$0] ?? 0
      }
      #expect(spread[0] > 0 && spread == spread.sorted())
      #expect(entry["warmUp"] as? Int == 2 && entry["repeats"] as? Int == 3)
      #expect((entry["peakBytes"] as? Int ?? 0) > 1_000_000)
    }
    let detect = try Tool.run(["bench", "detect", "--size", "96x64", "--repeats", "2", "--json"])
    #expect(detect.status == 0)
    let found: [[String: Any]] = try detect.json()
    #expect(found[0]["size"] as? String == "96x64")
    let lstm = try Tool.run([
      "bench", "lstm", "--features", "20", "--hidden", "8", "--levels", "1", "--steps", "3",
      "--one-direction", "--batch", "1", "--batch", "2", "--repeats", "2", "--json",
    ])
    #expect(lstm.status == 0)
    let sequences: [[String: Any]] = try lstm.json()
    #expect(sequences.map { $0["batch"] as? Int } == [1, 2])
    #expect(sequences[0]["size"] as? String == "3x20")
    #expect(sequences[0]["architecture"] as? String == "lstm-8x1")
  }

  @Test func layersAreListedBesideTheMachinesPeak() throws {
    let arguments = [
      "bench", "classify", "--architecture", "efficientnet-b0", "--norm", "group", "--size", "64",
      "--batch", "2", "--repeats", "2", "--layers",
    ]
    let result = try Tool.run(arguments + ["--json"])
    #expect(result.status == 0)
    let entries: [[String: Any]] = try result.json()
    let layers = try #require(entries[0]["layers"] as? [[String: Any]])
    #expect(layers.first?["layer"] as? String == "conv_stem")
    #expect(layers.first?["shape"] as? String == "64x64x3 > 32x32x32")
    #expect(layers.last?["layer"] as? String == "classifier")
    let machine = try #require(entries[0]["machine"] as? [String: Any])
    let peaks = try #require(machine["peaks"] as? [[String: Any]])
    #expect(peaks.contains { $0["instructionSet"] as? String == "portable" })
    let kinds = try #require(entries[0]["kinds"] as? [[String: Any]])
    #expect(Set(["stem", "head"]).isSubset(of: kinds.compactMap { $0["kind"] as? String }))
    func total(_ rows: [[String: Any]], _ key: String) -> Double {
      rows.reduce(0) { $0 + ($1[key] as? Double ?? 0) }
    }
    // The sums by kind are sums of the layers, each rounded.
    for key in ["megaflop", "millisecondsPerImage"] {
      let all = total(layers, key)
      #expect(all > 0 && abs(total(kinds, key) - all) < 1e-4 * Double(layers.count))
    }
    let table = try Tool.run(arguments + ["--sort", "time"])
    #expect(table.output.contains("of peak") && table.output.contains("GFLOP/s; reads from"))
  }

  @Test func trainingBenchmarksSayWhereTheTimeGoes() throws {
    let result = try Tool.run([
      "bench", "train", "--architecture", "efficientnet-b0", "--size", "32", "--batch", "2",
      "--repeats", "1", "--calls", "--json",
    ])
    #expect(result.status == 0)
    let entries: [[String: Any]] = try result.json()
    #expect(entries[0]["work"] as? String == "train")
    #expect(entries[0]["norm"] as? String == "group")
    #expect((entries[0]["peakBytes"] as? Int ?? 0) > 10_000_000)
    let calls = try #require(entries[0]["calls"] as? [[String: Any]])
    let phases = Set(calls.compactMap { $0["phase"] as? String })
    #expect(phases == ["forward", "backward", "recompute"])
    let table = try Tool.run([
      "bench", "train", "--architecture", "efficientnet-b0", "--size", "32", "--repeats", "1",
      "--calls",
    ])
    #expect(table.output.contains("peak MB"))
    #expect(table.output.contains("Convolution, grouped"))
  }
}
