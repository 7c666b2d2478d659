import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import Settings
import Training

extension Recipe: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("name", &name, .name, isNeeded: true, "The recipe's name.")
    try fields.value(
      "description", &description, .text, isHidden: { $0.isEmpty }, "One line about it.")
    try fields.value(
      "frames", &frames, .whole(in: 1...1000),
      "Frames looked at, spread evenly over those that a video decodes to.")
    try fields.section("detector", &detector)
    try fields.section("faces", &faces)
    try fields.section("people", &people)
    try fields.section("crop", &crop)
    try fields.section(
      "training", &training, from: TrainingOptions(),
      "How `dfkit train` makes the members; `predict` does not use it.")
    let base = training ?? TrainingOptions()
    try fields.items(
      "members", &members, "a list of at least one network", limit: 64,
      from: Member(name: "", architecture: .efficientNetB0), "The networks; 64 at most."
    ) { member, fields throws(SettingError) in try member.describe(&fields, over: base) }
    for (index, member) in members.enumerated() {
      let isFirst = members.firstIndex { $0.name == member.name } == index
      try fields.require(
        isFirst, "members[\(index)].name", "'\(member.name)' is taken by another member")
    }
    try fields.section("aggregation", &aggregation)
    try fields.section("verdict", &verdict)
  }
}

extension Recipe.Detector: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.kind("kind", &method, "The face detector.")
    try fields.optional(
      "weights", &weights, .weights(.detector, in: fields.folder),
      "The detector's weights; `--detector-weights` takes their place.",
      more: """
        A file's path is relative to the recipe's folder. If absent: what was fetched of that \
        kind, else what ships (`Docs/Weights.md`)
        """)
    try fields.value(
      "frameScale", &frameScale, .frameScale,
      "The factor by which a frame is scaled before detection.",
      more: """
        `auto`: half, but with a longer side of 640 to 960 pixels (1920x1080 and 1280x720 are \
        halved, 640x360 stays as it is); and a frame that was shrunk and shows no face is searched \
        again at full size (or with a longer side of 1920 pixels), until faces were found in as \
        many frames as a verdict needs without that
        """)
    try method.describe(&fields)
    try fields.optional(
      "minFace", &minFace, .number(in: kind.minFaceRange),
      "The smallest side of a face, in pixels of the frame.",
      more: "If absent: `retinaface` 0, `mtcnn` 20 pixels of the scaled frame")
  }
}

extension Recipe.Detector.Kind {
  /// The allowed range of the smallest side of a face, in pixels of the frame. MTCNN enlarges the
  /// frame to find faces smaller than 12 pixels.
  fileprivate var minFaceRange: ClosedRange<Float> {
    (self == .mtcnn ? 4 : 0)...10_000
  }

  /// The detector with its default settings.
  var method: Recipe.Detector.Method {
    switch self {
    case .retinaface: .retinaface()
    case .mtcnn: .mtcnn()
    default: .other(self)
    }
  }
}

extension Recipe.Detector.Method: DescribedKind {
  package static var kinds: [Self] { Recipe.Detector.Kind.allCases.map(\.method) }

  package var name: String { kind.rawValue }

  var kind: Recipe.Detector.Kind {
    switch self {
    case .retinaface: .retinaface
    case .mtcnn: .mtcnn
    case .other(let kind, _): kind
    }
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    switch self {
    case .retinaface(var threshold, var nms):
      try fields.value(
        "threshold", &threshold, .number(in: 0.02...0.999), "The lowest score of a face.")
      try fields.value(
        "nms", &nms, .number(in: 0...1),
        "The overlap (IoU) from which the lesser of two boxes is dropped.")
      self = .retinaface(threshold: threshold, nms: nms)
    case .mtcnn(var thresholds, var factor):
      try fields.value(
        "thresholds", &thresholds, .numbers(3, in: 0...1),
        "The lowest scores that its three networks take for a face.")
      try fields.value(
        "factor", &factor, .number(in: MTCNN.Options.factors),
        "The size of a level of its image pyramid as a part of the one before.")
      self = .mtcnn(thresholds: thresholds, factor: factor)
    case .other(let kind, var threshold):
      try fields.optional(
        "threshold", &threshold, .number(in: 0...1), "The lowest score of a face.")
      self = .other(kind, threshold: threshold)
    }
  }
}

