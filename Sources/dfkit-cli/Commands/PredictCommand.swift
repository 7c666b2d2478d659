import ArgumentParser
import DFKit
import Foundation
import Synchronization

/// The command `dfkit predict`.
struct PredictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Estimates whether the faces in videos and images were manipulated.",
    discussion: """
      Reads frames spread evenly over a video, finds the faces, groups them into people, and \
      scores them with every network of the recipe. Prints one verdict for each file, and one for \
      each person if there are several. JSON also has the times at which each person looked fake.

        dfkit predict clip.mp4
        dfkit predict footage/ 'more/*.mov' --json
        dfkit predict interview.mp4 --people largest
        dfkit predict footage/ --csv > submission.csv
        dfkit predict clip.mp4 --recipe mine.yaml --weights b4=b4.safetensors
        dfkit predict clip.mp4 --recipe dfdc-silver --weights nets/

      The recipe 'default' has weights of its own, which ship with dfkit; 'dfkit weights info \
      default' says what they can and cannot do. For other recipes, 'dfkit recipe show' lists the \
      members, each of which needs weights. A file is undecided if it has no face, if its \
      probability is too close to 0.5 (--undecided), or if its faces are unlike the training data \
      of the networks (--unfamiliar). That is an answer; a file that cannot be read is an error \
      (exit status 1).

      What P(fake) = 0.8 means with the recipe 'default': of videos like those that it was \
      calibrated on, half of them real and half fake, about 80 % of those that got 0.8 were fake. \
      Footage of another kind can differ. If fakes are rare, most videos that get 0.8 are real: \
      multiply the odds 0.8 / 0.2 = 4 by the odds of a fake among your videos. For other recipes, \
      this holds only if they were calibrated ('dfkit calibrate').
      """)

  @OptionGroup var input: InputOptions

  @OptionGroup var recipe: RecipeOptions

  @OptionGroup(title: "Face detection") var detector: DetectorOptions

  @Option(help: .setting("frames", "the recipe's number if not given"))
  var frames: Int?

  @Option(
    help: """
      How the verdict of a file follows from the people in it: highest (the highest probability of \
      a person), largest (the person with the largest face), mean, or together (all faces as those \
      of one person; in the recipe dfdc-silver, one face of each frame). The recipe's rule if not \
      given. If the recipe's rule is 'together', each other rule uses all faces of a frame.
      """)
  var people: Recipe.People.Rule?

  @Option(help: .setting("faces.perFrame", "the recipe's number if not given"))
  var facesPerFrame: Int?

  @Option(help: "How scores are combined, both over frames and over members.")
  var aggregate: AggregatorName?

  @Option(help: "Limits of the final probability, such as 0.01,0.99; or 'none'.")
  var clip: ClipRange?

  @Option(
    help: """
      The range of probabilities that are too close to 0.5 for a verdict, such as 0.4,0.6; or \
      'none'. If not given, the recipe's; if the recipe has none and nothing is calibrated, \
      0.4,0.6.
      """)
  var undecided: ClipRange?

  @Option(
    help: """
      How to treat a video whose faces are mostly unlike the training faces, if the weights \
      contain familiarity limits ('dfkit familiarity'): refuse (undecided), note (the verdict does \
      not change, but the table notes it) or ignore. The recipe's setting if not given.
      """)
  var unfamiliar: Recipe.Decision.Unfamiliar?

  @Option(
    help: """
      Write an HTML page for each file to this folder, as 'report' does: verdict, people over \
      time, faces, and where the networks saw signs of a fake.
      """, completion: .directory)
  var report: String?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(
    help: "Print CSV with the columns filename and label (the probability, 0.5 if there is none).")
  var csv = false

  func validate() throws {
    if json && csv { throw ValidationError("--json and --csv cannot be combined.") }
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
