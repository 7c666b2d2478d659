import ArgumentParser
import DFKit
import Foundation

extension CalibrationFit.Method: ExpressibleByArgument {}

/// The command `dfkit calibrate`.
struct CalibrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Calibrates probabilities on faces that the network was not trained on.",
    discussion: """
      Scores the validation part of the data with one network, or with all networks of a recipe, \
      combined as the recipe defines. Fits the scale and offset of the log odds that make the true \
      labels most likely, and prints the quality of the probabilities before and after, overall \
      and for each source (the column origin). Sources have equal weight, with half of it for real \
      and half for fake videos. After calibration, on faces like these, half of them fake, about \
      80 % of those that get 0.8 are fake. If fakes are rarer, the odds are lower in proportion.

      The printed settings for the recipe calibrate the probability of a video, and define which \
      probabilities are undecided: the smallest range outside of which nine in ten answers \
      (--accuracy) are correct on every source with real and fake videos. For one network, \
      --output writes the weights with the calibration of a face's logit, which all commands then \
      use.

        dfkit calibrate --data faces/
        dfkit calibrate --data faces/ --recipe mine.yaml --weights nets/ --json
        dfkit calibrate --data faces/ --recipe mine.yaml --weights nets/ --fit-members --output out/
        dfkit calibrate --weights b4.safetensors --data faces/ --output c.safetensors
        dfkit calibrate --weights b4.safetensors --data faces/ --method temperature --plot r.svg
      """)

  @Option(
    help: """
      The weights of one network, in the form that 'classify' accepts; with --recipe, the weights \
      of its members, in the form that 'predict' accepts. If not given, those that the recipe \
      names.
      """, completion: .file())
  var weights: [String] = []

  @OptionGroup(title: "One network") var network: NetworkOptions

  @OptionGroup(title: "Faces") var samples: SampleOptions

  @Option(help: "The calibration to fit: platt (scale and offset) or temperature (scale only).")
  var method = CalibrationFit.Method.platt

  @Flag(
    inversion: .prefixedNo,
    help: """
      Smooth the target probabilities (Platt's smoothing). If neither flag is given, they are \
      smoothed only if a threshold separates all real from all fake samples.
      """)
  var smooth: Bool?

  @Option(
    help: """
      The recipe to calibrate: the name of a built-in one or a YAML file. If only the weights of \
      one network are given, the mean over the faces of a video, clipped to 0.01 to 0.99, is \
      calibrated.
      """, completion: .file())
  var recipe: String?

  @Flag(
    help: """
      Fit the calibration of each member first, then the recipe's to the calibrated scores. This \
      is always done for one network.
      """)
  var fitMembers = false

  @Option(
    help: """
      The fraction of answers outside the undecided range that must be correct on every source, \
      0.5 to 1.
      """)
  var accuracy = 0.9

  @Option(
    help: """
      Write the weights with the calibration to this safetensors file; with several networks and \
      --fit-members, as MEMBER.safetensors into this folder.
      """, completion: .file())
  var output: String?

  @Option(help: "Write the reliability diagram to this SVG file.", completion: .file())
  var plot: String?

  @Option(
    help: """
      Write the logit of each face to this CSV file, with the columns path, label, video, group \
      and logit; with several networks, a column of logits for each.
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
            """
            The recipe defines its networks; to use options for one network, give one file with \
            --weights and no --recipe.
            """)
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
        throw ValidationError("--output needs --fit-members if the recipe has several members.")
      }
    }
  }
}
