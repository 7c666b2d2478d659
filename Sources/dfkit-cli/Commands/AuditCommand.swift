import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit audit`.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Measures leaks between the parts of a dataset, or between datasets.",
    discussion: """
      For one manifest, compares the parts in its column split; for several, compares each \
      manifest with the others. Looks for identical pictures, near-copies, frames of one video, \
      fakes and their originals, the same people, look-alike faces and similar backgrounds on both \
      sides. Also looks for contradictory labels, and for shortcuts: how well image size, \
      compression, sharpness, colour or the place of the face alone predict the label.

        dfkit audit faces/
        dfkit audit train.csv test.csv --html audit.html --show-faces
        dfkit audit split.csv --max-share 0.005 --json > audit.json

      The exit status is 2 if a leak affects a larger share of a side than --max-share.
      """)

  /// The exit status if there is a leak above `--max-share`.
  static let leakCode = ExitCode(2)

  @OptionGroup var data: DatasetOptions

  @Option(help: "The largest share of a side's samples that each kind of leak may affect, 0 to 1.")
  var maxShare = 0.01

  @Option(
    help: """
      Similarity from which two faces look alike, 0 to 1; the embedder's threshold if not given.
      """)
  var lookAlike: Float?

  @Option(help: "Number of pairs to show of each kind, 0 to 1000.")
  var examples = 12

  @Option(
    help: "Write an HTML page with the worst pairs side by side to this file.", completion: .file())
  var html: String?

  @Flag(help: "Show pictures on that page. Off by default, since they show people's faces.")
  var showFaces = false

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (0...1).contains(maxShare) else { throw ValidationError("--max-share must be 0 to 1.") }
    guard (0...1000).contains(examples) else {
      throw ValidationError("--examples must be 0 to 1000.")
    }
    if let lookAlike, !(0...1).contains(lookAlike) {
      throw ValidationError("--look-alike must be 0 to 1.")
    }
    if data.manifests.count > 64 { throw ValidationError("At most 64 manifests can be compared.") }
    if showFaces, html == nil {
      throw ValidationError("--show-faces needs --html FILE.")
    }
  }

  func run() async throws {
    threads.apply()
    var job = AuditJob(try data.input())
    job.audit.exampleCount = examples
    job.audit.search.copies.lookAlikeSimilarity = lookAlike
    try await Interruption.handled { [job, json, html, showFaces, maxShare] in
      let bar = ProgressBar()
      let result = try job.run(progress: bar.update)
      bar.clear()
      if let html {
        var page = AuditPage(result, allowed: maxShare)
        page.showsFaces = showFaces
        try page.write(to: URL(fileURLWithPath: html))
      }
      try json
        ? Output.write(result.json(allowed: maxShare).text + "\n")
        : Output.show(result.text(allowed: maxShare))
      if !result.report.leaks(above: maxShare).isEmpty { throw Self.leakCode }
    }
  }
}
