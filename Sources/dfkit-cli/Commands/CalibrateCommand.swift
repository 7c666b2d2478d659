import ArgumentParser
import DFKit
import Foundation

extension CalibrationFit.Method: ExpressibleByArgument {}

/// `dfkit calibrate`
struct CalibrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Makes a network's probabilities honest on faces that it has not learned from.",
    discussion: """
      Judges the validation part of the data, finds the scale and offset of the logit under which the \
      truth is likeliest, and prints how good probabilities were before and are after it. Videos count \
      equally however many faces they have, and real and fake ones as half each: of faces like these, half \
      of them fake, about 80 % of those that then get 0.8 are fake. Where fakes are rarer, odds are lower by \
      as much.

      --output writes the weights with the calibration, which every command then uses. What is printed for \
      the recipe does the same for a video's probability, and leaves undecided what is too close to call.

        dfkit calibrate --weights b4.safetensors --data faces/ --output c.safetensors
        dfkit calibrate --data faces/ --split test --plot reliability.svg
        dfkit calibrate --data faces/ --recipe mine.yaml --method temperature
      """)

  @Option(
    help: "The network's weights, as 'classify' takes them; those that ship if not given.",
    completion: .file())
  var weights = Recipe.defaultName

  @OptionGroup(title: "Network") var network: NetworkOptions

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
      The recipe whose way from frames to a video is used, and whose clip: a built-in one's name or a YAML \
      file; the mean and 0.01 to 0.99 if not given.
      """, completion: .file())
  var recipe: String?

  @Option(
    help: "What part of the answers outside of the range left undecided is to be right, 0.5 to 1.")
  var accuracy = 0.95

  @Option(help: "The safetensors file to write, with the calibration.", completion: .file())
  var output: String?

  @Option(help: "Draw the reliability diagram into this SVG file.", completion: .file())
  var plot: String?

  @Option(
    help: "Write every face's logit into this CSV file: path, label, video, group, logit.",
    completion: .file())
  var scores: String?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if samples.data.isEmpty { throw ValidationError("Give --data: a folder or a CSV file.") }
    if !(0.5...1).contains(accuracy) { throw ValidationError("--accuracy must be 0.5 to 1.") }
    if let output, !output.hasSuffix(".safetensors") {
      throw ValidationError("--output must end in .safetensors.")
    }
  }

  func run() async throws {
    threads.apply()
    let source = WeightsSource(argument: weights)
    let job = try job(source)
    let command = self
    try await Interruption.handled {
      let bar = ProgressBar()
      let report = try job.run(progress: bar.update)
      bar.clear()
      if let output = command.output {
        try report.write(source, to: URL(fileURLWithPath: output))
      }
      if let plot = command.plot { try Output.write(report.plot, to: plot) }
      if let scores = command.scores { try Output.write(report.faces.csv, to: scores) }
      try Output.write((command.json ? report.json.text : report.text) + "\n")
    }
  }

  private func job(_ source: WeightsSource) throws -> CalibrationJob {
    var job = CalibrationJob(weights: source, samples: samples.choice())
    job.network = network.options
    job.method = method
    job.smoothsTargets = smooth
    job.accuracy = accuracy
    if let recipe {
      let named = try Recipe.named(recipe)
      job.aggregator = AggregatorName.parse(named.aggregation.frames) ?? job.aggregator
      job.clip = named.aggregation.clip
    }
    return job
  }
}
