import FaceDetect

/// A face with the number of the person it belongs to.
package struct TrackedFace: Sendable, Equatable {
  package var face: Face
  /// The `id` of the person's track; 0 before faces are grouped.
  package var track: Int

  package init(face: Face, track: Int) {
    self.face = face
    self.track = track
  }
}

/// The faces of one image or video, grouped by person, or the error that prevented the search.
package struct DetectionReport: Sendable {
  /// The faces of one frame.
  package struct Frame: Sendable {
    /// The time in seconds; nil for an image.
    package var time: Double?
    /// In pixels.
    package var width: Int
    /// In pixels.
    package var height: Int
    /// The faces, by falling score.
    package var faces: [TrackedFace]

    package init(time: Double?, width: Int, height: Int, faces: [TrackedFace]) {
      self.time = time
      self.width = width
      self.height = height
      self.faces = faces
    }
  }

  package var file: String
  /// The detector and how it was used.
  package var search = FaceSearchFacts()
  /// The searched frames, in order of time. An image has one frame.
  package var frames: [Frame] = []
  /// The people in the frames, by `id`.
  package var tracks: [Track] = []
  /// Problems that did not stop the search, such as a truncated file.
  package var warnings: [String] = []
  /// Why the file could not be searched; nil if it was.
  package var error: String?

  /// A report without frames. With an error, it says why.
  package init(file: String, error: String? = nil) {
    self.file = file
    self.error = error
  }

  /// Stores the tracks and sets the `track` of each of their faces.
  mutating func join(_ tracks: [Track]) {
    self.tracks = tracks
    for track in tracks {
      for sighting in track.sightings {
        frames[sighting.frame].faces[sighting.index].track = track.id
      }
    }
  }
}

extension Track {
  /// The sighting with the highest score; of equals, the first.
  package var surest: Sighting {
    sightings.dropFirst().reduce(sightings[0]) { $1.face.score > $0.face.score ? $1 : $0 }
  }

  /// The mean score of its faces.
  package var meanScore: Float {
    Float(sightings.reduce(0.0) { $0 + Double($1.face.score) } / Double(sightings.count))
  }
}

extension DetectionReport {
  /// The entries that `dfkit detect --json` prints (see `Docs/Formats.md`): one for each frame, or
  /// a single one with the error. The last frame's entry also has the tracks and the detector.
  /// Entries are made lazily, because there can be many.
  package var json: some Collection<JSON> {
    (0..<(error == nil ? frames.count : 1)).lazy.map { index in
      error.map(failure) ?? entry(of: index)
    }
  }

  private func failure(_ error: String) -> JSON {
    [
      "file": .string(file), "width": .integer(0), "height": .integer(0), "faces": .array([]),
      "error": .string(error),
    ]
  }

  private func entry(of index: Int) -> JSON {
    let frame = frames[index]
    var members: [JSON.Member] = [.init(key: "file", value: .string(file))]
    if let time = frame.time { members.append(.init(key: "time", value: .seconds(time))) }
    members += [
      .init(key: "width", value: .integer(frame.width)),
      .init(key: "height", value: .integer(frame.height)),
      .init(key: "faces", value: .array(frame.faces.map(\.json))),
    ]
    if index == frames.count - 1 {
      members.append(.init(key: "detector", value: search.json))
      let isVideo = frame.time != nil
      members.append(
        .init(key: "tracks", value: .array(tracks.map { $0.json(isVideo: isVideo) })))
      if !warnings.isEmpty {
        members.append(.init(key: "warnings", value: .array(warnings.map { .string($0) })))
      }
    }
    return .object(members)
  }
}

extension Track {
  fileprivate func json(isVideo: Bool) -> JSON {
    var members: [JSON.Member] = [.init(key: "id", value: .integer(id))]
    if isVideo, let first = sightings.first, let last = sightings.last {
      members += [
        .init(key: "first", value: .seconds(first.time)),
        .init(key: "last", value: .seconds(last.time)),
      ]
    }
    members += [
      .init(key: "frames", value: .integer(sightings.count)),
      .init(key: "meanScore", value: .number(meanScore)),
    ]
    var surest: [JSON.Member] = []
    if isVideo { surest.append(.init(key: "time", value: .seconds(self.surest.time))) }
    surest += [
      .init(key: "box", value: self.surest.face.box.json),
      .init(key: "score", value: .number(self.surest.face.score)),
    ]
    members.append(.init(key: "surest", value: .object(surest)))
    return .object(members)
  }
}

extension TrackedFace {
  var json: JSON {
    [
      "track": .integer(track), "box": face.box.json, "score": .number(face.score),
      "landmarks": .array(face.landmarks.map { .numbers([$0.x, $0.y]) }),
    ]
  }
}
