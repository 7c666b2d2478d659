import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import Training

extension Recipe {
  /// Reads a recipe from a file.
  public init(contentsOf url: URL) throws(RecipeError) {
    let text = try Self.readText(url)
    try self.init(yaml: text, file: url.relativePath)
  }

  /// Reads a recipe from YAML text; `file` is what errors call it.
  public init(yaml: String, file: String) throws(RecipeError) {
    var root = try YAMLMap(file: file, text: yaml)
    self.init(name: try root.name(), members: [])
    if let value = try root.string("description") { description = value }
    if let value = try root.integer("frames", in: 1...1000) { frames = value }
    if var map = try root.map("detector") { detector = try Detector(&map) }
    if var map = try root.map("faces") { faces = try Faces(&map) }
    if var map = try root.map("crop") { crop = try Crop(&map) }
    if var map = try root.map("people") { people = try People(&map) }
    if var map = try root.map("training") {
      training = try TrainingOptions(&map, over: TrainingOptions())
    }
    guard let list = try root.maps("members", limit: 64), !list.isEmpty else {
      throw root.missing("members", "a list of at least one network")
    }
    for var map in list {
      let member = try Member(&map, training: training)
      if members.contains(where: { $0.name == member.name }) {
        throw map.error("name", "'\(member.name)' is taken by another member")
      }
      members.append(member)
    }
    if var map = try root.map("aggregation") { aggregation = try Aggregation(&map) }
    if var map = try root.map("verdict") { verdict = try Decision(&map) }
    try root.end()
    do throws(RecipeError) {
      _ = try combination()
    } catch {
      throw RecipeError(file: file, key: error.key, problem: error.problem)
    }
  }

  /// The text of a recipe file; at most one byte more than `YAMLMap` accepts is read.
  static func readText(_ url: URL) throws(RecipeError) -> String {
    let data: Data
    do {
      let handle = try FileHandle(forReadingFrom: url)
      defer { try? handle.close() }
      data = try handle.read(upToCount: YAMLMap.sizeLimit + 1) ?? Data()
    } catch {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      let reason = isFolder.boolValue ? "it is a folder" : error.reason
      throw RecipeError(file: url.relativePath, problem: "cannot be read: \(reason)")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw RecipeError(file: url.relativePath, problem: "is not UTF-8 text")
    }
    // Some editors on Windows put a byte order mark first, which the parser takes for text.
    let mark: Unicode.Scalar = "\u{FEFF}"
    return text.unicodeScalars.first == mark ? String(text.unicodeScalars.dropFirst()) : text
  }

  /// Names become file names and parts of `MEMBER=FILE` arguments.
  static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 100 && !text.hasPrefix(".") && !text.hasPrefix("-")
      && text.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || $0.properties.numericType != nil
            || "._-".unicodeScalars.contains($0))
      }
  }
}

extension YAMLMap {
  /// The name that must be under `name`.
  fileprivate mutating func name() throws(RecipeError) -> String {
    let allowed = "a name of letters, digits, '.', '_' and '-', not starting with '.' or '-'"
    guard let name = try string("name") else { throw missing("name", allowed) }
    guard Recipe.isName(name) else { throw error("name", "is '\(name)'; must be \(allowed)") }
    return name
  }

  /// The name of weights of that kind that ship, under `weights`.
  fileprivate mutating func shippedWeights(
    _ kind: WeightsCatalogue.Kind
  ) throws(RecipeError) -> String? {
    guard let name = try string("weights") else { return nil }
    let known = ShippedWeights.all.filter { $0.card?.kind == kind }.map(\.name)
    guard known.contains(name) else {
      let list = known.isEmpty ? "no \(kind.rawValue) does" : known.joined(separator: ", ")
      throw error(
        "weights",
        "is '\(name)'; must be the name of a \(kind.rawValue) that ships with dfkit (\(list)). Files are"
          + " given on the command line")
    }
    return name
  }
}

extension YAMLMap {
  fileprivate mutating func frameScale(_ key: String) throws(RecipeError) -> FrameScale? {
    let range = FrameScale.factors
    let allowed = "a number from \(range.lowerBound) to \(range.upperBound), or auto"
    guard let text = try string(key, allowed: allowed) else { return nil }
    guard let scale = FrameScale(text), scale.isAllowed else {
      throw error(key, "is '\(text)'; must be \(allowed)")
    }
    return scale
  }
}

extension Recipe.Detector {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    self.init()
    if let value = try map.choice("kind", Kind.self) { kind = value }
    if let value = try map.frameScale("frameScale") { frameScale = value }
    let threshold = try map.number("threshold", in: 0.02...0.999)
    let nms = try map.number("nms", in: 0...1)
    let thresholds = try map.numbers("thresholds", count: 3, in: 0...1)
    let factor = try map.number("factor", in: MTCNN.Options.factors)
    let keys = [
      ("threshold", threshold != nil, Kind.retinaface), ("nms", nms != nil, .retinaface),
      ("thresholds", thresholds != nil, .mtcnn), ("factor", factor != nil, .mtcnn),
    ]
    for (key, isGiven, owner) in keys where isGiven && owner != kind {
      throw map.error(
        key, "does not apply to the detector \(kind.rawValue), only to \(owner.rawValue)")
    }
    self.threshold = threshold ?? self.threshold
    self.nms = nms ?? self.nms
    self.thresholds = thresholds ?? self.thresholds
    self.factor = factor ?? self.factor
    minFace = try map.number("minFace", in: kind.minFaceRange)
    weights = try map.shippedWeights(.detector)
    try map.end()
  }
}

