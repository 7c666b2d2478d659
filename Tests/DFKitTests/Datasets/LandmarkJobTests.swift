import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct LandmarkJobTests {
  /// Five crops, one of them damaged and one with landmarks, and a manifest with a column of its
  /// own.
  private func withCrops(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      for (index, side) in [40, 60, 40, 80].enumerated() {
        try ImageFile.write(
          .plain(side, side, grey: UInt8(40 * index + 20)),
          to: folder.appendingPathComponent("\(index).png"))
      }
      try Data("no picture".utf8).write(to: folder.appendingPathComponent("4.png"))
      let rows = """
        path,label,note,landmarks,split
        0.png,REAL,"a, b",,train
        1.png,FAKE,,,train
        2.png,REAL,c,1 2 3 4 5 6 7 8 9 10.5,validation
        3.png,REAL,d,,validation
        4.png,REAL,e,,test

        """
      try Data(rows.utf8).write(to: folder.appendingPathComponent("manifest.csv"))
      try body(folder)
    }
  }

  /// Finds a small face in the corner and a larger one around the middle of what it sees; nothing
  /// in dark pictures.
  private let detector = ScriptedDetector { _, frame in
    let (width, height) = (Float(frame.width), Float(frame.height))
    guard frame[frame.width / 2, frame.height / 2].red > 30 else { return [] }
    func face(_ x: Float, _ y: Float, _ side: Float, _ score: Float) -> Face {
      var face = Face.at(x - side / 2, y - side / 2, side: side, score: score)
      face.landmarks = [(-1, -1), (1, -1), (0, 0), (-1, 1), (1, 1)].map {
        Point(x: x + $0.0 * side / 4, y: y + $0.1 * side / 4)
      }
      return face
    }
    return [
      face(width * 0.1, height * 0.1, width * 0.2, 0.99),
      face(width / 2, height / 2, width / 2, 0.7),
    ]
  }

  @Test func writesWhatItFindsAndLeavesTheRest() throws {
    try withCrops { folder in
      let job = LandmarkJob(DatasetInput([folder]), detector: detector)
      let result = try job.run()
      #expect(result.found == 2 && result.known == 1 && !result.wasCancelled)
      #expect(result.faceless == ["0.png"])
      #expect(result.unreadable.map(\.path) == ["4.png"])
      #expect(result.outcome == JobOutcome(failures: 1))
      let output = folder.appendingPathComponent("marked.csv")
      try job.write(result, to: output)
      let lines = try String(contentsOf: output, encoding: .utf8).split(separator: "\n")
      #expect(lines[0] == "path,label,note,split,landmarks")
      #expect(lines[1] == "0.png,REAL,\"a, b\",train,")
      // The face in the middle: half of the crop with a quarter of it on every side, so 45 of 60.
      #expect(
        lines[2] == "1.png,FAKE,,train,18.75 18.75 41.25 18.75 30.0 30.0 18.75 41.25 41.25 41.25")
      #expect(lines[3] == "2.png,REAL,c,validation,1.0 2.0 3.0 4.0 5.0 6.0 7.0 8.0 9.0 10.5")
      #expect(lines[5] == "4.png,REAL,e,test,")
      #expect(result.text.contains("2 crops have landmarks now"))
      #expect(result.text.contains("0.png") && result.text.contains("4.png"))
    }
  }

  @Test func looksOnlyWhereItIsToldTo() throws {
    try withCrops { folder in
      var input = DatasetInput([folder])
      input.pathPrefix = "3"
      var job = LandmarkJob(input, detector: detector)
      var result = try job.run()
      #expect(result.found == 1 && result.known == 0 && result.unreadable.isEmpty)
      // In place: the other rows are still there.
      try job.write(result, to: folder.appendingPathComponent("manifest.csv"))
      #expect(
        try FaceManifest.read(folder).samples.map { $0.landmarks != nil } == [
          false, false, true, true, false,
        ])
      job.input.pathPrefix = "2"
      result = try job.run()
      #expect(result.found == 0 && result.known == 1)
      job.replacesKnown = true
      result = try job.run()
      #expect(result.found == 1 && result.known == 0)
      try job.write(result, to: folder.appendingPathComponent("manifest.csv"))
      #expect(try FaceManifest.read(folder).samples[2].landmarks?[2] == Point(x: 20, y: 20))
    }
  }

  @Test func anInterruptionKeepsWhatWasFound() async throws {
    let detector = detector
    let result = try await Task {
      try Paths.withTemporaryFolder { folder in
        var rows = "path,label\n"
        for index in 0..<100 {
          try ImageFile.write(
            .plain(20, 20), to: folder.appendingPathComponent("\(index).png"))
          rows += "\(index).png,REAL\n"
        }
        try Data(rows.utf8).write(to: folder.appendingPathComponent("manifest.csv"))
        let job = LandmarkJob(DatasetInput([folder]), detector: detector)
        let result = try job.run { _ in withUnsafeCurrentTask { $0?.cancel() } }
        try job.write(result, to: folder.appendingPathComponent("manifest.csv"))
        let known = try FaceManifest.read(folder).samples.count { $0.landmarks != nil }
        #expect(known == result.found)
        return result
      }
    }.value
    #expect(result.wasCancelled && result.outcome.wasCancelled)
    #expect(result.found > 0 && result.found + result.waiting == 100)
  }
}
