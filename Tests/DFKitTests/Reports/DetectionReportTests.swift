import DFKit
import Testing

@Suite struct DetectionReportTests {
  private var report: DetectionReport {
    get throws {
      let faces = [
        Face(
          box: Box(x1: 1, y1: 2.5, x2: 30, y2: 40), score: 0.5, landmarks: [Point(x: 3, y: 4)]),
        Face(box: Box(x1: 2, y1: 3, x2: 31, y2: 41), score: 1),
      ]
      var report = DetectionReport(file: "a.mp4")
      report.frames = [
        .init(time: 0.5, width: 64, height: 48, faces: [.init(face: faces[0], track: 1)]),
        .init(time: 1.25, width: 64, height: 48, faces: []),
        .init(time: 2, width: 64, height: 48, faces: [.init(face: faces[1], track: 1)]),
      ]
      report.tracks = [
        Track(
          id: 1,
          sightings: [
            Sighting(frame: 0, time: 0.5, index: 0, face: faces[0]),
            Sighting(frame: 2, time: 2, index: 0, face: faces[1]),
          ])
      ]
      return report
    }
  }

  @Test func jsonHasAnEntryAFrameAndTheTracksInTheLast() throws {
    #expect(
      JSON.array(Array(try report.json)).text == """
        [
          {
            "file": "a.mp4",
            "time": 0.5,
            "width": 64,
            "height": 48,
            "faces": [
              {
                "track": 1,
                "box": [1, 2.5, 30, 40],
                "score": 0.5,
                "landmarks": [
                  [3, 4]
                ]
              }
            ]
          },
          {
            "file": "a.mp4",
            "time": 1.25,
            "width": 64,
            "height": 48,
            "faces": []
          },
          {
            "file": "a.mp4",
            "time": 2,
            "width": 64,
            "height": 48,
            "faces": [
              {
                "track": 1,
                "box": [2, 3, 31, 41],
                "score": 1,
                "landmarks": []
              }
            ],
            "detector": {
              "weights": null,
              "frameScale": null,
              "secondLooks": 0
            },
            "tracks": [
              {
                "id": 1,
                "first": 0.5,
                "last": 2,
                "frames": 2,
                "meanScore": 0.75,
                "surest": {
                  "time": 2,
                  "box": [2, 3, 31, 41],
                  "score": 1
                }
              }
            ]
          }
        ]
        """)
  }

  @Test func aFailedFileHasOneEntry() {
    let failed = DetectionReport(file: "b.mp4", error: "b.mp4: is damaged")
    #expect(
      JSON.array(Array(failed.json)).text == """
        [
          {
            "file": "b.mp4",
            "width": 0,
            "height": 0,
            "faces": [],
            "error": "b.mp4: is damaged"
          }
        ]
        """)
  }

  @Test func theTablesListFacesAndPeople() throws {
    let failed = DetectionReport(file: "b.mp4", error: "b.mp4: is damaged")
    #expect(
      [try report, failed].table() == """
        file   time  person  score   x1   y1    x2    y2  note
        a.mp4  0.50       1  0.500  1.0  2.5  30.0  40.0
        a.mp4  1.25       -      -    -    -     -     -  no face
        a.mp4  2.00       1  1.000  2.0  3.0  31.0  41.0
        b.mp4     -       -      -    -    -     -     -  is damaged

        file   person  frames  first  last  mean score  surest at
        a.mp4       1     2/3   0.50  2.00       0.750       2.00
        """)
    var image = DetectionReport(file: "c.png")
    image.frames = [.init(time: nil, width: 5, height: 5, faces: [])]
    #expect(
      [image].table() == """
        file   time  person  score  x1  y1  x2  y2  note
        c.png     -       -      -   -   -   -   -  no face
        """)
    #expect(
      image.json.map(\.text) == [
        """
        {
          "file": "c.png",
          "width": 5,
          "height": 5,
          "faces": [],
          "detector": {
            "weights": null,
            "frameScale": null,
            "secondLooks": 0
          },
          "tracks": []
        }
        """
      ])
  }
}
