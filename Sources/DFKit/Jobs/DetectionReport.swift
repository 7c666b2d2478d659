import FaceDetect

/// The faces of one frame, or why there are none.
public struct DetectionReport: Sendable {
  /// The file.
  public var file: String
  /// The frame's time in seconds; nil for an image.
  public var time: Double?
  /// Pixels across.
  public var width: Int = 0
  /// Pixels down.
  public var height: Int = 0
  /// The faces, surest first.
  public var faces: [Face] = []
  /// Why the file could not be searched; nil when it was.
  public var error: String?

  /// The report as `dfkit detect --json` prints it (see `Docs/Formats.md`).
  public var json: JSON {
    var members: [JSON.Member] = [.init(key: "file", value: .string(file))]
    if let time {
      members.append(.init(key: "time", value: .double((time * 1e6).rounded() / 1e6)))
    }
    members += [
      .init(key: "width", value: .integer(width)), .init(key: "height", value: .integer(height)),
      .init(key: "faces", value: .array(faces.map(\.json))),
    ]
    if let error { members.append(.init(key: "error", value: .string(error))) }
    return .object(members)
  }
}

extension Face {
  var json: JSON {
    [
      "box": box.json, "score": .number(score),
      "landmarks": .array(landmarks.map { .numbers([$0.x, $0.y]) }),
    ]
  }
}
