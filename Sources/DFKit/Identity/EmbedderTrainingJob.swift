import Classifiers
import DeepfakeCore
import Foundation
import Training

/// Trains a look-alike embedder: what `dfkit identity train` does.
public struct EmbedderTrainingJob: Sendable {
  /// Folders with a `manifest.csv`, and CSV files.
  public var data: [URL]
  /// Where the weights, the log and the plot go.
  public var folder: URL
  /// How it is trained.
  public var options: EmbedderTrainer.Options
  /// Weights to start from; nil for weights from the seed.
  public var start: URL?
  /// Steps between two lines of the log.
  public static let logSteps = 10
  /// Steps between two writings of the weights.
  public static let saveSteps = 100

  /// A job.
  public init(data: [URL], folder: URL, options: EmbedderTrainer.Options = .init()) {
    self.data = data
    self.folder = folder
    self.options = options
  }

  /// The file of the weights.
  public var weights: URL { folder.appendingPathComponent("look-alike.safetensors") }
  /// The file of the log: a line every ten steps.
  public var log: URL { folder.appendingPathComponent("log.csv") }
  /// The file of the loss's curve.
  public var plot: URL { folder.appendingPathComponent("plot.svg") }

  /// The data in a part to learn from and one to judge by.
  ///
  /// - Throws: `DatasetError`.
  public func split() throws -> DataSplit { try Self.split(data) }

  static func split(_ data: [URL]) throws -> DataSplit {
    let manifest = try FaceManifest.joined(data.map(FaceManifest.read))
    try manifest.checkFiles()
    return try IdentityData.split(manifest)
  }

  /// Trains on the part to learn from, and writes the weights now and then and at the end.
  ///
  /// - Throws: `DatasetError`, `TrainingError`, `WeightsError`, `CancellationError`; what was written stays.
  public func run(
    _ split: DataSplit, onStep: (EmbedderTrainer.Progress) throws -> Void = { _ in }
  ) throws {
    let runFolder = RunFolder(folder)
    guard !FileManager.default.fileExists(atPath: weights.path) else {
      throw TrainingError.unusable(
        problem: "\(weights.relativePath) is there already; name another folder")
    }
    let lock = try runFolder.prepare(resuming: false)
    defer { withExtendedLifetime(lock) {} }
    let learned = try IdentityData(split.training)
    var lines = ["step,loss,rate,viewsPerSecond"]
    var curve: [LinePlot.Point] = []
    var sum = 0.0
    let start = try start.map { try StateDict.read($0) }
    let network = try EmbedderTrainer(options).train(learned, from: start) { progress, network in
      sum += progress.loss
      if progress.step % Self.logSteps == 0 {
        let mean = sum / Double(Self.logSteps)
        sum = 0
        lines.append(
          "\(progress.step),\(Self.rounded(mean)),\(progress.learningRate),"
            + "\(Int(progress.viewsPerSecond))")
        curve.append(LinePlot.Point(Double(progress.step), mean))
      }
      if progress.step % Self.saveSteps == 0 {
        try write(network)
        try runFolder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: log)
      }
      try onStep(progress)
    }
    try write(network)
    try runFolder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: log)
    let picture = LinePlot(
      "Training the look-alike embedder", xTitle: "step",
      panels: [
        LinePlot.Panel(
          "contrastive loss, mean of \(Self.logSteps) steps",
          [LinePlot.Series("loss", curve)])
      ])
    try runFolder.write(Data(picture.svg.utf8), to: plot)
  }

  private static func rounded(_ value: Double) -> String {
    "\((value * 10_000).rounded() / 10_000)"
  }

  private func write(_ network: LookAlikeNetwork) throws {
    var metadata = LookAlikeEmbedder.metadata(
      input: LookAlikeEmbedder.input(size: options.size), lookAlikeThreshold: nil)
    metadata.recipe = "seed \(options.seed), \(options.steps) steps"
    try network.store.stateDict().write(
      safetensors: weights, metadata: metadata.entries, dtype: .f16)
  }
}
