import ArgumentParser
import DFKit
import Foundation

extension WeightsCommand {
  struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetches published weights, checks them and stores them where commands find them.",
      discussion: """
        'dfkit weights list' shows what there is. A download that broke off is gone on with by the \
        same command. Without a network, bring the files from elsewhere and name them with --from.

          dfkit weights fetch mtcnn
          dfkit weights fetch retinaface-mobilenet0.25 selimsef-111
          dfkit weights fetch mtcnn --from facenet_pytorch-2.6.0-py3-none-any.whl
          dfkit weights fetch sbi-c23 --from ~/Downloads/FFc23.tar
        """)

    @Argument(help: "Entries of the catalogue.")
    var names: [String]

    @Option(
      help: """
        Where to take the weights from instead of the catalogue's source: a file, a folder of the \
        files, or an http(s) address. What comes must still be what the catalogue says.
        """, completion: .file())
    var from: String?

    @Flag(help: "Fetch anew what is there.")
    var force = false

    @OptionGroup var options: StoreOptions

    func validate() throws {
      if names.isEmpty { throw ValidationError("Give at least one entry of 'dfkit weights list'.") }
      if from != nil, names.count > 1 {
        throw ValidationError("--from serves one entry at a time.")
      }
    }

    func run() async throws {
      let catalogue = try options.readCatalogue()
      let entries = try names.map { try catalogue.entry(named: $0) }
      var fetcher = WeightsFetcher(store: try options.store())
      fetcher.replaces = force
      let (chosen, source) = (fetcher, from)
      try await Interruption.handled {
        let bar = ProgressBar()
        var failures = 0
        for (index, entry) in entries.enumerated() {
          do {
            let outcome = try chosen.fetch(entry, from: source) { state in
              var state = state
              (state.done, state.total) = (index, entries.count)
              bar.update(state)
            }
            bar.clear()
            try Output.show(outcome.text(entry.name))
          } catch let error where error is FetchError || error is WeightsError {
            bar.clear()
            Output.note(error.reason)
            failures += 1
          } catch {
            bar.clear()
            throw error
          }
        }
        try JobOutcome(failures: failures).exit()
      }
    }
  }
}

extension WeightsFetcher.Outcome {
  fileprivate func text(_ name: String) -> String {
    let path = TextTable.printable(url.path)
    if wasInstalled { return "\(name): already in \(path); --force fetches it anew" }
    let hashes = unverified.map {
      "  \($0.file): no whole SHA-256 of it is published; this one's is \($0.sha256)"
    }
    return (["\(name): stored in \(path)"] + hashes).joined(separator: "\n")
  }
}
