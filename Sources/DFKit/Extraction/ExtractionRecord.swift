import FaceDetect
import Foundation
import MediaIO

/// The settings with which a folder of crops was extracted, stored in it as `extract.json`:
/// everything that decides the bytes of its files.
struct ExtractionRecord: Codable {
  static let fileName = "extract.json"

  struct Detector: Codable {
    var kind: String
    /// The SHA-256 of the weights.
    var weights: String
    /// A number, or `auto`.
    var frameScale: Scale
    var minFace: Double?
    var threshold: Double?
    var nms: Double?
    var thresholds: [Double]?
    var factor: Double?
  }

  /// A factor, stored as a number, or `auto`.
  struct Scale: Codable {
    var scale: FrameScale

    init(scale: FrameScale) {
      self.scale = scale
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        scale = .factor(Float(number))
      } else {
        let text = try container.decode(String.self)
        guard let scale = FrameScale(text) else {
          throw DecodingError.dataCorruptedError(
            in: container, debugDescription: "\(text) is not a frame scale")
        }
        self.scale = scale
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch scale {
      case .factor(let factor): try container.encode(Double("\(factor)") ?? Double(factor))
      case .auto: try container.encode("auto")
      }
    }
  }

  struct Frames: Codable {
    /// A number, `all` or `first`.
    var choice: String
    var balanced: Bool
    var most: Int?
    /// In seconds; nil without later crops.
    var difference: Double?
    /// The numbers of frames that balancing chose when the folder was begun.
    var balance: FrameBalance?
  }

  struct Crop: Codable {
    var shape: String
    var margin: Double
    var size: Int?
    var format: String
    var quality: Int?
  }

  /// The version of dfkit that began the folder.
  var version: String
  var detector: Detector
  var frames: Frames
  var people: String
  var minShare: Double
  var crop: Crop
  var keepsSplit: Bool

  init(_ options: ExtractionOptions, detectorDigest: String) {
    version = dfkitVersion
    func number(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
    let settings = options.detector
    detector = Detector(
      kind: settings.kind.rawValue, weights: detectorDigest,
      frameScale: Scale(scale: settings.frameScale), minFace: settings.minFace.map(number))
    switch settings.method {
    case .retinaface(let threshold, let nms):
      detector.threshold = number(threshold)
      detector.nms = number(nms)
    case .mtcnn(let thresholds, let factor):
      detector.thresholds = thresholds.map(number)
      detector.factor = number(factor)
    case .other(_, let threshold):
      detector.threshold = threshold.map(number)
    }
    let choice =
      switch options.frames {
      case .spread(let count): "\(count)"
      case .all: "all"
      case .firstFace: "first"
      }
    frames = Frames(
      choice: choice, balanced: options.isBalanced,
      most: options.isBalanced ? options.maxFrames : nil,
      difference: options.difference.map(number))
    people = options.people.rawValue
    minShare = number(options.minShare)
    crop = Crop(
      shape: options.crop.shape.rawValue, margin: number(options.crop.margin), size: options.size,
      format: "png")
    if case .jpeg(let quality) = options.format { (crop.format, crop.quality) = ("jpeg", quality) }
    keepsSplit = options.keepsSplit
  }

  /// The content of `extract.json`.
  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads the record of a folder; nil if there is none.
  ///
  /// - Throws: `ExtractionError.damaged` if the file cannot be read or decoded.
  static func read(_ file: URL) throws(ExtractionError) -> ExtractionRecord? {
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    do {
      let data = try RegularFile.read(file, limit: 1 << 20)
      return try JSONDecoder().decode(ExtractionRecord.self, from: data)
    } catch {
      throw .damaged(
        file: file.relativePath, reason: "its content was changed after 'dfkit extract' wrote it")
    }
  }

  /// The settings that differ, as lines such as `crop.margin: was 0.15, is now 0.2`. The version
  /// and the chosen balance are not compared.
  func differences(to other: ExtractionRecord) throws -> [String] {
    let (old, new) = (try flattened(), try other.flattened())
    return Set(old.keys).union(new.keys).sorted().compactMap { key in
      guard old[key] != new[key] else { return nil }
      return "\(key): was \(old[key] ?? "not given"), is now \(new[key] ?? "not given")"
    }
  }

  private func flattened() throws -> [String: String] {
    var copy = self
    copy.version = ""
    copy.frames.balance = nil
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(copy))
    var result: [String: String] = [:]
    func add(_ value: Any, _ key: String) {
      if let object = value as? [String: Any] {
        for (name, value) in object { add(value, key.isEmpty ? name : "\(key).\(name)") }
      } else if let list = value as? [Any] {
        result[key] = list.map { "\($0)" }.joined(separator: ", ")
      } else {
        result[key] = "\(value)"
      }
    }
    add(object, "")
    return result
  }
}
