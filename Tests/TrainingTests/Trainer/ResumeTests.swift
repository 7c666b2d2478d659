import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO
import TestSupport
import Testing
import Training

/// Runs that were stopped anywhere and went on end as those that were not.
@Suite struct ResumeTests {
  /// Everything that a run has to remember, in three kinds of run.
  enum Kind: String, CaseIterable, Sendable {
    case plain, averaged, sharp

    var options: TrainingOptions {
      var options = TrainerTests.options
      options.epochs = 3
      switch self {
      case .plain: break
      case .averaged:
        options.ema = nil
        options.swa = .init(from: 2, learningRate: 0.005)
        options.optimizer.kind = .sgd()
        options.schedule.kind = .cosine()
        options.accumulate = 2
        options.batchSize = 3
        options.sampling = .people
      case .sharp:
        options.optimizer.sam = 0.05
        options.validationEpochs = 1
        options.loss.kind = .focal()
        options.freeze = ["stem"]
        options.sampling = .balanced
      }
      return options
    }

    var network: TrainableNetwork {
      TinyNetwork.trainable(self == .averaged ? .batch : .group, dropout: 0.3)
    }
  }

  /// The table without what time decides.
  private func table(_ folder: URL) throws -> [String] {
    try String(contentsOf: folder.appendingPathComponent("metrics.csv"), encoding: .utf8)
      .split(separator: "\n").map { line in
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
        return (cells[..<3] + cells[5...]).joined(separator: ",")
      }
  }

