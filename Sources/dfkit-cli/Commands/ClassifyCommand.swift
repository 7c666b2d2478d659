import ArgumentParser
import DFKit
import Foundation

/// `dfkit classify`
struct ClassifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Scores pictures of single faces with one network.",
    discussion: """
      Options say what the weights file's metadata does not, or should not.

        dfkit classify face.png
        dfkit classify face.png --weights b4.safetensors
        dfkit classify faces/ --weights b7.pth --scheme selimsef --json
      """)

  @OptionGroup var input: InputOptions

  @Option(
    help: """
      The network's weights: safetensors or a PyTorch checkpoint; those that ship with dfkit if not \
      given ('dfkit weights info default').
      """, completion: .file())
  var weights = Recipe.defaultName

  @OptionGroup(title: "Network") var network: NetworkOptions

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    threads.apply()
    let state = try WeightsSource(argument: weights).read()
    let job = ClassificationJob(classifier: try ClassifierModel(state, network.options))
    let inputs = input.files([.image])
    let json = json
    try await Interruption.handled {
      let bar = ProgressBar()
      var printer = try ReportPrinter<ClassificationReport>(json: json, bar) { $0.table(width: $1) }
      let outcome = try job.run(inputs, progress: bar.update) { report in
        try printer.print(report, json: [report.json], error: report.error)
      }
      try printer.end()
      try outcome.exit()
    }
  }
}

/// What a classifier's weights file may leave open.
struct NetworkOptions: ParsableArguments {
  @Option(help: "The network.")
  var architecture: Architecture?

  @Option(help: "Whose checkpoint it is; recognised from its keys where they tell.")
  var scheme: Scheme?

  @Option(help: "The norm.")
  var norm: ClassifierOptions.NormKind?

  @Option(help: "Groups of group norm.")
  var groups: Int?

  @Option(help: "The stages of an EfficientNet that are there, from the first.")
  var stages: Int?

  @Option(help: "The side of the network's input in pixels.")
  var size: Int?

  @Option(help: "Subtracted from red, green and blue in 0...1, as in 0.485,0.456,0.406.")
  var mean: ChannelValues?

  @Option(help: "Then divided by, as in 0.229,0.224,0.225.")
  var std: ChannelValues?

  @Option(help: "The network's outputs.")
  var classes: Int?

  /// The options for the loader.
  var options: ClassifierOptions {
    ClassifierOptions(
      architecture: architecture, scheme: scheme, norm: norm, groups: groups,
      stages: stages, size: size, mean: mean?.values, std: std?.values, classCount: classes)
  }

  func validate() throws {
    if let size, !(32...4096).contains(size) {
      throw ValidationError("--size must be 32 to 4096.")
    }
    if let groups, !(1...1024).contains(groups) {
      throw ValidationError("--groups must be 1 to 1024.")
    }
    if let stages, !(1...7).contains(stages) {
      throw ValidationError("--stages must be 1 to 7.")
    }
    if let classes, !(1...100_000).contains(classes) {
      throw ValidationError("--classes must be 1 to 100000.")
    }
    if let std, !std.values.allSatisfy({ $0 > 0 }) {
      throw ValidationError("--std must be three positive numbers.")
    }
  }
}