extension Recipe.Faces: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("perFrame", &perFrame, .whole(in: 1...100), "Faces judged in each frame.")
    try fields.value(
      "choose", &choose, .choice, "Which faces come first.",
      more: "`score`: those that the detector is surest of; `size`: those with the largest box")
    try fields.value(
      "minFrames", &minFrames, .whole(in: 1...1000),
      "Frames with a face, whosever, that a verdict on a file needs.",
      more: "Never more than were decoded")
  }
}

extension Recipe.People: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "verdict", &verdict, .choice, "How the people in a file make its verdict.",
      more: """
        `highest`: the highest probability of a person; `largest`: that of the person with the \
        largest face, by the median area of its boxes; `mean`: of all people; `together`: all \
        judged faces as if they were one person's
        """)
    try fields.value(
      "minFrames", &minFrames, .whole(in: 1...1000),
      "Frames in which a person must be judged to get a verdict and to count for the file's.",
      more: "Never more than were decoded. With `together`, the file's verdict does without")
    try fields.value(
      "minShare", &minShare, .number(in: 0...1),
      """
      Frames in which a person's face must be judged to count for the file's verdict, as a part of \
      those of the person judged most.
      """,
      more: """
        A picture in the background, or what is no face, then does not decide. Such a person has a \
        verdict of their own all the same, and the table says where that is `fake`. 0 lets \
        everyone count. With `together` all do
        """)
  }
}

extension Recipe.Crop: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "shape", &shape, .choice, "How a face is cut out of the frame.",
      more: """
        `square`: by the longer side of the box, around its centre; `aligned`: turned and moved by \
        the five landmarks, so that eyes, nose and mouth have the places of ArcFace's 112x112 \
        crops in every crop. An aligned crop has the face's own size in the frame (a pixel of the \
        crop is one of the frame), whatever the members' inputs; a face without five landmarks \
        that fit its box is cut square. `framed`: not turned, around the middle between eyes and \
        mouth, with a side of the distance between these by 0.42; without landmarks that fit the \
        box, square
        """)
    try fields.value(
      "margin", &margin, .number(in: 0...2),
      "What is added on every side, as a part of the box's longer side.",
      more: """
        `aligned`: of the side of ArcFace's square, which at 0 reaches from above the brows to the \
        chin; `framed`: of the side that the landmarks say. Crops are cut from the full-resolution \
        frame; beyond its edge, the edge's pixels go on
        """)
  }
}

extension Recipe.Member: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try describe(&fields, over: TrainingOptions())
  }

  /// Describes the member. `base` has the defaults of its training.
  fileprivate mutating func describe(
    _ fields: inout SettingFields, over base: TrainingOptions
  ) throws(SettingError) {
    try fields.value(
      "name", &name, .name, isNeeded: true, "The name by which weights are given; each once.")
    try fields.value(
      "description", &description, .text, isHidden: { $0.isEmpty }, "One line about it.")
    try fields.value("architecture", &architecture, .choice, isNeeded: true, "The network.")
    try fields.optional(
      "weights", &weights, .weights(.classifier, in: fields.folder),
      "The weights that the member has where `--weights` gives it none.",
      more: """
        A file's path is relative to the recipe's folder. If absent, `--weights` must give some
        """)
    try fields.optional(
      "weight", &weight, .number(in: 0...1000),
      "What the member counts in `aggregation.models`, where another counts 1.",
      more: """
        That must then be `mean` or `mean-logit`; 0 lets the member judge without counting. `dfkit \
        evaluate --stack` finds weights. Not used with other weights files than those that the \
        recipe names
        """)
    try fields.optional(
      "scheme", &scheme, .choice, "Whose keys and preprocessing the weights have.",
      more: "If absent: told from the file")
    try network.describe(&fields)
    try fields.require(
      network.groups == nil || network.norm == .group, "groups", "needs 'norm: group' beside it")
    try fields.require(
      network.stages == nil || architecture.family.stages != nil, "stages",
      "does not apply to \(architecture.rawValue), of which no stage can be left out")
    try fields.optional(
      "dropout", &dropout, .number(in: 0...0.95),
      "The rate of dropout before the last layer, in training.",
      more: "If absent: the architecture's")
    try fields.optional(
      "stochasticDepth", &stochasticDepth, .number(in: 0...0.95),
      "The probability that the last block is skipped for an image in training.",
      more: "Earlier blocks' are proportionally smaller. If absent: the architecture's, 0.2")
    try fields.section(
      "training", &training, from: base,
      "What is trained otherwise than the recipe's `training` says: the same keys.")
  }
}

