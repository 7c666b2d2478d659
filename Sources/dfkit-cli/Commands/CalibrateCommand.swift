import ArgumentParser
import DFKit
import Foundation

extension CalibrationFit.Method: ExpressibleByArgument {}

/// The command `dfkit calibrate`.
struct CalibrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Makes probabilities honest on faces that were not learned from.",
    discussion: """
      Judges the validation part of the data with one network, or with all of a recipe's as the \
      recipe puts them together. Finds the scale and offset of the log odds under which the truth \
      is likeliest, and prints how good probabilities were before and are after it, together and \
      for each source (the column origin). Sources count equally, and real and fake videos as half \
      each: of faces like these, half of them fake, about 80 % of those that then get 0.8 are \
      fake. Where fakes are rarer, odds are lower by as much.

      What is printed for the recipe calibrates a video's probability, and leaves undecided what \
      is too close to call: the smallest range outside of which nine in ten answers (--accuracy) \
      are right on every source with real and fake videos. For one network, --output writes the \
      weights with the calibration of a face's logit, which every command then uses.

        dfkit calibrate --data faces/
        dfkit calibrate --data faces/ --recipe mine.yaml --weights nets/ --json
        dfkit calibrate --data faces/ --recipe mine.yaml --weights nets/ --fit-members --output out/
        dfkit calibrate --weights b4.safetensors --data faces/ --output c.safetensors
        dfkit calibrate --weights b4.safetensors --data faces/ --method temperature --plot r.svg
      """)

  @Option(
    help: """
      One network's weights, as 'classify' takes them; with --recipe, its members' weights, as \
      'predict' takes them. Those that the recipe names if not given.
      """, completion: .file())
  var weights: [String] = []

  @OptionGroup(title: "One network") var network: NetworkOptions

  @OptionGroup(title: "Faces") var samples: SampleOptions

  @Option(help: "platt (scale and offset) or temperature (scale alone).")
  var method = CalibrationFit.Method.platt

  @Flag(
    inversion: .prefixedNo,
    help: """
      Count truths as slightly less than certain (Platt's smoothing); if neither is given, where a \
      threshold tells all samples apart.
      """)
  var smooth: Bool?

  @Option(
    help: """
      The recipe that is calibrated: a built-in one's name or a YAML file. With weights for one \
      network and no recipe, the mean over a video's faces, held in 0.01 to 0.99.
      """, completion: .file())
  var recipe: String?

  @Flag(
    help: """
      Fit each member's own calibration first, and the recipe's to what comes of that; always so \
      for one network.
      """)
  var fitMembers = false

  @Option(
    help: """
      What part of the answers outside of the range left undecided is to be right on every source, \
      0.5 to 1.
      """)
  var accuracy = 0.9

  @Option(
    help: """
      The safetensors file to write, with the calibration; with several networks and \
      --fit-members, the folder for MEMBER.safetensors.
      """, completion: .file())
  var output: String?

  @Option(help: "Draw the reliability diagram into this SVG file.", completion: .file())
  var plot: String?

  @Option(
    help: """
      Write every face's logit into this CSV file: path, label, video, group, logit; with several \
      networks, a column for each.
      """,
    completion: .file())
  var scores: String?

  @OptionGroup var cache: CacheOptions

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if samples.data.isEmpty { throw ValidationError("Give --data: a folder or a CSV file.") }
    if !(0.5...1).contains(accuracy) { throw ValidationError("--accuracy must be 0.5 to 1.") }
  }

  func run() async throws {
    threads.apply()
    let job = try job()
    let command = self
    try command.check(job)
    try await Interruption.handled {
      let bar = ProgressBar()
      let report = try job.run(progress: bar.update)
      bar.clear()
      if let output = command.output {
        let url = URL(fileURLWithPath: output)
        switch job.subject {
        case .network(let source, _): try report.write(source, to: url)
        case .recipe(_, let files): try report.write(files, toFolder: url)
        }
      }
      if let plot = command.plot { try Output.write(report.plot, to: plot) }
      if let scores = command.scores { try Output.write(report.scores, to: scores) }
      try command.json ? Output.write(report.json.text + "\n") : Output.show(report.text)
    }
  }

  /// Makes the job by the options. It is for one network if one weights file is given without a
  /// recipe, or if the recipe has one member. Otherwise it is for all networks of the recipe.
  private func job() throws -> CalibrationJob {
    let named = try recipe.map { try Recipe.named($0) }
    let usual = try named ?? Recipe.named(Recipe.defaultName)
    var job: CalibrationJob
    if named == nil, weights.count == 1 {
      job = CalibrationJob(
        weights: network.source(weights[0]), options: network.options,
        samples: samples.choice())
    } else {
      let (recipe, files) = try RecipeOptions.loaded(
        recipe ?? Recipe.defaultName, weights, quiet: usual.members.count == 1)
      if usual.members.count == 1, let entry = files.entries.first {
        job = CalibrationJob(
          weights: network.applied(to: entry.weights), options: network.options,
          samples: samples.choice())
        if named != nil {
          job.combination = try recipe.combination()
          job.combination.calibration = nil
        }
      } else {
        guard network.isEmpty else {
          throw ValidationError(
            "The recipe says what its networks are: options for one network need --weights alone.")
        }
        job = try CalibrationJob(recipe: recipe, weights: files, samples: samples.choice())
        job.fitsMembers = fitMembers
        job.cache = cache.folder
      }
    }
    job.method = method
    job.smoothsTargets = smooth
    job.accuracy = accuracy
    return job
  }

  private func check(_ job: CalibrationJob) throws {
    guard let output else { return }
    switch job.subject {
    case .network:
      if !output.hasSuffix(".safetensors") {
        throw ValidationError("--output must end in .safetensors.")
      }
    case .recipe:
      if !fitMembers {
        throw ValidationError("--output needs --fit-members where the recipe has several members.")
      }
    }
  }
}
