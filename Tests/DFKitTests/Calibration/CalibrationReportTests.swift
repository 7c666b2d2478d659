import DFKit
import Foundation
import TestSupport
import Testing

/// What `CalibrationJob` makes of faces that are judged already.
@Suite struct CalibrationReportTests {
  /// Twenty videos of either label with three to five faces. The faces' logits are four times what
  /// they should be, and all of a video err together.
  private func faces() -> [ScoredFace] {
    var generator = SeededGenerator(seed: 11)
    var faces: [ScoredFace] = []
    for video in 0..<40 {
      let label: FaceLabel = video % 2 == 0 ? .real : .fake
      let center = (label == .fake ? 1 : -1) + Float.random(in: -2...2, using: &generator)
      for face in 0..<3 + video % 3 {
        faces.append(
          ScoredFace(
            path: "\(video)-\(face)", label: label, video: "v\(video)", group: "g\(video / 2)",
            logits: [4 * (center + Float.random(in: -0.5...0.5, using: &generator))]))
      }
    }
    return faces
  }

  private func job(_ change: (inout CalibrationJob) -> Void = { _ in }) throws -> CalibrationJob {
    let weights = try #require(ShippedWeights.named("default"))
    var job = CalibrationJob(weights: .shipped(weights), samples: SampleChoice([]))
    job.bootstrap = GroupBootstrap(draws: 200)
    change(&job)
    return job
  }

  @Test func overconfidenceIsTakenBack() throws {
    let report = try CalibrationReport(faces(), job(), before: nil)
    #expect(report.groups == 20)
    #expect(report.videos.real == 20 && report.videos.fake == 20)
    #expect(report.calibration.scale < 0.6)
    let frames = try #require(report.members[0].frames)
    for level in [frames, report.videos] {
      #expect(level.after[.logLoss].value < level.before[.logLoss].value)
      #expect(level.after[.calibrationError].value < level.before[.calibrationError].value)
      let others = try #require(level.crossFitted)
      // What was fitted to others fits somewhat worse, and still better than nothing.
      #expect(others[.logLoss].value > level.after[.logLoss].value)
      #expect(others[.logLoss].value < level.before[.logLoss].value)
      let interval = try #require(level.after[.logLoss].interval)
      #expect(interval.contains(level.after[.logLoss].value))
    }
    // Order is not changed by a calibration that rises.
    #expect(abs(frames.after[.auc].value - frames.before[.auc].value) < 1e-12)
    let recipe = try Recipe(
      yaml: "name: a\nmembers: [{name: b, architecture: xception}]\n" + report.recipe, file: "r")
    let found = try #require(recipe.aggregation.calibration)
    let expected = try #require(report.videoCalibration)
    #expect(abs(found.scale - expected.scale) < 1e-6)
    #expect(abs(found.offset - expected.offset) < 1e-6)
    #expect((recipe.verdict.undecided == nil) == (report.band?.range == nil))
    #expect(report.text.contains("cross-validated"))
  }

  @Test func whatIsFittedDoesNotDependOnWhatWasThere() throws {
    let plain = try CalibrationReport(faces(), job(), before: nil)
    let again = try CalibrationReport(faces(), job(), before: plain.calibration)
    #expect(again.calibration == plain.calibration)
    #expect(again.videoCalibration == plain.videoCalibration)
    #expect(again.members[0].frames?.before[.logLoss] == plain.members[0].frames?.after[.logLoss])
    #expect(try CalibrationReport(faces(), job(), before: nil).text == plain.text)
  }

  /// A video whose every face counts ten times is still one video.
  @Test func videosCountEquallyHoweverManyFacesTheyHave() throws {
    let all = faces()
    let more = all + (0..<9).flatMap { _ in all.filter { $0.video == "v3" } }
    let (one, other) = (
      try CalibrationReport(all, job(), before: nil),
      try CalibrationReport(more, job(), before: nil)
    )
    #expect(abs(one.calibration.scale - other.calibration.scale) < 1e-6)
    #expect(abs(one.calibration.offset - other.calibration.offset) < 1e-6)
    #expect(abs(one.videos.after[.logLoss].value - other.videos.after[.logLoss].value) < 1e-5)
  }

  @Test func facesThatAreToldApartNeedSmoothing() throws {
    let apart = faces().map { face in
      var face = face
      face.logits[0] = (face.label == .fake ? 3 : -3) + face.logits[0] / 100
      return face
    }
    let report = try CalibrationReport(apart, job(), before: nil)
    #expect(report.notes.contains { $0.contains("real and fake faces are separated") })
    #expect(report.members[0].frames?.after[.accuracy].value == 1)
    #expect(report.band?.range == nil && report.band?.coverage == 1)
    #expect(throws: CalibrationError.separable) {
      try CalibrationReport(apart, job { $0.smoothsTargets = false }, before: nil)
    }
    let single = apart.filter { $0.label == .real }
    #expect(throws: CalibrationError.oneLabel(.real)) {
      try CalibrationReport(single, job(), before: nil)
    }
  }

  @Test func writtenWeightsKeepTheirNumbersAndSayWhatWasMeasured() throws {
    try Paths.withTemporaryFolder { folder in
      let source = WeightsSource.shipped(try #require(ShippedWeights.named("default")))
      let report = try CalibrationReport(faces(), job(), before: nil)
      let file = folder.appendingPathComponent("c.safetensors")
      try report.write(source, to: file)
      let (before, after) = (try source.read(), try StateDict.read(file))
      #expect(before.keys == after.keys)
      for key in before.keys {
        #expect(after[key]?.dtype == before[key]?.dtype)
        #expect(try after[key]?.tensor().scalars == before[key]?.tensor().scalars)
      }
      let metadata = try ModelMetadata(after)
      #expect(metadata.calibration == report.calibration)
      #expect(metadata.recipe == (try ModelMetadata(before)).recipe)
      #expect(metadata.other["calibration.method"] == "platt")
      #expect(metadata.other["calibration.videos"] == "20 real, 20 fake")
      #expect(metadata.other["calibration.videos.logLoss"]?.contains(" to ") == true)
      #expect(try ClassifierModel(after).calibration == report.calibration)
    }
  }

  @Test func scoresAreWrittenAsTheyAre() {
    let face = ScoredFace(path: "a, b.png", label: .fake, video: "v", group: "g", logits: [-0.1])
    #expect([face].csv(["x"]) == "path,label,video,group,logit\n\"a, b.png\",FAKE,v,g,-0.1\n")
    var both = face
    both.logits.append(2)
    #expect([both].csv(["x", "y"]).hasPrefix("path,label,video,group,x,y\n"))
    #expect([both].csv(["x", "y"]).hasSuffix(",-0.1,2.0\n"))
  }
}
