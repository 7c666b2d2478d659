import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit pseudo-label`.
struct PseudoLabelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pseudo-label",
    abstract: "Labels faces with a trained network, to train another network on them.",
    discussion: """
      A teacher, one network or all networks of a recipe, judges each face alone. The faces of \
      which it is sure are written with its probability (the column probability), and 'train' \
      learns that probability (Noisy Student, Xie et al. 2020). The column label may be missing or \
      empty, and is not read. Rows that the column split calls validation, test or unused are not \
      judged. All other columns stay the same.

        dfkit pseudo-label faces/ --output labels.csv
        dfkit pseudo-label new.csv --recipe mine.yaml --weights nets/ --output labels.csv
        dfkit pseudo-label new.csv --weights runs/teacher/best.safetensors --output labels.csv
        dfkit train --data labelled.csv --data labels.csv --recipe student.yaml --output runs/1

      A face that is linked with a held-out one (person, video, original, group) is left out by \
      'train'. After Ctrl-C, run the same command again: scores are kept in --cache.
      """)

  @Argument(
    help: "Folders with a manifest.csv, or CSV files with the column path.", completion: .file())
  var manifests: [String]

  @Option(
    name: [.customLong("output"), .customLong("out")], help: "The manifest to write.",
    completion: .file())
  var output: String

  @Option(
    help: """
      The teacher: the name of a built-in recipe or a YAML file. If neither this nor one network \
      is given, the recipe 'default', which ships with dfkit.
      """, completion: .file())
  var recipe: String?

  @Option(
    help: """
      The weights of one network, in the form that 'classify' accepts; with --recipe, the weights \
      of its members, in the form that 'predict' accepts.
      """, completion: .file())
  var weights: [String] = []

  @OptionGroup(title: "One network") var network: NetworkOptions

  @Option(help: "Judge only samples whose path begins with this text.")
  var only: String?

  @Option(help: "Judge only samples with this value in the column origin.")
  var origin: String?

  @Option(
    help: """
      How sure the teacher must be, 0.5 to 1: with 0.9, faces with a probability of fake of at \
      least 0.9 or at most 0.1 are kept.
      """)
  var sure: Float = 0.9

  @Flag(
    inversion: .prefixedNo,
    help: "Keep as many fake as real faces: the surest of the kind that there are more of.")
  var balance = true

  @Option(
    help: """
      The most faces of each video and label to keep, the surest ones, or 'all'. If the video is \
      unknown, of each person or group.
      """)
  var perVideo = FaceLimit(number: 10)

  @OptionGroup var cache: CacheOptions

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if manifests.isEmpty { throw ValidationError("Give at least one manifest.") }
    if !(0.5...1).contains(sure) { throw ValidationError("--sure must be 0.5 to 1.") }
    if recipe != nil, !network.isEmpty {
      throw ValidationError(
        "The recipe defines its networks; options for one network cannot be given with --recipe.")
    }
    if recipe == nil, weights.count > 1 {
      throw ValidationError("--weights: give one file, or a recipe for several networks.")
    }
  }

  func run() async throws {
    threads.apply()
    var input = DatasetInput(manifests.map { URL(fileURLWithPath: $0) })
    input.pathPrefix = only
    input.origin = origin
    var job = PseudoLabelJob(
      input, teacher: try teacher(), output: URL(fileURLWithPath: output))
    job.rule.sure = sure
    job.rule.isBalanced = balance
    job.rule.perVideo = perVideo.number
    job.cache = cache.folder
    try await Interruption.handled { [job, json] in
      let bar = ProgressBar()
      let result = try job.run(progress: bar.update)
      bar.clear()
      try json ? Output.write(result.json.text + "\n") : Output.show(result.text)
      try result.outcome.exit()
    }
  }

  /// The teacher by the options: one network if weights or network options are given without a
  /// recipe, otherwise all networks of a recipe.
  private func teacher() throws -> CalibrationJob.Subject {
    if recipe == nil, !weights.isEmpty || !network.isEmpty {
      return .network(network.source(weights.first ?? Recipe.defaultName), network.options)
    }
    let (recipe, files) = try RecipeOptions.loaded(recipe ?? Recipe.defaultName, weights)
    return .recipe(recipe, files)
  }
}

/// A number of faces, at least 1, or `all`.
struct FaceLimit: ExpressibleByArgument {
  /// Nil: no limit.
  let number: Int?

  init(number: Int?) {
    self.number = number
  }

  init?(argument: String) {
    if argument == "all" {
      number = nil
    } else if let number = Int(argument), number >= 1 {
      self.number = number
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { number.map { "\($0)" } ?? "all" }
}