extension Recipe.Aggregation: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "frames", &frames, .aggregator, "How a member's frame scores become its score.",
      more: """
        `confident` is the rule of the DFDC's winner; `power-weighted` counts surer scores more
        """)
    try fields.value(
      "models", &models, .aggregator, "How the members' scores become one.",
      more: "`mean` and `mean-logit` count each by its `weight`")
    try fields.section(
      "calibration", &calibration, from: .identity,
      "What makes the common score a probability; `dfkit calibrate` finds it.",
      more: "Of a person, or of all faces together")
    try fields.optional(
      "clip", &clip, .range(in: 0...1, "the first lower than the second") { $0 < $1 },
      hasNone: true, "What the final probability is held in.")
  }
}

extension LogitCalibration: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    var (scale, offset) = (scale, offset)
    try fields.value(
      "scale", &scale, .number(in: Self.scales), isNeeded: true,
      "What the log odds are multiplied by.")
    try fields.value(
      "offset", &offset, .number(in: Self.offsets), "What is then added to them.")
    self = LogitCalibration(scale: scale, offset: offset) ?? self
  }
}

extension Recipe.Decision: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    var said = undecided.map(Undecided.range) ?? (hasNoUndecidedRange ? .nothing : nil)
    try fields.optional(
      "undecided", &said, Undecided.form,
      "Probabilities too close to one half to be called fake or real, both ends included.",
      more: """
        They make the verdict `undecided`, of people and files. If absent: none where the scores \
        are calibrated, [0.4, 0.6] where nothing calibrates them
        """)
    hasNoUndecidedRange = said == .nothing
    undecided = if case .range(let range)? = said { range } else { nil }
    try fields.value(
      "unfamiliar", &unfamiliar, .choice, isHidden: { $0 == .refuse },
      "What becomes of files whose faces are mostly unlike those that the networks learned from.",
      more: """
        The same holds for people. It matters where the networks' weights say what that is. \
        `refuse`: undecided; `note`: the verdict stands, and the table and JSON say so; `ignore`: \
        nobody asks. A face counts as unlike where more than half of those networks find it beyond \
        one of their limits. A file with people of both kinds is answered where the rule makes the \
        same of the others alone, and most faces are theirs or they are fake
        """)
  }
}

extension SettingForm where Value == String {
  /// A name that can also be used as a file name.
  static var name: Self {
    Self(
      "a name of letters, digits, '.', '_' and '-', not starting with '.' or '-'",
      parse: { Recipe.isName($0) ? $0 : nil }, text: { $0 })
  }

  /// The name of weights of this kind that ship, or the path of a file. A relative path is made
  /// absolute if `folder`, which it is relative to, is known.
  fileprivate static func weights(_ kind: WeightsCatalogue.Kind, in folder: URL?) -> Self {
    let names = ShippedWeights.all.filter { $0.card?.kind == kind }.map(\.name)
    return Self(
      "the name of a \(kind.rawValue) that ships with dfkit (\(names.marked)), or"
        + " a file as in `my.safetensors` or `./mine`"
    ) { text in
      if names.contains(text) { return text }
      guard ShippedWeights.named(text) == nil, text.contains(where: { "./".contains($0) }) else {
        return nil
      }
      return folder.map {
        URL(fileURLWithPath: text, relativeTo: $0).standardizedFileURL.path
      } ?? text
    } text: {
      $0
    }
  }
}

extension SettingForm where Value == FrameScale {
  fileprivate static var frameScale: Self {
    let range = FrameScale.factors
    return Self(
      "a number from \(range.lowerBound) to \(range.upperBound), or `auto`",
      parse: { text in FrameScale(text).flatMap { $0.isAllowed ? $0 : nil } }, text: { "\($0)" })
  }
}

extension SettingForm where Value == AggregatorName {
  fileprivate static var aggregator: Self {
    Self(
      "one of \(AggregatorName.forms.marked)", parse: { AggregatorName($0) },
      text: { "\($0)" })
  }
}

/// The value of `undecided` in a recipe.
private enum Undecided: Equatable {
  /// Probabilities in this range are undecided.
  case range(ClosedRange<Float>)
  /// `none`: no probability is undecided.
  case nothing

  static var form: SettingForm<Undecided> {
    let range = SettingForm<ClosedRange<Float>>.range(in: 0...1, "as in [0.4, 0.6]") {
      $0 <= 0.5 && $1 >= 0.5
    }
    return SettingForm("a range around 0.5, \(range.marked), or `none`", isList: true) { value in
      value == .text("none") ? .nothing : range.read(value).map(Undecided.range)
    } write: {
      if case .range(let bounds) = $0 { range.write(bounds) } else { .text("none") }
    }
  }
}
