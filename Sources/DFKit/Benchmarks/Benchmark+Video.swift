import DeepfakeCore
import Foundation
import MediaIO

extension Benchmark {
  /// Times whole predictions of a video or an image, each from reading the weights to the verdict,
  /// as a new process would make them; what the system keeps of the files stays in its cache. Stops
  /// early in a cancelled task.
  ///
  /// - Parameters:
  ///   - recipe: its name, for the result.
  ///   - load: reads the weights and makes the predictor, anew for every run.
  /// - Throws: what `load` and `VideoPredictor.predict` throw.
  package func predict(
    _ file: URL, recipe: String, load: () throws -> VideoPredictor
  ) throws -> BenchmarkResult {
    var stages: [[StageTimes.Stage: Double]] = []
    var report = VideoReport(file: file.relativePath, verdict: .undecided(.noFaces))
    PeakMemory.restart()
    let seconds = try time {
      // What the run before left is given back, so that each begins alike.
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

/// How long a prediction took, whole and by stages.
package struct VideoTimes: Sendable, Equatable {
  /// A stage's time in all runs.
  package struct Stage: Sendable, Equatable {
    /// `load`, `decode`, `detect`, `track`, `crop`, `classify`, or `other`.
    package var name: String
    package var seconds: RunTimes
  }

  package var file: String
  /// What was found, as in a report.
  package var verdict: Verdict
  /// Faces that were judged.
  package var faces: Int
  /// Seconds from reading the weights to the verdict.
  package var seconds: RunTimes
  /// The stages in the order in which they begin, and what lies outside of them. Where stages
  /// overlap, their times add up to more than the whole.
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

  /// The table of stages that `dfkit bench video` shows below the first.
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

  /// What a result's JSON says of it.
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
