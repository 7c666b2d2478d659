import ArgumentParser
import DFKit
import Foundation

extension WeightsCommand {
  struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: """
        Downloads published weights, checks them and stores them where commands find them.
        """,
      discussion: """
        'dfkit weights list' shows the available weights. Run the same command again to resume a \
        download. Without internet access, get the files in another way and name them with --from.

          dfkit weights fetch mtcnn
          dfkit weights fetch retinaface-mobilenet0.25 selimsef-111
          dfkit weights fetch mtcnn --from facenet_pytorch-2.6.0-py3-none-any.whl
          dfkit weights fetch sbi-c23 --from ~/Downloads/FFc23.tar
        """)

    @Argument(help: "Names of entries of the catalogue ('dfkit weights list').")
    var names: [String]

    @Option(
      help: """
        The source to use instead of the catalogue's: a file, a folder with the files, or an \
        http(s) address. The files must still match the catalogue.
        """, completion: .file())
    var from: String?

    @Flag(help: "Download again weights that are already stored.")
    var force = false

    @OptionGroup var options: StoreOptions

    func validate() throws {
      if names.isEmpty { throw ValidationError("Give at least one entry of 'dfkit weights list'.") }
      if from != nil, names.count > 1 {
        throw ValidationError("--from works with one entry at a time.")
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
    if wasInstalled { return "\(name): already stored in \(path); --force downloads it again" }
    let hashes = unverified.map {
      "  \($0.file): its whole SHA-256 is not published; this file has \($0.sha256)"
    }
    return (["\(name): stored in \(path)"] + hashes).joined(separator: "\n")
  }
}
