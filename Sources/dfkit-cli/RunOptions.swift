import ArgumentParser
import DFKit
import Foundation
import Training

/// The options of all commands that train: the folder of the run, resuming, checkpoints and output.
struct RunOptions: ParsableArguments {
  @Option(
    help: "The folder of the run, for its weights, checkpoints and log.", completion: .directory)
  var output: String?

  @Flag(help: "Resume the run in the output folder.")
  var resume = false

  @Option(help: "Write a checkpoint after this many minutes.")
  var checkpointMinutes: Double = 10

  @Option(help: "Also write a checkpoint after this many steps.")
  var checkpointSteps: Int?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print one JSON object per line for each event.")
  var json = false

  func validate() throws {
    guard checkpointMinutes > 0, checkpointMinutes <= 10_000 else {
      throw ValidationError("--checkpoint-minutes must be above 0 and at most 10000.")
    }
    if let checkpointSteps, checkpointSteps < 1 {
      throw ValidationError("--checkpoint-steps must be 1 or more.")
    }
  }

  /// Throws if `--output` is missing, unless the option `other`, which does not train, is given.
  func validateOutput(unless other: String?) throws {
    if output == nil && other == nil { throw ValidationError("Give --output FOLDER.") }
  }

  /// Refuses a new run without data.
  func validate(data: [String]) throws {
    if data.isEmpty && !resume { throw ValidationError("Give --data: a folder or a CSV file.") }
  }

  /// The job of a detector or an embedder: a new one, or the one that continues the folder's run
  /// with what is not given again as it began.
  func job<T: FaceTrainer>(
    data: [String], start: String?, _ changes: [SettingChange?]
  ) throws -> FaceTrainingJob<T> {
    var job = FaceTrainingJob<T>(data: [], folder: folder)
    if resume { job = try FaceTrainingJob(resuming: folder) }
    if !data.isEmpty { job.data = data.map { URL(fileURLWithPath: $0) } }
    guard !job.data.isEmpty else {
      throw ValidationError("The run does not record its training data; give --data again.")
    }
    try job.options.apply(changes.compactMap { $0 })
    job.start = start.map { URL(fileURLWithPath: $0) }
    job.checkpoints = checkpoints
    return job
  }

  /// The folder of the run.
  var folder: RunFolder { RunFolder(URL(fileURLWithPath: output ?? ".")) }

  /// When checkpoints are written, by the options.
  var checkpoints: CheckpointTimes {
    var times = CheckpointTimes()
    times.interval = .seconds(checkpointMinutes * 60)
    times.steps = checkpointSteps
    return times
  }

  /// A line with the numbers of training and held-out pictures.
  static func text(_ split: DataSplit) -> String {
    "\(split.training.count) training pictures, \(split.heldOut.count) held out"
  }

  /// Prints the plan, then runs `train` and prints its events.
  func show(
    _ plan: String, _ train: ((TrainingEvent) throws -> Void) throws -> TrainingResult
  ) throws {
    let printer = TrainingPrinter(json: json)
    try printer.show(plan)
    defer { printer.clear() }
    _ = try train(printer.show)
  }
}
