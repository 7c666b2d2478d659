import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit familiarity`.
struct FamiliarityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "familiarity",
    abstract: "Finds out which faces are unlike those that a network learned from.",
    discussion: """
      What a network says of footage of another kind is worth nothing: a fake that was made grey \
      or a GIF can look real to it. This looks at the training part of the data that the network \
      learned from, takes limits from the validation part, and prints how many faces of each \
      source they refuse, and how many damaged copies: grey, a GIF's colours, blurred, a quarter \
      as large, JPEG of quality 10.

      --output writes the weights with the limits, which 'predict' then uses: a video whose faces \
      are mostly beyond them is undecided, with the reason. Calibrate first or after, as you like.

        dfkit familiarity --weights b4.safetensors --data faces/ --output f.safetensors
        dfkit familiarity --weights lite0.safetensors --data faces.csv --recipe mine.yaml --output \
      f.safetensors
      """)

  @Option(
    help: "The network's weights, as 'classify' takes them; those that ship if not given.",
    completion: .file())
  var weights = Recipe.defaultName

  @OptionGroup(title: "Network") var network: NetworkOptions

  @Option(
    help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
    completion: .file())
  var data: [String] = []

  @Option(
    help: """
      The recipe that the network is for: where its crop is 'framed', faces with landmarks are \
      shown as 'predict' would cut them; as they are if not given.
      """, completion: .file())
  var recipe: String?

  @Option(help: "Directions of the network's features that are kept, 1 to 1024.")
  var dimensions = 64

  @Option(
    help: """
      The part of the held-out faces that the limit of the features refuses, sources counting \
      equally, 0 to 0.25; of any one source, twice that at most.
      """)
  var refused = 0.025

  @Option(help: "Faces looked at of each source (the column origin), at most.")
  var perSource = 1500

  @Option(help: "The safetensors file to write, with the limits.", completion: .file())
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
