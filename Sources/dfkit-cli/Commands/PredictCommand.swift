import ArgumentParser
import DFKit
import Foundation
import Synchronization

/// The command `dfkit predict`.
struct PredictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Says of videos and images whether the faces in them were manipulated.",
    discussion: """
      Looks at frames spread evenly over a video, finds the faces, joins them into people, lets \
      every network of the recipe judge them, and prints one verdict a file, and one a person \
      where there are several. JSON has the times at which each looked fake.

        dfkit predict clip.mp4
        dfkit predict footage/ 'more/*.mov' --json
        dfkit predict interview.mp4 --people largest
        dfkit predict footage/ --csv > submission.csv
        dfkit predict clip.mp4 --recipe mine.yaml --weights b4=b4.safetensors
        dfkit predict clip.mp4 --recipe dfdc-silver --weights nets/

      The recipe 'default' has weights of its own, which ship with dfkit: 'dfkit weights info \
      default' says what they can and cannot do. Of other recipes, 'dfkit recipe show' lists the \
      members, each of which needs weights. A file without a face is undecided, which is an \
      answer, and so is one whose probability is too close to one half (--undecided) or whose \
      faces are unlike those that the networks learned from (--unfamiliar); a file that cannot be \
      read is an error (exit status 1).

      What P(fake) = 0.8 means with the recipe 'default': of videos like those that it was \
      calibrated on, half of them real and half fake, about 80 % of those that got 0.8 were fake. \
      Footage of another kind can differ, and where fakes are rare, most of those that get 0.8 are \
      real: multiply the odds 0.8 / 0.2 = 4 by those of a fake among your videos. Other recipes \
      promise no such thing unless they were calibrated ('dfkit calibrate').
      """)

  @OptionGroup var input: InputOptions

  @OptionGroup var recipe: RecipeOptions

  @OptionGroup(title: "Face detection") var detector: DetectorOptions

  @Option(help: .setting("frames", "the recipe's number if not given"))
  var frames: Int?

  @Option(
    help: """
      How people make a file's verdict: highest (fake where one of them is), largest (the largest \
      face's), mean, or together (all faces as one person's, with one face a frame in the \
      recipe dfdc-silver); the recipe's rule if not given. On a recipe that says 'together', the other rules \
      judge every face of a frame.
      """)
  var people: Recipe.People.Rule?

  @Option(help: .setting("faces.perFrame", "the recipe's number if not given"))
  var facesPerFrame: Int?

  @Option(help: "How scores become one, over frames and members alike.")
  var aggregate: AggregatorName?

  @Option(help: "What the final probability is held in, as in 0.01,0.99; or 'none'.")
  var clip: ClipRange?

  @Option(
    help: """
      The probabilities that are too close to one half to be called fake or real, as in 0.4,0.6; \
      or 'none'; the recipe's if not given, and 0.4,0.6 where it says nothing and nothing is \
      calibrated.
      """)
  var undecided: ClipRange?

  @Option(
    help: """
      What becomes of a video whose faces are mostly unlike those that the networks learned from, \
      where their weights say what that is ('dfkit familiarity'): refuse (undecided), note (the \
      verdict stands, the table says so) or ignore; the recipe's if not given.
      """)
  var unfamiliar: Recipe.Decision.Unfamiliar?

  @Option(
    help: """
      Write a page for each file into this folder, as 'report' does: verdict, people over time, \
      faces, and where networks saw signs of a fake.
      """, completion: .directory)
  var report: String?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print CSV: filename and probability (label), 0.5 where there is none.")
  var csv = false

  func validate() throws {
    if json && csv { throw ValidationError("--json and --csv exclude each other.") }
    var recipe = Recipe(name: "recipe", members: [])
    try recipe.apply(changes)
  }

  func run() async throws {
    threads.apply()
    var (settings, files) = try recipe.loaded()
    let choice = try detector.choice(
      for: settings.detector, quiet: json || csv, allowsOther: true)
    settings.detector = choice.settings
    try change(&settings)
    var explainer = try report.map { _ in
      try VideoExplainer(recipe: settings, weights: files, detectorWeights: choice.weights)
    }
    var predictor =
      try explainer?.predictor
      ?? VideoPredictor(recipe: settings, weights: files, detectorWeights: choice.weights)
    predictor.detectorName = choice.name
    explainer?.predictor.detectorName = choice.name
    let pages = try report.map { try ReportPages(URL(fileURLWithPath: $0)) }
    let inputs = input.files([.image, .video])
    let form: OutputForm = json ? .json : csv ? .csv : .table
    try await Interruption.handled { [predictor, explainer] in
      let bar = ProgressBar()
      var printer = try PredictionPrinter(form)
      var job = PredictionJob(predictor: predictor)
      if let explainer, let pages {
        job.analyze = { file, progress in
          let explanation = try explainer.explain(file, progress: progress)
          try pages.write(explanation)
          return explanation.report
        }
      }
      let outcome = try job.run(inputs, progress: bar.update) { report in
        bar.clear()
        if let error = report.error { Output.note(error, inTable: form == .table) }
        try printer.print(report)
      }
      bar.clear()
      try printer.end()
      try outcome.exit()
    }
  }

  /// The given options as changes of the recipe's settings.
  private var changes: [SettingChange] {
    [
      SettingChange("--frames", "frames", frames),
      SettingChange("--faces-per-frame", "faces.perFrame", facesPerFrame),
      clip.flatMap { $0.change("--clip", "aggregation.clip") },
      undecided.flatMap { $0.change("--undecided", "verdict.undecided") },
      SettingChange("--unfamiliar", "verdict.unfamiliar", unfamiliar?.rawValue),
    ].compactMap { $0 }
  }

  /// Replaces settings of the recipe by the given options.
  private func change(_ recipe: inout Recipe) throws {
    if let people { recipe.judgePeople(by: people) }
    if let aggregate { recipe.aggregate(by: aggregate) }
    try recipe.apply(changes)
  }
}

/// Writes report pages into one folder, each under a unique name.
private final class ReportPages: Sendable {
  private let folder: URL
  private let names = Mutex(OutputNames())

  init(_ folder: URL) throws {
    self.folder = folder
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func write(_ explanation: VideoExplanation) throws {
    let file = URL(fileURLWithPath: explanation.file.path)
    let name = names.withLock { $0.unused(file.lastPathComponent) }
    try VideoPage(explanation).write(to: folder.appendingPathComponent("\(name).html"))
  }
}

/// Prints reports in one form. JSON and CSV are printed at once, the table at the end.
private struct PredictionPrinter {
  private let form: OutputForm
  private var array: JSONArrayPrinter?
  private var reports: [VideoReport] = []

  init(_ form: OutputForm) throws {
    self.form = form
    switch form {
    case .json: array = try JSONArrayPrinter()
    case .csv: try Output.write([VideoReport]().submission)
    case .table: break
    }
  }

  mutating func print(_ report: VideoReport) throws {
    switch form {
    case .json: try array?.print(report.json)
    case .csv: try Output.write(report.submissionLine + "\n")
    case .table: reports.append(report)
    }
  }

  func end() throws {
    switch form {
    case .json: try array?.end()
    case .csv: break
    case .table: try Output.show(reports.table())
    }
  }
}
