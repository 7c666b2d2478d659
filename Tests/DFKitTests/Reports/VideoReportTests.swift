import DFKit
import Testing

@Suite struct VideoReportTests {
  private let sample = VideoReport.Person.Sample(
    time: 4, box: Box(x1: 10, y1: 20, x2: 31, y2: 40), score: 0.5)

  private var report: VideoReport {
    var report = VideoReport(file: "clips/a, b.mp4", verdict: Verdict(probability: 0.75))
    report.frames = 25
    report.facesFound = 24
    report.members = [.init(name: "b6-200", probability: 0.5), .init(name: "b4", probability: 1)]
    report.scores = ScoreTable(
      members: [.init("b6-200"), .init("b4")],
      faces: [
        .init(
          frame: 3, time: 1.5, person: 1, box: Box(x1: 1, y1: 2.5, x2: 30, y2: 40),
          scores: [0.5, 1])
      ])
    report.people = [
      .init(
        id: 1, verdict: Verdict(probability: 0.75), framesSeen: 24, framesJudged: 20,
        firstTime: 0, lastTime: 9.6, surest: sample, members: report.members,
        fakeSpans: [.init(from: 1.5, to: 2.5, peak: 2, probability: 0.875)])
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
          "detector": {
            "weights": null,
            "frameScale": null,
            "secondLooks": 0
          },
          "frames": 25,
          "facesFound": 24,
          "members": [
            {"name": "b6-200", "probability": 0.5},
            {"name": "b4", "probability": 1}
          ],
          "people": [
            {
              "id": 1,
              "verdict": "fake",
              "probability": 0.75,
              "reason": null,
              "counts": true,
              "first": 0,
              "last": 9.6,
              "frames": 24,
              "judged": 20,
              "surest": {
                "time": 4,
                "box": [10, 20, 31, 40],
                "score": 0.5
              },
              "members": [
                {"name": "b6-200", "probability": 0.5},
                {"name": "b4", "probability": 1}
              ],
              "fakeSpans": [
                {
                  "from": 1.5,
                  "to": 2.5,
                  "peak": 2,
                  "probability": 0.875
                }
              ]
            }
          ],
          "frameScores": [
            {
              "time": 1.5,
              "person": 1,
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
          "detector": {
            "weights": null,
            "frameScale": null,
            "secondLooks": 0
          },
          "frames": 0,
          "facesFound": 0,
          "members": [],
          "people": [],
          "frameScores": [],
          "seconds": 0,
          "warnings": ["cut off"],
          "error": "a.mp4: no"
        }
        """)
  }

  @Test func peopleStandBelowTheirFile() {
    var crowd = report
    crowd.people += [
      .init(
        id: 2, verdict: Verdict(probability: 0.125), framesSeen: 3, framesJudged: 3,
        firstTime: 61.04, lastTime: 70, surest: sample),
      .init(
        id: 3, verdict: .undecided(.tooFewFaces(found: 1, needed: 3)), framesSeen: 1,
        framesJudged: 1, firstTime: 4, lastTime: 4, surest: sample),
    ]
    let moment = VideoReport.Person.Span(from: 1, to: 1, peak: 1, probability: 0.5)
    crowd.people[1].fakeSpans = [VideoReport.Person.Span](repeating: moment, count: 5)
    #expect(
      [crowd].table() == """
        file            verdict    P(fake)  faces  seconds  note
        clips/a, b.mp4  fake         0.750  24/25      4.3
          person 1      fake         0.750  20/25           seen 0:00.0-0:09.6; fake at \
        0:01.5-0:02.5
          person 2      real         0.125   3/25           seen 1:01.0-1:10.0; fake at 0:01.0, \
        0:01.0, 0:01.0, 0:01.0, ...
          person 3      undecided        -   1/25           seen 0:04.0; only 1 frame with a face, \
        3 needed
        """)
  }

  @Test func thePeopleOfAnImageAreToldByPlace() {
    var photo = report
    photo.frames = 1
    photo.people.append(photo.people[0])
    photo.people[1].id = 2
    let lines = [photo].table().split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines.dropFirst(2).allSatisfy { $0.hasSuffix("  at 21, 30") })
  }

  @Test func verdictsTurnAtOneHalf() {
    #expect(Verdict(probability: 0.5) == .fake(probability: 0.5))
    #expect(Verdict(probability: 0.49999997) == .real(probability: 0.49999997))
    #expect(Verdict.undecided(.noFaces).probability == nil)
    let reasons: [Verdict.Reason] = [
      .noFaces, .tooFewFaces(found: 1, needed: 3), .unreadable, .failed, .unsure(probability: 0.5),
      .unfamiliar(probability: 0.5, traits: [.chroma]),
    ]
    #expect(
      reasons.map(\.name) == [
        "noFaces", "tooFewFaces", "unreadable", "failed", "unsure", "unfamiliar",
      ])
  }

  @Test func bothEndsOfTheBandAreUndecided() {
    func verdict(_ probability: Float) -> Verdict {
      Verdict(probability: probability, undecided: 0.4...0.6)
    }
    for probability: Float in [0.4, 0.5, 0.6] {
      #expect(verdict(probability) == .undecided(.unsure(probability: probability)))
      #expect(verdict(probability).probability == probability)
      #expect(verdict(probability).answer == .undecided)
    }
    #expect(verdict(Float(0.4).nextDown) == .real(probability: Float(0.4).nextDown))
    #expect(verdict(Float(0.6).nextUp) == .fake(probability: Float(0.6).nextUp))
  }

  @Test func whatIsTooCloseToCallKeepsItsProbability() {
    var unsure = report
    unsure.verdict = Verdict(probability: 0.55, undecided: 0.4...0.6)
    unsure.people[0].verdict = unsure.verdict
    unsure.people.append(unsure.people[0])
    // Seldom seen, and not called fake.
    unsure.people[1].counts = false
    #expect(
      [unsure].table() == """
        file            verdict    P(fake)  faces  seconds  note
        clips/a, b.mp4  undecided    0.550  24/25      4.3  too close to 0.5
          person 1      undecided    0.550  20/25           seen 0:00.0-0:09.6; too close to 0.5
          person 1      undecided    0.550  20/25           seen 0:00.0-0:09.6; too close to 0.5
        """)
    #expect([unsure].submission.hasSuffix("\n\"a, b.mp4\",0.55\n"))
    let json = unsure.json.text
    #expect(
      json.contains(
        "\"verdict\": \"undecided\",\n  \"probability\": 0.55,\n  \"reason\": \"unsure\""))
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
        c.mp4           undecided        -   1/25      0.0  only 1 frame with a face, 3 needed; \
        the end is missing
        d.mp4           undecided        -      -      0.0  is damaged
        """)
  }
}
