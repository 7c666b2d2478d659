/// The time that one kind of work took in several runs.
package struct BenchmarkResult: Sendable, Equatable {
  /// `classify`, `detect`, `embed`, `lstm`, `train`, `video` or `copies`.
  package var work: String
  /// The network's name; for a video, the recipe's name.
  package var architecture: String
  /// The network's norm layers: `batch`, `group` or `none`.
  package var norm: String
  /// The size of the input images.
  package var size: Size
  /// Images processed at once; for a video, the number of searched frames.
  package var batch: Int
  package var threads: Int
  /// The number of untimed runs before the timed ones.
  package var warmUps: Int
  /// Milliseconds per image, of each run.
  package var times: RunTimes
  /// The largest amount of RAM that the process used during the runs, in bytes; nil if the system
  /// does not report it.
  package var peakBytes: Int?
  /// For detection on given frames: the number of frames and of faces found in them.
  package var found: Found?
  /// For training, if requested: the time of each operation in a step, longest first.
  package var calls: [Calls] = []
  /// The time of each layer, if requested.
  package var layers: LayerTable?
  /// For a video: the total time and the time of each stage.
  package var video: VideoTimes?

  /// The frames searched in a run and the faces found in them.
  package struct Found: Sendable, Equatable {
    package var frames: Int
    /// The number of faces in all frames together.
    package var faces: Int
  }

  package init(
    work: String, architecture: String, norm: String, size: Size, batch: Int, threads: Int,
    warmUps: Int, times: RunTimes, peakBytes: Int? = nil
  ) {
    self.work = work
    self.architecture = architecture
    self.norm = norm
    self.size = size
    self.batch = batch
    self.threads = threads
    self.warmUps = warmUps
    self.times = times
    self.peakBytes = peakBytes
  }

  /// The size of the images.
  package enum Size: Sendable, Equatable {
    /// Square images with this side, in pixels.
    case side(Int)
    case frame(width: Int, height: Int)
    /// Sequences of so many steps with so many features.
    case sequence(steps: Int, features: Int)
    /// Images of different sizes.
    case mixed

    /// The size for tables, such as `224`, `640x480` or `25x2304`; empty for mixed sizes.
    package var text: String {
      switch self {
      case .side(let side): "\(side)"
      case .frame(let width, let height): "\(width)x\(height)"
      case .sequence(let steps, let features): "\(steps)x\(features)"
      case .mixed: ""
      }
    }
  }

  /// The tables that `dfkit bench` shows below the table of all results; empty if there is none.
  package var details: [String] {
    let texts = [calls.isEmpty ? nil : callTable, layers?.text, video?.text].compactMap { $0 }
    return texts.isEmpty ? [] : [title + "\n" + texts.joined(separator: "\n\n")]
  }

  /// A heading that says which result the tables belong to.
  private var title: String {
    let name = video.map { "\($0.file) " } ?? ""
    return TextTable.printable(
      "\(name)\(work) \(architecture) \(norm) \(size.text) batch \(batch)")
  }

  /// The result as `dfkit bench --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
    let size: JSON =
      switch size {
      case .side(let side): .integer(side)
      case .frame, .sequence: .string(self.size.text)
      case .mixed: .null
      }
    var members: [JSON.Member] = [
      .init(key: "work", value: .string(work)),
      .init(key: "architecture", value: .string(architecture)),
      .init(key: "norm", value: .string(norm)), .init(key: "size", value: size),
      .init(key: "batch", value: .integer(batch)),
      .init(key: "threads", value: .integer(threads)),
      .init(key: "warmUp", value: .integer(warmUps)),
      .init(key: "repeats", value: .integer(times.runs.count)),
      .init(key: "millisecondsPerImage", value: times.json),
      .init(key: "peakBytes", value: .integer(peakBytes)),
    ]
    if let found {
      members.append(.init(key: "frames", value: .integer(found.frames)))
      members.append(.init(key: "faces", value: .integer(found.faces)))
    }
    if !calls.isEmpty { members.append(.init(key: "calls", value: .array(calls.map(\.json)))) }
    members += layers?.members ?? []
    members += video?.members(frames: batch) ?? []
    return .object(members)
  }
}

extension [BenchmarkResult] {
  /// The table that `dfkit bench` shows, one row for each result. All kinds of work share its
  /// columns.
  public var table: String {
    let hasFiles = contains { $0.video != nil }
    var table = TextTable(
      (hasFiles ? [.init("file")] : []) + [
        .init("work"), .init(hasFiles ? "recipe" : "architecture"), .init("norm"),
        .init("size", .right), .init("batch", .right), .init("threads", .right),
      ] + RunTimes.columns("ms/image") + [.init("peak MB", .right)])
    for result in self {
      table.add(
        (hasFiles ? [result.video?.file ?? ""] : [])
          + [
            result.work, result.architecture, result.norm, result.size.text, "\(result.batch)",
            "\(result.threads)",
          ] + result.times.cells + [result.peakBytes.megabytes])
    }
    return table.text
  }
}

extension Int? {
  /// Bytes as megabytes (1e6 bytes) for a table; empty if nil.
  var megabytes: String { map { (Double($0) / 1e6).fixed(0) } ?? "" }
}
