import DeepfakeCore
import FaceDetect
import Foundation
import Training

/// Trains a face detector: what `dfkit detector train` does.
public struct DetectorTrainingJob: Sendable {
  /// Folders with a `manifest.csv`, and CSV files, with `box` and `landmarks` in pixels of the pictures.
  public var data: [URL]
  /// Where the weights, the log and the plot go.
  public var folder: URL
  /// How it is trained.
  public var options: DetectorTraining.Options
  /// Weights to start from; nil for weights from the seed.
  public var start: URL?
  /// Whether to go on with the run in the folder.
  public var resumes = false
  /// Steps between two lines of the log.
  public static let logSteps = 20
  /// Steps between two writings of weights and checkpoint.
  public static let saveSteps = 200

  /// A job.
  public init(data: [URL], folder: URL, options: DetectorTraining.Options = .init()) {
    self.data = data
    self.folder = folder
    self.options = options
  }

  /// The file of the weights.
  public var weights: URL { folder.appendingPathComponent("detector.safetensors") }
  /// The file of the log: a line every twenty steps.
  public var log: URL { folder.appendingPathComponent("log.csv") }
  /// The file of the losses' curves.
  public var plot: URL { folder.appendingPathComponent("plot.svg") }

  /// The data in a part to learn from and one to judge by.
  ///
  /// - Throws: `DatasetError`.
  public func split() throws -> DataSplit { try Self.split(data) }

  static func split(_ data: [URL]) throws -> DataSplit {
    let manifest = try FaceManifest.joined(data.map(FaceManifest.read))
    try manifest.checkFiles()
    return try HoldOut().split(manifest)
  }

  /// Trains on the part to learn from. Weights, log and checkpoint are written every 200 steps, at the end, and
  /// where the task is cancelled.
  ///
  /// - Throws: `DatasetError`, `TrainingError`, `OptimizerStateError`, `WeightsError`, `CancellationError`.
  public func run(
    _ split: DataSplit, onStep: (DetectorTraining.Progress) throws -> Void = { _ in }
  ) throws {
    let runFolder = RunFolder(folder)
    let lock = try runFolder.prepare(resuming: resumes)
    defer { withExtendedLifetime(lock) {} }
    var training = try DetectorTraining(
      LabelledFaces(split.training), options, from: try start.map { try StateDict.read($0) })
    var lines = ["step,loss,classes,boxes,landmarks,rate,seconds"]
    let digest = split.training.digest
    if resumes { lines = try training.restore(runFolder.checkpoint, data: digest) }
    func save() throws {
      try training.save(runFolder.checkpoint, log: lines, data: digest)
      try training.weights(data: digest).write(safetensors: weights, dtype: .f16)
      try runFolder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: log)
      try runFolder.write(Data(Self.plot(lines).svg.utf8), to: plot)
    }
    var sums = [Float](repeating: 0, count: 4)
    var begin = ContinuousClock.now
    while training.step < options.steps {
      if Task.isCancelled {
        try save()
        throw CancellationError()
      }
      let progress = try training.advance()
      for (index, value) in [
        progress.loss, progress.classes, progress.boxes, progress.landmarks,
      ].enumerated() { sums[index] += value }
      if progress.step % Self.logSteps == 0 {
        let means = sums.map { "\(($0 / Float(Self.logSteps) * 10_000).rounded() / 10_000)" }
        let seconds = (((ContinuousClock.now - begin) / .seconds(1)) * 10).rounded() / 10
        lines.append(
          "\(progress.step),\(means.joined(separator: ",")),\(progress.learningRate),\(seconds)")
        sums = [Float](repeating: 0, count: 4)
        begin = .now
      }
      if progress.step % Self.saveSteps == 0 { try save() }
      try onStep(progress)
    }
    try save()
  }

  /// The log as curves.
  private static func plot(_ lines: [String]) -> LinePlot {
    let names = ["classes", "boxes", "landmarks"]
    var curves = [[LinePlot.Point]](repeating: [], count: names.count)
    for line in lines.dropFirst() {
      let numbers = line.split(separator: ",").map { Double($0) ?? .nan }
      guard numbers.count > 4 else { continue }
      for index in names.indices {
        curves[index].append(LinePlot.Point(numbers[0], numbers[2 + index]))
      }
    }
    let series = zip(names, curves).map { LinePlot.Series($0, $1) }
    return LinePlot(
      "Training the face detector", xTitle: "step",
      panels: [
        LinePlot.Panel("loss, mean of \(logSteps) steps", series, scale: .logarithmic)
      ])
  }
}
