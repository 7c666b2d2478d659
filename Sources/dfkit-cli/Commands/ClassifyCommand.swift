import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit classify`.
struct ClassifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Scores pictures of single faces.",
    discussion: """
      Every network of the recipe judges each picture, and their scores become one probability as \
      the recipe says of a single face: put together, calibrated, and called undecided where it is \
      too close to one half. With --weights alone it is one network, and the probability is its \
      own; options then say what the weights file's metadata does not, or should not.

        dfkit classify face.png
        dfkit classify faces/ --json
        dfkit classify faces/ --recipe mine.yaml --weights nets/
        dfkit classify face.png --weights b4.safetensors
        dfkit classify faces/ --weights b7.pth --scheme selimsef --json
      """)

  @OptionGroup var input: InputOptions

  @Option(
    help: """
      The recipe: a built-in one's name or a YAML file; the one that ships if neither this nor one \
      network is given.
      """, completion: .file())
  var recipe: String?

  @Option(
    help: """
      One network's weights: safetensors or a PyTorch checkpoint, or the name of some that ship \
      ('dfkit weights list'); with --recipe, its members' weights, as 'predict' takes them.
      """, completion: .file())
  var weights: [String] = []

  @OptionGroup(title: "Network") var network: NetworkOptions

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if recipe != nil, !network.isEmpty {
      throw ValidationError(
        "The recipe says what its networks are: options for one network cannot be given with"
          + " --recipe."
      )
    }
    if recipe == nil, weights.count > 1 {
      throw ValidationError("--weights: give one file, or a recipe for several networks.")
    }
  }

  func run() async throws {
    threads.apply()
    let job = try job()
    let inputs = input.files([.image])
    let json = json
    try await Interruption.handled {
      let bar = ProgressBar()
      var printer = try ReportPrinter<ClassificationReport>(json: json, bar) { $0.table() }
      let outcome = try job.run(inputs, progress: bar.update) { report in
        try printer.print(report, json: [report.json], error: report.error)
      }
      try printer.end()
      try outcome.exit()
    }
  }

  /// Makes the job by the options. It is for one network if weights or network options are given
  /// without a recipe.
  private func job() throws -> ClassificationJob {
    if recipe == nil, !weights.isEmpty || !network.isEmpty {
      let source = network.source(weights.first ?? Recipe.defaultName)
      return ClassificationJob(
        classifier: try ClassifierModel(try source.read(), network.options), name: source.name)
    }
    let (recipe, files) = try RecipeOptions.loaded(recipe ?? Recipe.defaultName, weights)
    return try ClassificationJob(recipe: recipe, weights: files)
  }
}

/// Options for properties of a network that its weights file may not state.
struct NetworkOptions: ParsableArguments {
  @Option(help: "The network.")
  var architecture: Architecture?

  @Option(help: "Whose checkpoint it is; recognised from its keys where they tell.")
  var scheme: Scheme?

  @Option(
    help: """
      Which state of a PyTorch checkpoint with several is meant: its entry, or a part of the name \
      that only one has, such as ema.
      """)
  var state: String?

  @Option(help: .setting("norm", of: ClassifierOptions()))
  var norm: Norm.Kind?

  @Option(help: .setting("groups", of: ClassifierOptions()))
  var groups: Int?

  @Option(help: .setting("stages", of: ClassifierOptions()))
  var stages: Int?

  @Option(help: .setting("size", of: ClassifierOptions()))
  var size: Int?

  @Option(help: "Subtracted from red, green and blue in 0...1, as in 0.485,0.456,0.406.")
  var mean: ChannelValues?

  @Option(help: "Then divided by, as in 0.229,0.224,0.225.")
  var std: ChannelValues?

  @Option(help: "The network's outputs.")
  var classes: Int?

  /// Whether none of these options is given.
  var isEmpty: Bool { options == ClassifierOptions() && state == nil }

  /// The weights that an argument names, in the state given by `--state`. Reports the chosen state
  /// and scheme on standard error if the file holds several or fits several.
  func source(_ argument: String) -> WeightsSource {
    applied(to: WeightsSource(argument: argument, state: state))
  }

  /// The weights in the state given by `--state`. Reports the chosen state and scheme as
  /// `source(_:)` does.
  func applied(to weights: WeightsSource) -> WeightsSource {
    var source = weights
    if let state, let file = weights.file { source = .file(file, state: state) }
    Output.remark(on: source, options)
    return source
  }

  /// The options for the loader.
  var options: ClassifierOptions {
    ClassifierOptions(
      architecture: architecture, scheme: scheme, norm: norm, groups: groups,
      stages: stages, size: size, mean: mean?.values, std: std?.values, classCount: classes)
  }

  func validate() throws {
    var settings = ClassifierOptions()
    try settings.apply(changes)
    if let classes, !NetworkSettings.classCounts.contains(classes) {
      let limits = NetworkSettings.classCounts
      throw ValidationError("--classes must be \(limits.lowerBound) to \(limits.upperBound).")
    }
  }

  /// The options whose values a recipe's member could have.
  private var changes: [SettingChange] {
    [
      SettingChange("--groups", "groups", groups), SettingChange("--stages", "stages", stages),
      SettingChange("--size", "size", size), SettingChange("--mean", "mean", mean?.values),
      SettingChange("--std", "std", std?.values),
    ].compactMap { $0 }
  }
}
