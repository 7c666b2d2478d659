/// How long one piece of work took, over several runs.
package struct BenchmarkResult: Sendable, Equatable {
  /// `classify`, `detect`, `embed`, `train`, `video` or `copies`.
  package var work: String
  /// The network; of a video, the recipe.
  package var architecture: String
  /// The network's norm: `batch`, `group` or `none`.
  package var norm: String
  /// The input: the side of a square, or width and height.
  package var size: Size
  /// Images at once; of a video, the frames looked at.
  package var batch: Int
  package var threads: Int
  /// Runs before those that count.
  package var warmUps: Int
  /// Milliseconds for one image.
  package var times: RunTimes
  /// The most memory that the process had in RAM during the runs, in bytes; nil where the system
  /// does not tell.
  package var peakBytes: Int?
  /// Of detection on frames that were given: how many there were, and faces found in them.
  package var found: Found?
  /// Of training, where asked for: where a step's time went, longest first.
  package var calls: [Calls] = []
  /// Where asked for: what each layer took.
  package var layers: LayerTable?
  /// Of a video: the whole and its stages.
  package var video: VideoTimes?

  /// Frames searched in a run and faces found in them.
  package struct Found: Sendable, Equatable {
    package var frames: Int
    /// Faces in all of them.
    package var faces: Int
  }

  /// A result.
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
    /// A square.
    case side(Int)
    case frame(width: Int, height: Int)
    /// Pictures of many sizes.
    case mixed

    /// The size for people.
    package var text: String {
      switch self {
      case .side(let side): "\(side)"
      case .frame(let width, let height): "\(width)x\(height)"
      case .mixed: ""
      }
    }
  }

  /// The tables that `dfkit bench` shows below that of all results.
  package var details: [String] {
    let texts = [calls.isEmpty ? nil : callTable, layers?.text, video?.text].compactMap { $0 }
    return texts.isEmpty ? [] : [title + "\n" + texts.joined(separator: "\n\n")]
  }

  /// Which result a table belongs to.
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
      case .frame: .string(self.size.text)
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
  /// The table that `dfkit bench` shows: the same columns for all work.
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
  /// Bytes as megabytes for a table.
  var megabytes: String { map { (Double($0) / 1e6).fixed(0) } ?? "" }
}
