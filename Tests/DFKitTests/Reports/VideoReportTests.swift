import DFKit
import Testing

@Suite struct VideoReportTests {
  private var report: VideoReport {
    var report = VideoReport(file: "clips/a, b.mp4", verdict: Verdict(probability: 0.75))
    report.frames = 25
    report.facesFound = 24
    report.members = [.init(name: "b6-200", probability: 0.5), .init(name: "b4", probability: 1)]
    report.frameScores = [
      .init(
        time: 1.5, box: Box(x1: 1, y1: 2.5, x2: 30, y2: 40),
        scores: [.init(name: "b6-200", probability: 0.5), .init(name: "b4", probability: 1)])
    ]
    report.seconds = 4.25
    return report
  }

  @Test func jsonHasTheDocumentedForm() {
    #expect(
      report.json.text == """
        {
          "file": "clips/a, b.mp4",
          "verdict": "fake",
          "probability": 0.75,
          "reason": null,
          "frames": 25,
          "facesFound": 24,
          "members": [
            {"name": "b6-200", "probability": 0.5},
            {"name": "b4", "probability": 1}
          ],
          "frameScores": [
            {
              "time": 1.5,
              "box": [1, 2.5, 30, 40],
              "scores": {"b6-200": 0.5, "b4": 1}
            }
          ],
          "seconds": 4.25
        }
        """)
  }

  @Test func whatIsMissingIsNullOrEmpty() {
    var undecided = VideoReport(file: "a.mp4", verdict: .undecided(.unreadable))
    undecided.error = "a.mp4: no"
    undecided.warnings = ["cut off"]
    #expect(
      undecided.json.text == """
        {
          "file": "a.mp4",
          "verdict": "undecided",
          "probability": null,
          "reason": "unreadable",
          "frames": 0,
          "facesFound": 0,
          "members": [],
          "frameScores": [],
          "seconds": 0,
          "warnings": ["cut off"],
          "error": "a.mp4: no"
        }
        """)
  }

  @Test func verdictsTurnAtOneHalf() {
    #expect(Verdict(probability: 0.5) == .fake(probability: 0.5))
    #expect(Verdict(probability: 0.49999997) == .real(probability: 0.49999997))
    #expect(Verdict.undecided(.noFaces).probability == nil)
    let reasons: [Verdict.Reason] = [
      .noFaces, .tooFewFaces(found: 1, needed: 3), .unreadable, .failed,
    ]
    #expect(reasons.map(\.name) == ["noFaces", "tooFewFaces", "unreadable", "failed"])
  }

  @Test func submissionsNameFilesWithoutFolders() {
    var undecided = VideoReport(file: "x/undecided.mp4", verdict: .undecided(.noFaces))
    undecided.seconds = 1
    #expect(
      [report, undecided].submission == """
        filename,label
        "a, b.mp4",0.75
        undecided.mp4,0.5

        """)
  }

  @Test func theTableSaysWhatMatters() {
    var undecided = VideoReport(
      file: "c.mp4", verdict: .undecided(.tooFewFaces(found: 1, needed: 3)))
    undecided.frames = 25
    undecided.facesFound = 1
    undecided.warnings = ["the end is missing"]
    var failed = VideoReport(file: "d.mp4", verdict: .undecided(.unreadable))
    failed.error = "d.mp4: is damaged"
    #expect(
      [report, undecided, failed].table() == """
        file            verdict    P(fake)  faces  seconds  note
        clips/a, b.mp4  fake         0.750  24/25      4.3
        c.mp4           undecided        -   1/25      0.0  faces in 1 frame only, 3 needed; the end is missing
        d.mp4           undecided        -      -      0.0  is damaged
        """)
  }
}
