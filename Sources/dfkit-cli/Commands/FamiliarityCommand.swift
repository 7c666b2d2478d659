import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit familiarity`.
struct FamiliarityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "familiarity",
    abstract: "Fits limits that tell which faces are unlike a network's training data.",
    discussion: """
      A network's score means nothing on footage unlike its training data: a fake that was \
      converted to grey or to a GIF can look real to it. This command measures the training part \
      of the data that the network was trained on, fits limits on the validation part, and prints \
      how many faces of each source the limits refuse. It also prints how many damaged copies they \
      refuse: grey, a GIF's colours, blurred, a quarter as large, JPEG of quality 10.

      --output writes the weights with the limits, which 'predict' then uses: a video whose faces \
      are mostly beyond them is undecided, with the reason. You can calibrate before or after.

        dfkit familiarity --weights b4.safetensors --data faces/ --output f.safetensors
        dfkit familiarity --weights lite0.safetensors --data faces.csv --recipe mine.yaml --output \
      f.safetensors
      """)

  @Option(
    help: """
      The network's weights, in the form that 'classify' accepts; those that ship with dfkit if \
      not given.
      """,
    completion: .file())
  var weights = Recipe.defaultName

  @OptionGroup(title: "Network") var network: NetworkOptions

  @Option(
    help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
    completion: .file())
  var data: [String] = []

  @Option(
    help: """
      The recipe that the network is for. If its crop is 'framed', faces with landmarks are \
      cropped as 'predict' crops them. Otherwise, and if not given, crops are used as they are.
      """, completion: .file())
  var recipe: String?

  @Option(help: "Number of directions of the network's features to keep, 1 to 1024.")
  var dimensions = 64

  @Option(
    help: """
      The fraction of held-out faces that the limit of the features may refuse, with equal weight \
      for each source, 0 to 0.25. For a single source, at most twice this fraction.
      """)
  var refused = 0.025

  @Option(help: "The most faces of each source (the column origin) to use.")
  var perSource = 1500

  @Option(help: "Write the weights with the limits to this safetensors file.", completion: .file())
  var output: String?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if data.isEmpty { throw ValidationError("Give --data: a folder or a CSV file.") }
    if !(1...1024).contains(dimensions) {
      throw ValidationError("--dimensions must be 1 to 1024.")
    }
    if !(0...0.25).contains(refused) { throw ValidationError("--refused must be 0 to 0.25.") }
    if perSource < 20 { throw ValidationError("--per-source must be 20 or more.") }
    if let output, !output.hasSuffix(".safetensors") {
      throw ValidationError("--output must end in .safetensors.")
    }
  }

  func run() async throws {
    threads.apply()
    let source = network.source(weights)
    var job = FamiliarityJob(weights: source, data: data.map { URL(fileURLWithPath: $0) })
    job.network = network.options
    job.crop = try recipe.map { try Recipe.named($0).crop }
    job.dimensions = dimensions
    job.refused = refused
    job.perSource = perSource
    let (ready, command) = (job, self)
    try await Interruption.handled {
      let bar = ProgressBar()
      let report = try ready.run(progress: bar.update)
      bar.clear()
      if let output = command.output {
        try report.write(source, to: URL(fileURLWithPath: output))
      }
      try command.json ? Output.write(report.json.text + "\n") : Output.show(report.text)
    }
  }
}
