import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct UsageTests {
  @Test func versionAndHelp() throws {
    let version = try Tool.run(["--version"])
    #expect(version.status == 0)
    #expect(version.output == dfkitVersion + "\n")
    let commands = try CommandTree.commands()
    #expect(commands.contains(["predict"]) && commands.contains(["bench", "classify"]))
    for command in commands {
      let help = try Tool.run(command + ["--help"])
      #expect(help.status == 0)
      #expect(help.output.contains("USAGE: \((["dfkit"] + command).joined(separator: " "))"))
      #expect(help.errors.isEmpty)
    }
    #expect(try Tool.run(["--help"]).output.contains("Exit status"))
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completions(_ shell: String) throws {
    let script = try Tool.run(["--generate-completion-script", shell])
    #expect(script.status == 0)
    #expect(script.output.contains("predict"))
  }

  private static let weights = ["--weights", "w", "--detector-weights", "d"]

  @Test(arguments: [
    (["nonsense"], "nonsense"),
    (["predict"], "inputs"),
    (["predict", "a.mp4", "--recipe", "dfdc-silver"], "--weights: no file for b6-200"),
    (["predict", "a.mp4", "--undecided", "0.6,0.7"], "--undecided must be a range around 0.5"),
    (["predict", "a.mp4", "--weights", "w"], "no such file or folder"),
    (["predict", "a.mp4", "--frames", "0"] + weights, "--frames must be 1 to 1000"),
    (["predict", "a.mp4", "--aggregate", "vote"] + weights, "mean-logit"),
    (["predict", "a.mp4", "--clip", "1,0"] + weights, "--clip"),
    (["predict", "a.mp4", "--json", "--csv"] + weights, "cannot be combined"),
    (["predict", "a.mp4", "--threads", "0"] + weights, "--threads must be 1 to 256"),
    (["predict", "a.mp4", "--frame-scale", "9"] + weights, "--frame-scale must be"),
    (["predict", "a.mp4", "--detector", "viola"] + weights, "retinaface"),
    (["predict", "a.mp4"] + weights, "no such file or folder"),
    (["detect", "a.png", "--detector", "mtcnn"], "dfkit weights fetch mtcnn"),
    (["predict", "a.mp4", "--people", "loudest"] + weights, "'mean' or 'together'"),
    (
      ["predict", "a.mp4", "--faces-per-frame", "0"] + weights, "--faces-per-frame must be 1 to 100"
    ),
    (["predict", "-dash.mp4"], "write ./-dash.mp4"),
    (["report", "a.mp4", "-o", "page.pdf"], "Name it .html"),
    (["detect", "a.png", "--draw-as", "sheet"], "--draw-as needs --draw"),
    (["detect", "a.png", "--draw", "d", "--draw-as", "film"], "'video' or 'frames'"),
    (["detect", "a.png", "--frames", "none", "--detector-weights", "d"], "--frames"),
    (["classify", "a.png", "--weights", "w", "--architecture", "vgg"], "efficientnet-b0"),
    (["classify", "a.png", "--weights", "w", "--mean", "1,2"], "--mean"),
    (["classify", "a.png", "--weights", "w", "--std", "1,2,0"], "--std"),
    (["classify", "a.png", "--weights", "w", "--size", "7"], "--size must be 32 to 4096"),
    (
      ["classify", "a.png", "--recipe", "default", "--size", "64"], "cannot be given with --recipe"
    ),
    (["classify", "a.png", "--weights", "a", "--weights", "b"], "a recipe for several networks"),
    (["classify", "a.png", "--recipe", "dfdc-silver"], "--weights: no file for b6-200"),
    (["extract", "a.mp4"], "--out"),
    (["extract", "--out", "d"], "inputs"),
    (["extract", "a.mp4", "--out", "d", "--frames", "0"], "--frames"),
    (["extract", "a.mp4", "--out", "d", "--preset", "faces-2"], "'faces-3' or 'faces-6'"),
    (["extract", "a.mp4", "--out", "d", "--size", "7"], "--size must be 0 or 16 to 4096"),
    (["extract", "a.mp4", "--out", "d", "--jpeg", "101"], "--jpeg must be 1 to 100"),
    (["extract", "a.mp4", "--out", "d", "--max-frames", "9"], "--max-frames needs --balance"),
    (["extract", "a.mp4", "--out", "d", "--min-share", "2"], "--min-share must be 0 to 1"),
    (["extract", "a.mp4", "--out", "d", "--difference", "3"], "--difference must be 0.001 to 2"),
    (["bench", "train", "--difference", "grey"], "'luma' and 'rgb'"),
    (["train", "--data", "d"], "Give --output"),
    (["train", "--output", "o"], "Give --data"),
    (["train", "--data", "d", "--output", "o", "--batch-size", "0"], "--batch-size must be 1"),
    (["train", "--data", "d", "--output", "o", "--rate", "0"], "--rate must be 1e-08 to 10.0"),
    (
      ["train", "--data", "d", "--output", "o", "--early-stop", "200000"],
      "--early-stop must be 1 to 100000"
    ),
    (
      ["train", "--data", "d", "--output", "o"]
        + (1...65).flatMap { ["--freeze", "blocks.\($0)"] },
      "--freeze must be a list of at most 64 texts"
    ),
    (["train", "--data", "d", "--output", "o", "--new-head"], "--init"),
    (["train", "--data", "d", "--output", "o", "--augmentation", "bold"], "'strong'"),
    (["train", "--resume", "--member", "2", "--output", "o"], "leave --member out"),
    (["pseudo-label", "a.csv"], "--output"),
    (["pseudo-label", "--output", "o.csv"], "manifests"),
    (["pseudo-label", "a.csv", "--output", "o.csv", "--sure", "0.4"], "--sure must be 0.5 to 1"),
    (["pseudo-label", "a.csv", "--output", "o.csv", "--per-video", "0"], "--per-video"),
    (
      ["pseudo-label", "a.csv", "--output", "o.csv", "--weights", "a", "--weights", "b"],
      "a recipe for several networks"
    ),
    (
      ["pseudo-label", "a.csv", "--output", "o.csv", "--recipe", "default", "--size", "64"],
      "cannot be given with --recipe"
    ),
    (["calibrate"], "Give --data"),
    (["familiarity"], "Give --data"),
    (["calibrate", "--data", "d", "--split", "best"], "--split must be validation"),
    (["calibrate", "--data", "d", "--method", "isotonic"], "'platt' and 'temperature'"),
    (["calibrate", "--data", "d", "--accuracy", "0.3"], "--accuracy must be 0.5 to 1"),
    (
      ["calibrate", "--data", "d", "--weights", "w", "--output", "o.pth"],
      "must end in .safetensors"
    ),
    (["weights", "convert", "a.pth", "b.pth"], ".safetensors"),
    (["weights", "fetch"], "names"),
    (["weights", "fetch", "a", "b", "--from", "c"], "one entry at a time"),
    (
      ["detect", "a.png", "--detector", "mtcnn", "--nms", "0.3"],
      "--nms does not apply to the detector"
    ),
    (
      ["detect", "a.png", "--factor", "0.5", "--detector", "retinaface"],
      "--factor does not apply to"
    ),
    (
      ["predict", "a.mp4", "--detector", "retinaface", "--thresholds", "0.6,0.7,0.7"],
      "--thresholds does not apply"
    ),
    (["detect", "a.png", "--thresholds", "0.6,0.7,7"], "--thresholds"),
    (["detect", "a.png", "--threshold", "0.5", "--thresholds", "0.6,0.7,0.7"], "give one of them"),
    (["detect", "a.png", "--detector", "mtcnn", "--min-face", "2"], "--min-face must be 4.0 to"),
    (["bench", "detect", "--detector", "mtcnn"], "Give --frames"),
    (
      ["bench", "detect", "--frames", "a.png", "--backbone", "resnet50"],
      "--backbone is for random"
    ),
    (["bench", "classify", "--batch", "0"], "--batch must be"),
    (["bench", "classify", "--repeats", "0"], "--repeats must be 1 to 10000"),
    (["bench", "embed", "--warm-up", "10001"], "--warm-up must be 0 to 10000"),
    (["bench", "classify", "--layers", "--sort", "name"], "'time'"),
    (["bench", "video", "a.mp4", "--recipe", "dfdc-silver"], "--weights: no file for b6-200"),
    (["bench", "video", "a.mp4"] + weights, "no such file or folder"),
    (["bench", "machine", "--threads", "0"], "--threads must be 1 to 256"),
    (["bench", "train", "--size", "7"], "--size must be"),
    (["bench", "lstm", "--hidden", "0"], "--hidden must be 1 to 8192"),
    (["bench", "detect", "--size", "wide"], "--size"),
  ])
  func wrongUsage(_ arguments: [String], _ hint: String) throws {
    let result = try Tool.run(arguments)
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    #expect(result.errors.contains(hint), "\(result.errors)")
  }

  @Test func recipesAreListedAndShown() throws {
    let list = try Tool.run(["recipe", "list"])
    #expect(list.status == 0)
    #expect(list.output.contains("\ndefault  ") && list.output.contains("\ndfdc-silver  "))
    let show = try Tool.run(["recipe", "show", "dfdc-silver"])
    #expect(show.status == 0)
    #expect(show.output.contains("# members: b6-200, b5-224-faces3"))
    #expect(show.output.contains(try #require(Recipe.builtInText("dfdc-silver"))))
    let missing = try Tool.run(["recipe", "show", "nothing"])
    #expect(missing.status == 1)
    #expect(missing.errors.contains("neither a built-in recipe"))
  }

  /// Asked of the program: other tests of this process register networks of their own.
  @Test func theReferenceOfRecipesIsThatOfTheProgram() throws {
    let keys = try Tool.run(["recipe", "keys"])
    #expect(keys.status == 0)
    let document = Paths.package.appendingPathComponent("Docs/Formats.md")
    #expect(
      try String(contentsOf: document, encoding: .utf8).contains(keys.output),
      "Docs/Formats.md does not have what 'dfkit recipe keys' prints")
  }

  @Test func aShownRecipeCanBeSavedAndShownAgain() throws {
    try Paths.withTemporaryFolder { folder in
      let show = try Tool.run(["recipe", "show", "dfdc-silver"])
      try Data(show.output.utf8).write(to: folder.appendingPathComponent("mine.yaml"))
      #expect(try Tool.run(["recipe", "show", "mine.yaml"], in: folder).output == show.output)
    }
  }

  @Test func brokenRecipesNameThePlace() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("mine.yaml")
      try Data((Material.recipe + "\nframe: 3\n").utf8).write(to: file)
      let result = try Tool.run(["recipe", "show", "mine.yaml"], in: folder)
      #expect(result.status == 1)
      #expect(result.errors.contains("mine.yaml: frame: is not a known key"))
    }
  }

  @Test func theProgramRunsWhereverItIsCopied() throws {
    try Paths.withTemporaryFolder { folder in
      let copy = folder.appendingPathComponent("dfkit")
      try FileManager.default.copyItem(at: Tool.url, to: copy)
      let list = try Tool.run(["recipe", "list"], in: folder, program: copy)
      #expect(list.status == 0)
      #expect(list.output.contains("dfdc-silver"))
      let show = try Tool.run(["recipe", "show", "dfdc-silver"], in: folder, program: copy)
      #expect(show.status == 0)
    }
  }
}

/// What the program says of its own commands.
private struct CommandTree: Decodable {
  struct Command: Decodable {
    let commandName: String
    let subcommands: [Command]?
  }

  let command: Command

  /// The words of each command, those of groups of commands too, and none for the program itself.
  static func commands() throws -> [[String]] {
    let dump = try Tool.run(["--experimental-dump-help"])
    let tree = try JSONDecoder().decode(Self.self, from: Data(dump.output.utf8))
    func words(_ command: Command) -> [[String]] {
      (command.subcommands ?? []).filter { $0.commandName != "help" }.flatMap { child in
        [[child.commandName]] + words(child).map { [child.commandName] + $0 }
      }
    }
    return [[]] + words(tree.command)
  }
}