  @Test(arguments: Kind.allCases)
  func aRunThatWasStoppedEndsAsOneThatWasNot(_ kind: Kind) throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder))
      let whole = folder.appendingPathComponent("whole")
      var events = 0
      _ = try TrainerTests.run(whole, data, kind.network, kind.options) { _ in
        events += 1
        return false
      }
      // Stopped at every seventh event of what is left, checkpoints after every second step.
      let parts = folder.appendingPathComponent("parts")
      var stops = 0
      while stops < 100 {
        var seen = 0
        do {
          _ = try TrainerTests.run(
            parts, data, kind.network, kind.options,
            resuming: FileManager.default.fileExists(
              atPath: RunFolder(parts).checkpoint.path), every: 2
          ) { _ in
            seen += 1
            return seen == 7 + stops % 3
          }
          break
        } catch is TrainerTests.Stop {
          stops += 1
          // What a process that was killed may leave behind.
          try Data("half".utf8).write(
            to: parts.appendingPathComponent(".checkpoint.safetensors.1.2"))
          try Data("epoch,pa".utf8).write(to: RunFolder(parts).metrics)
          if !FileManager.default.fileExists(atPath: RunFolder(parts).checkpoint.path) {
            try FileManager.default.removeItem(at: parts)
          }
        }
      }
      #expect(stops > 2 && stops < 100, "\(stops) stops in \(events) events")
      for name in ["best.safetensors", "last.safetensors"] {
        let (one, other) = try (
          StateDict.read(whole.appendingPathComponent(name)),
          StateDict.read(parts.appendingPathComponent(name))
        )
        #expect(one.metadata == other.metadata)
        for key in one.keys {
          #expect(
            try one[key]?.tensor().scalars == other[key]?.tensor().scalars, "\(name): \(key)")
        }
      }
      #expect(try table(whole) == table(parts))
      let left = try FileManager.default.contentsOfDirectory(atPath: parts.path)
      #expect(!left.contains { $0.hasPrefix(".checkpoint") || $0.hasPrefix("next-") }, "\(left)")
    }
  }

  @Test func moreEpochsMayBeAskedForLater() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder))
      var options = Kind.plain.options
      let (short, long) = (folder.appendingPathComponent("a"), folder.appendingPathComponent("b"))
      options.epochs = 2
      _ = try TrainerTests.run(short, data, Kind.plain.network, options)
      let done = try TrainerTests.run(short, data, Kind.plain.network, options, resuming: true)
      #expect(done.epochs.count == 2)
      options.epochs = 4
      _ = try TrainerTests.run(short, data, Kind.plain.network, options, resuming: true)
      _ = try TrainerTests.run(long, data, Kind.plain.network, options)
      #expect(try table(short) == table(long))
      #expect(
        try TrainerTests.bytes(short, "last.safetensors")
          == TrainerTests.bytes(long, "last.safetensors"))
    }
  }

  @Test func whatWasBegunWithSomethingElseIsRefused() throws {
    try Paths.withTemporaryFolder { folder in
      let manifest = try MadeUpFaces.write(folder)
      let data = try HoldOut().split(manifest)
      let run = folder.appendingPathComponent("run")
      _ = try TrainerTests.run(run, data, Kind.plain.network, Kind.plain.options)
      func keys(
        _ network: TrainableNetwork = Kind.plain.network, data other: DataSplit? = nil,
        _ change: (inout TrainingOptions) -> Void = { _ in }
      ) -> [String] {
        var options = Kind.plain.options
        change(&options)
        do {
          _ = try TrainerTests.run(run, other ?? data, network, options, resuming: true)
          return []
        } catch TrainingError.changed(_, let differences) {
          return differences.map(\.key)
        } catch {
          return ["\(error)"]
        }
      }
      #expect(keys().isEmpty)
      #expect(keys { $0.batchSize = 5 } == ["training.batchSize"])
      #expect(keys { $0.seed = 2 } == ["training.seed"])
      #expect(keys { $0.augmentation = .silver } == ["training.augmentation"])
      #expect(
        keys {
          $0.optimizer.learningRate = 1
          $0.clip = nil
        } == ["training.clip", "training.optimizer.learningRate"])
      #expect(keys(TinyNetwork.trainable(.batch)) == ["network"])
      let fewer = try HoldOut().split(manifest.filtered(pathPrefix: "real"))
      #expect(keys(data: fewer) == ["training data", "validation data"])
      // A rate that depends on the number of epochs does not let them change.
      let cosine = folder.appendingPathComponent("cosine")
      var options = Kind.plain.options
      options.schedule.kind = .cosine()
      _ = try TrainerTests.run(cosine, data, Kind.plain.network, options)
      options.epochs += 1
      #expect(throws: TrainingError.self) {
        try TrainerTests.run(cosine, data, Kind.plain.network, options, resuming: true)
      }
    }
  }

  @Test func foldersAreLookedAfter() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder))
      let (network, options) = (Kind.plain.network, Kind.plain.options)
      let run = folder.appendingPathComponent("run")
      #expect(throws: TrainingError.nothingToResume(folder: run.relativePath)) {
        try TrainerTests.run(run, data, network, options, resuming: true)
      }
      _ = try TrainerTests.run(run, data, network, options)
      #expect(throws: TrainingError.folderInUse(folder: run.relativePath)) {
        try TrainerTests.run(run, data, network, options)
      }
      let lock = try RunFolder(run).prepare(resuming: true)
      #expect(throws: FolderLock.Failure.held(run.relativePath)) {
        try TrainerTests.run(run, data, network, options, resuming: true)
      }
      withExtendedLifetime(lock) {}
      // A file where the folder should be.
      let file = folder.appendingPathComponent("manifest.csv/run")
      let error = #expect(throws: TrainingError.self) {
        try TrainerTests.run(file, data, network, options)
      }
      #expect(error?.description.contains("is a file, not a folder") == true)
      let full = folder.appendingPathComponent("full")
      let small = #expect(throws: TrainingError.self) {
        try RunFolder(full).prepare(resuming: false, bytes: .max / 2)
      }
      #expect(small?.description.contains("MB left. Free some space") == true)
    }
  }

  @Test func damagedCheckpointsAreRefused() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder))
      let run = folder.appendingPathComponent("run")
      var options = Kind.plain.options
      options.epochs = 1
      _ = try TrainerTests.run(run, data, Kind.plain.network, options)
      let file = RunFolder(run).checkpoint
      let sound = try Data(contentsOf: file)
      // Counts that no run has had, in a header that stays as long as it was.
      var impossible = sound
      if let place = impossible.range(of: Data(#"\"epoch\":2"#.utf8)) {
        impossible[place.upperBound - 1] = UInt8(ascii: "7")
      }
      #expect(impossible != sound)
      for damaged in [
        sound.prefix(100), sound.dropLast(8), Data("{}".utf8), impossible,
        try Data(contentsOf: RunFolder(run).best),
      ] {
        try damaged.write(to: file)
        let error = #expect(throws: TrainingError.self) {
          try TrainerTests.run(run, data, Kind.plain.network, options, resuming: true)
        }
        guard case .damaged(let name, _) = error else {
          Issue.record("\(String(describing: error))")
          continue
        }
        #expect(name.hasSuffix("checkpoint.safetensors"))
      }
    }
  }
}
