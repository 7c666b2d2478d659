import DeepfakeCore
import Foundation
import MediaIO

extension Benchmark {
  /// Times whole predictions of a video or an image. Each run starts with reading the weights and
  /// ends with the verdict, as in a new process, except that the files are already in the system's
  /// cache. In a cancelled task, throws `CancellationError` before the next run.
  ///
  /// - Parameters:
  ///   - recipe: The recipe's name, for the result.
  ///   - load: Reads the weights and makes the predictor; called in every run.
  /// - Throws: `MediaError` if the file cannot be read, and the errors of `load` and
  ///   `VideoPredictor.predict`.
  package func predict(
    _ file: URL, recipe: String, load: () throws -> VideoPredictor
  ) throws -> BenchmarkResult {
    var stages: [[StageTimes.Stage: Double]] = []
    var report = VideoReport(file: file.relativePath, verdict: .undecided(.noFaces))
    PeakMemory.restart()
    let seconds = try time {
      // Free the memory that the last run left in the pool, so that all runs start in the same
      // state.
      TensorMemory.releaseUnused()
      let (found, times) = try StageTimes.record {
        var predictor = try StageTimes.measure(.load, load)
        predictor.keepsNetworks = false
        return try predictor.predict(file)
      }
      report = found
      stages.append(times)
    }
    let frames = max(1, report.frames)
    let size = try Self.frameSize(of: file)
    var result = BenchmarkResult(
      work: "video", architecture: recipe, norm: "none",
      size: .frame(width: size.width, height: size.height), batch: report.frames,
      threads: Parallel.threadCount, warmUps: warmUps,
      times: seconds.scaled(by: 1000 / Double(frames)), peakBytes: PeakMemory.bytes)
    result.video = VideoTimes(
      file: file.relativePath, verdict: report.verdict, faces: report.scores.faces.count,
      seconds: seconds, stages: Array(stages.suffix(repeats)))
    return result
  }

  private static func frameSize(of file: URL) throws -> (width: Int, height: Int) {
    if try MediaKind.of(file) == .video {
      let info = try Video(file).info
      return (info.width, info.height)
    }
    let image = try ImageFile.read(file)
    return (image.width, image.height)
  }
}

/// The duration of a prediction, in total and by stage.
package struct VideoTimes: Sendable, Equatable {
  /// The time of one stage in each run.
  package struct Stage: Sendable, Equatable {
    /// `load`, `decode`, `detect`, `track`, `crop`, `classify`, or `other`.
    package var name: String
    package var seconds: RunTimes
  }

  package var file: String
  /// The verdict of the last run.
  package var verdict: Verdict
  /// The number of faces scored in the last run.
  package var faces: Int
  /// Seconds from reading the weights to the verdict, of each run.
  package var seconds: RunTimes
  /// The stages in the order of the work, then `other` for the time outside them. Where stages
  /// overlap on several threads, their times add up to more than the total.
  package var stages: [Stage]

  init(
    file: String, verdict: Verdict, faces: Int, seconds: RunTimes,
    stages: [[StageTimes.Stage: Double]]
  ) {
    self.file = file
    self.verdict = verdict
    self.faces = faces
    self.seconds = seconds
    self.stages = StageTimes.Stage.allCases.map { stage in
      Stage(name: stage.rawValue, seconds: RunTimes(stages.map { $0[stage, default: 0] }))
    }
    let other = zip(seconds.runs, stages).map { whole, stages in
      max(0, whole - stages.values.reduce(0, +))
    }
    self.stages.append(Stage(name: "other", seconds: RunTimes(other)))
  }

  /// The table of stages that `dfkit bench video` shows below the table of results.
  package var text: String {
    var table = TextTable([.init("stage")] + RunTimes.columns("seconds") + [.init("time", .right)])
    func add(_ name: String, _ times: RunTimes) {
      let share = seconds.median > 0 ? 100 * times.median / seconds.median : 0
      table.add([name] + times.cells + ["\(share.fixed(1)) %"])
    }
    for stage in stages { add(stage.name, stage.seconds) }
    add("all", seconds)
    return table.text
  }

  /// The members that these times add to the JSON of a result.
  func members(frames: Int) -> [JSON.Member] {
    [
      .init(key: "file", value: .string(file)),
      .init(key: "frames", value: .integer(frames)),
      .init(key: "faces", value: .integer(faces)),
      .init(key: "probability", value: .number(verdict.probability)),
      .init(
        key: "framesPerSecond",
        value: .rounded(seconds.median > 0 ? Double(frames) / seconds.median : 0)),
      .init(key: "seconds", value: seconds.json),
      .init(
        key: "stages",
        value: .object(stages.map { .init(key: $0.name, value: $0.seconds.json) })),
    ]
  }
}
