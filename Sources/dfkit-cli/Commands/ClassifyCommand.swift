import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit classify`.
struct ClassifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Scores pictures of single faces.",
    discussion: """
      Every network of the recipe scores each picture. The scores become one probability as the \
      recipe defines for a single face: they are combined, calibrated, and called undecided if too \
      close to 0.5. With only --weights, one network is used, and the probability is its own. \
      Further options then replace what the metadata of the weights file says, or add what it does \
      not say.

        dfkit classify face.png
        dfkit classify faces/ --json
        dfkit classify faces/ --recipe mine.yaml --weights nets/
        dfkit classify face.png --weights b4.safetensors
        dfkit classify faces/ --weights b7.pth --scheme selimsef --json
      """)

  @OptionGroup var input: InputOptions

  @Option(
    help: """
      The recipe: the name of a built-in one or a YAML file. If neither this nor one network is \
      given, the recipe 'default', which ships with dfkit.
      """, completion: .file())
  var recipe: String?

  @Option(
    help: """
      The weights of one network: safetensors, a PyTorch checkpoint, or the name of weights that \
      ship with dfkit ('dfkit weights list'); with --recipe, the weights of its members, in the \
      form that 'predict' accepts.
      """, completion: .file())
  var weights: [String] = []

  @OptionGroup(title: "Network") var network: NetworkOptions

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if recipe != nil, !network.isEmpty {
      throw ValidationError(
        "The recipe defines its networks; options for one network cannot be given with"
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
    if let warning = job.warning { Output.note(warning) }
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
        classifier: try source.read().classifier(network.options), name: source.name)
    }
    let (recipe, files) = try RecipeOptions.loaded(recipe ?? Recipe.defaultName, weights)
    return try ClassificationJob(recipe: recipe, weights: files)
  }
}

/// Options for properties of a network that its weights file may not state.
struct NetworkOptions: ParsableArguments {
  @Option(help: "The network's architecture.")
  var architecture: Architecture?

  @Option(help: "The project that the checkpoint is from; detected from its keys if possible.")
  var scheme: Scheme?

  @Option(
    help: """
      The state to use if a PyTorch checkpoint contains several: the name of its entry, or a part \
      of that name that no other entry has, such as ema.
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

  @Option(
    help: """
      Means of red, green and blue, which are subtracted from values of 0 to 1, such as \
      0.485,0.456,0.406.
      """)
  var mean: ChannelValues?

  @Option(
    help: """
      Standard deviations by which red, green and blue are divided after --mean, such as \
      0.229,0.224,0.225.
      """)
  var std: ChannelValues?

  @Option(help: "Number of the network's outputs.")
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