extension Recipe.Detector.Kind {
  /// What the smallest side of a face may be, in pixels of the frame: MTCNN enlarges the frame to find
  /// faces below 12 pixels.
  public var minFaceRange: ClosedRange<Float> {
    switch self {
    case .retinaface: 0...10_000
    case .mtcnn: 4...10_000
    }
  }
}

extension Recipe.Faces {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    self.init()
    if let value = try map.integer("perFrame", in: 1...100) { perFrame = value }
    if let value = try map.choice("choose", Choice.self) { choose = value }
    if let value = try map.integer("minFrames", in: 1...1000) { minFrames = value }
    try map.end()
  }
}

extension Recipe.Crop {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    self.init()
    if let value = try map.choice("shape", Shape.self) { shape = value }
    if let value = try map.number("margin", in: 0...2) { margin = value }
    try map.end()
  }
}

extension Recipe.People {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    self.init()
    if let value = try map.choice("verdict", Rule.self) { verdict = value }
    if let value = try map.integer("minFrames", in: 1...1000) { minFrames = value }
    if let value = try map.number("minShare", in: 0...1) { minShare = value }
    try map.end()
  }
}

extension Recipe.Member {
  fileprivate init(_ map: inout YAMLMap, training base: TrainingOptions?) throws(RecipeError) {
    let name = try map.name()
    let description = try map.string("description")
    guard let architecture = try map.choice("architecture", Architecture.self) else {
      throw map.missing(
        "architecture",
        "one of \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.init(name: name, architecture: architecture)
    if let description { self.description = description }
    weights = try map.shippedWeights(.classifier)
    weight = try map.number("weight", in: 0...1000)
    scheme = try map.choice("scheme", Scheme.self)
    size = try map.integer("size", in: 32...4096)
    norm = try map.choice("norm", ClassifierOptions.NormKind.self)
    groups = try map.integer("groups", in: 1...1024)
    stages = try map.integer("stages", in: 1...7)
    if stages != nil, architecture.family.stages == nil {
      throw map.error(
        "stages", "does not apply to \(architecture.rawValue), of which no stage can be left out")
    }
    dropout = try map.number("dropout", in: 0...0.95)
    stochasticDepth = try map.number("stochasticDepth", in: 0...0.95)
    mean = try map.numbers("mean", count: 3, in: 0...1)
    std = try map.numbers("std", count: 3, in: 0.001...10)
    if let value = try map.boolean("mirrored") { isMirrored = value }
    if var map = try map.map("training") {
      training = try TrainingOptions(&map, over: base ?? TrainingOptions())
    }
    if groups != nil, norm != .group {
      throw map.error("groups", "needs 'norm: group' beside it")
    }
    try map.end()
  }
}

extension Recipe.Decision {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    self.init()
    if map.says("undecided", "none") {
      callsAll = true
    } else if let pair = try map.numbers("undecided", count: 2, in: 0...1) {
      guard pair[0] <= 0.5, pair[1] >= 0.5 else {
        throw map.error("undecided", "must be a range around 0.5: two numbers, as in [0.4, 0.6]")
      }
      undecided = pair[0]...pair[1]
    }
    if let value = try map.choice("unfamiliar", Unfamiliar.self) { unfamiliar = value }
    try map.end()
  }
}

extension YAMLMap {
  fileprivate mutating func calibration() throws(RecipeError) -> LogitCalibration {
    guard let scale = try double("scale", in: LogitCalibration.scales) else {
      throw missing("scale", "what the log odds are multiplied with")
    }
    let offset = try double("offset", in: LogitCalibration.offsets) ?? 0
    try end()
    guard let calibration = LogitCalibration(scale: scale, offset: offset) else {
      throw error("scale", "is \(scale)")
    }
    return calibration
  }
}

extension Recipe.Aggregation {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    self.init()
    frames = try Self.aggregator("frames", &map) ?? frames
    models = try Self.aggregator("models", &map) ?? models
    if var map = try map.map("calibration") { calibration = try map.calibration() }
    if let pair = try map.numbers("clip", count: 2, in: 0...1) {
      guard pair[0] < pair[1] else {
        throw map.error("clip", "the first number must be lower than the second")
      }
      clip = pair[0]...pair[1]
    }
    try map.end()
  }

  private static func aggregator(
    _ key: String, _ map: inout YAMLMap
  ) throws(RecipeError) -> String? {
    guard let name = try map.string(key) else { return nil }
    guard AggregatorName.parse(name) != nil else {
      throw map.error(
        key, "is '\(name)'; must be one of \(AggregatorName.forms.joined(separator: ", "))")
    }
    return name
  }
}
