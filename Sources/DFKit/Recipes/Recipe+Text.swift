import Classifiers
import DeepfakeCore
import Training
import Yams

extension Recipe {
  /// The recipe as YAML that reads back as the same recipe.
  public var yaml: String {
    var root = YAMLWriter()
    root.add("name", name)
    if !description.isEmpty { root.add("description", description) }
    root.add("frames", "\(frames)")
    root.add("detector", detector.node)
    root.add(
      "faces",
      YAMLWriter([
        ("perFrame", "\(faces.perFrame)"), ("choose", faces.choose.rawValue),
        ("minFrames", "\(faces.minFrames)"),
      ]).node)
    root.add(
      "people",
      YAMLWriter([
        ("verdict", people.verdict.rawValue), ("minFrames", "\(people.minFrames)"),
        ("minShare", "\(people.minShare)"),
      ]).node)
    root.add(
      "crop", YAMLWriter([("shape", crop.shape.rawValue), ("margin", "\(crop.margin)")]).node)
    if let training { root.add("training", training.node) }
    root.add("members", Node(members.map(\.node)))
    var aggregation = YAMLWriter([
      ("frames", self.aggregation.frames), ("models", self.aggregation.models),
    ])
    if let calibration = self.aggregation.calibration {
      aggregation.add("calibration", calibration.node)
    }
    if let clip = self.aggregation.clip {
      aggregation.add("clip", YAMLWriter.list(["\(clip.lowerBound)", "\(clip.upperBound)"]))
    }
    root.add("aggregation", aggregation.node)
    var decision = YAMLWriter()
    if let range = verdict.undecided {
      decision.add("undecided", YAMLWriter.list(["\(range.lowerBound)", "\(range.upperBound)"]))
    } else if verdict.callsAll {
      decision.add("undecided", "none")
    }
    if verdict.unfamiliar != .refuse { decision.add("unfamiliar", verdict.unfamiliar.rawValue) }
    if !decision.isEmpty { root.add("verdict", decision.node) }
    // Text and lists cannot fail to be written.
    return (try? Yams.serialize(node: root.node, width: 100, allowUnicode: true)) ?? ""
  }
}

/// A mapping in the order of writing.
struct YAMLWriter {
  private var pairs: [(Node, Node)] = []

  init(_ pairs: [(String, String)] = []) {
    for (key, value) in pairs { add(key, value) }
  }

  mutating func add(_ key: String, _ value: Node) { pairs.append((Node(key), value)) }

  mutating func add(_ key: String, _ value: String) { add(key, Self.scalar(value)) }

  var isEmpty: Bool { pairs.isEmpty }

  var node: Node { Node(pairs) }

  /// Text in quotes where YAML would take it for nothing, or for what it is not.
  static func scalar(_ text: String) -> Node {
    let special =
      ["", "~", "null"].contains(text) || text.contains { "&*#:\"'{}[],%@`!|>\n".contains($0) }
    return Node(text, .implicit, special ? .doubleQuoted : .any)
  }

  /// A list on one line.
  static func list(_ texts: [String]) -> Node {
    .sequence(Node.Sequence(texts.map(scalar), .implicit, .flow))
  }
}

extension LogitCalibration {
  fileprivate var node: Node {
    YAMLWriter([("scale", "\(scale)"), ("offset", "\(offset)")]).node
  }
}

extension Recipe.Detector {
  fileprivate var node: Node {
    var writer = YAMLWriter([("kind", kind.rawValue)])
    if let weights { writer.add("weights", weights) }
    writer.add("frameScale", "\(frameScale)")
    switch kind {
    case .retinaface:
      writer.add("threshold", "\(threshold)")
      writer.add("nms", "\(nms)")
    case .mtcnn:
      writer.add("thresholds", YAMLWriter.list(thresholds.map { "\($0)" }))
      writer.add("factor", "\(factor)")
    }
    if let minFace { writer.add("minFace", "\(minFace)") }
    return writer.node
  }
}

extension Recipe.Member {
  fileprivate var node: Node {
    var writer = YAMLWriter([("name", name)])
    if !description.isEmpty { writer.add("description", description) }
    writer.add("architecture", architecture.rawValue)
    if let weights { writer.add("weights", weights) }
    if let weight { writer.add("weight", "\(weight)") }
    if let scheme { writer.add("scheme", scheme.rawValue) }
    if let size { writer.add("size", "\(size)") }
    if let norm { writer.add("norm", norm.rawValue) }
    if let groups { writer.add("groups", "\(groups)") }
    if let stages { writer.add("stages", "\(stages)") }
    if let dropout { writer.add("dropout", "\(dropout)") }
    if let stochasticDepth { writer.add("stochasticDepth", "\(stochasticDepth)") }
    if let mean { writer.add("mean", YAMLWriter.list(mean.map { "\($0)" })) }
    if let std { writer.add("std", YAMLWriter.list(std.map { "\($0)" })) }
    if isMirrored { writer.add("mirrored", "true") }
    if let training { writer.add("training", training.node) }
    return writer.node
  }
}

extension TrainingOptions {
  fileprivate var node: Node {
    var writer = YAMLWriter()
    var section: (name: String, writer: YAMLWriter)?
    for entry in entries {
      let parts = entry.key.split(separator: ".").map(String.init)
      if let open = section, open.name != parts[0] || parts.count == 1 {
        writer.add(open.name, open.writer.node)
        section = nil
      }
      if parts.count == 1 {
        writer.add(parts[0], entry.value.node)
      } else {
        if section == nil { section = (parts[0], YAMLWriter()) }
        section?.writer.add(parts[1], entry.value.node)
      }
    }
    return writer.node
  }
}

extension OptionValue {
  fileprivate var node: Node {
    switch self {
    case .text(let text): YAMLWriter.scalar(text)
    case .numbers(let numbers): YAMLWriter.list(numbers.map { "\($0)" })
    case .words(let words): YAMLWriter.list(words)
    case .augmentation(let augmentation):
      augmentation.preset.map { YAMLWriter.scalar($0.rawValue) }
        ?? Node(augmentation.descriptions.map(\.node))
    }
  }
}

extension AugmentationDescription {
  fileprivate var node: Node {
    guard !parameters.isEmpty else { return YAMLWriter.scalar(name) }
    var writer = YAMLWriter()
    for (key, value) in parameters.sorted(by: { $0.key < $1.key }) { writer.add(key, value.node) }
    var outer = YAMLWriter()
    outer.add(name, writer.node)
    return outer.node
  }
}

extension AugmentationValue {
  fileprivate var node: Node {
    switch self {
    case .number(let number): YAMLWriter.scalar("\(Float(number))")
    case .word(let word): YAMLWriter.scalar(word)
    case .list(let values):
      .sequence(Node.Sequence(values.map(\.node), .implicit, .flow))
    case .steps(let steps): Node(steps.map(\.node))
    }
  }
}
