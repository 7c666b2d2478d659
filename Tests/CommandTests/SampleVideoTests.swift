import DFKit
import Foundation
import TestSupport
import Testing

/// `Examples/sample.mp4`, which `Scripts/make-sample-video.py` renders, and the README's first
/// command on it.
@Suite struct SampleVideoTests {
  private static let sample = Paths.package.appendingPathComponent("Examples/sample.mp4")
  @Test func itIsShortAndSmall() throws {
    let info = try Video(Self.sample).info
    #expect(info.width == 480 && info.height == 360)
    #expect(try #require(info.duration) > 3 && (info.duration ?? 9) < 5)
    #expect(try Data(contentsOf: Self.sample).count < 400_000)
  }

  /// Of published detectors, both find the one face in nearly all frames.
  @Test(.enabled(if: Paths.hasReference), arguments: [Recipe.Detector.Kind.retinaface, .mtcnn])
  func publishedDetectorsFindTheFace(_ kind: Recipe.Detector.Kind) throws {
    try Paths.withTemporaryFolder { folder in
      var weights = Paths.reference("weights/retinaface-mobilenet0.25.pth")
      if kind == .mtcnn {
        weights = folder
        for part in MTCNNPart.allCases {
          try FileManager.default.copyItem(
            at: Paths.reference("weights/mtcnn-\(part.rawValue).pt"),
            to: folder.appendingPathComponent("\(part.rawValue).pt"))
        }
      }
      var settings = Recipe.Detector()
      settings.kind = kind
      let job = DetectionJob(detector: try settings.load(weights))
      var reports: [DetectionReport] = []
      _ = try job.run(MediaFiles.expand([Self.sample.path], kinds: [.video])) {
        reports.append($0)
      }
      let frames = try #require(reports.first).frames
      #expect(frames.count == 25)
      #expect(frames.count { $0.faces.count == 1 } >= 24)
      for face in frames.compactMap({ $0.faces.first?.face }) {
        #expect(face.box.width > 80 && face.box.height > 100, "\(face.box)")
      }
    }
  }

  /// Nothing but the program and the video, wherever the program was copied.
  @Test func theProgramAloneGivesAVerdict() throws {
    try Paths.withTemporaryFolder { folder in
      let copy = folder.appendingPathComponent("dfkit")
      try FileManager.default.copyItem(at: Tool.url, to: copy)
      try FileManager.default.copyItem(
        at: Self.sample, to: folder.appendingPathComponent("sample.mp4"))
      let result = try Tool.run(["predict", "sample.mp4", "--json"], in: folder, program: copy)
      #expect(result.status == 0, "\(result.errors)")
      let entries: [[String: Any]] = try result.json()
      #expect(entries[0]["frames"] as? Int == 25)
      #expect((entries[0]["facesFound"] as? Int ?? 0) >= 20)
      #expect(entries[0]["probability"] is Double)
      let searched = entries[0]["detector"] as? [String: Any]
      #expect(searched?["weights"] as? String == "built-in face-detector" && result.errors.isEmpty)
      let people = try #require(entries[0]["people"] as? [[String: Any]])
      #expect(people.contains { ($0["judged"] as? Int ?? 0) >= 20 })
      // A home is not needed either, and a detector that was asked for is not replaced.
      let homeless = ["XDG_DATA_HOME": "", "HOME": ""]
      let again = try Tool.run(
        ["predict", "sample.mp4"], in: folder, program: copy, environment: homeless)
      #expect(again.status == 0, "\(again.errors)")
      #expect(again.errors.contains("the weights that ship") && again.errors.contains("fetch"))
      let asked = try Tool.run(
        ["predict", "sample.mp4", "--detector", "mtcnn"], in: folder, program: copy)
      #expect(asked.status == 64 && asked.errors.contains("dfkit weights fetch mtcnn"))
    }
  }

  @Test(.enabled(if: Paths.hasReference))
  func theDefaultRecipeJudgesIt() throws {
    let detector = Paths.reference("weights/retinaface-mobilenet0.25.pth").path
    let result = try Tool.run([
      "predict", Self.sample.path, "--detector", "retinaface", "--detector-weights", detector,
      "--json",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let entries: [[String: Any]] = try result.json()
    #expect((entries[0]["facesFound"] as? Int ?? 0) >= 24)
    #expect(entries[0]["probability"] is Double)
    let members = try #require(entries[0]["members"] as? [[String: Any]])
    let recipe = try Recipe.named(Recipe.defaultName)
    #expect(members.map { $0["name"] as? String } == recipe.members.map(\.name))
  }
}
