import ArgumentParser
import DFKit
import Foundation

/// The catalogue and the store of `weights list` and `weights fetch`.
struct StoreOptions: ParsableArguments {
  @Option(
    help: "A catalogue of your own (YAML, see Docs/Weights.md); the built-in one if not given.",
    completion: .file())
  var catalogue: String?

  @Option(
    help: """
      The folder for weights; $XDG_DATA_HOME/dfkit/weights (usually ~/.local/share/dfkit/weights) \
      if not given.
      """, completion: .directory)
  var folder: String?

  func readCatalogue() throws -> WeightsCatalogue {
    guard let catalogue else { return try WeightsCatalogue.builtIn() }
    return try WeightsCatalogue(contentsOf: URL(fileURLWithPath: catalogue))
  }

  func store() throws -> WeightsStore {
    if let folder { return WeightsStore(folder: URL(fileURLWithPath: folder)) }
    return try WeightsStore()
  }
}

extension WeightsCommand {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the weights that ship with dfkit, and published weights to download.",
      discussion: """
          dfkit weights list
          dfkit weights list default mtcnn
          dfkit weights list --json
        """)

    @Argument(help: "Names of entries to describe in full; without names, a table of all.")
    var names: [String] = []

    @OptionGroup var options: StoreOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      var catalogue = try options.readCatalogue()
      let store = try options.store()
      var shipped = ShippedWeights.all
      if !names.isEmpty {
        shipped = names.compactMap(ShippedWeights.named)
        catalogue.entries = try names.filter { ShippedWeights.named($0) == nil }
          .map { try catalogue.entry(named: $0) }
      }
      if json {
        try Output.write(catalogue.json(store, shipped: shipped).text + "\n")
      } else if names.isEmpty {
        let table = catalogue.table(store, width: Terminal.width(STDOUT_FILENO))
        try Output.show(ShippedWeights.table() + "\n\n" + table)
      } else {
        let texts =
          try shipped.map { try WeightsReport(.shipped($0)).text }
          + catalogue.entries.map { $0.text(store) }
        try Output.show(texts.joined(separator: "\n\n"))
      }
    }
  }
}
