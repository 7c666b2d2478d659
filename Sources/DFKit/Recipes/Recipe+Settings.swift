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
      "description", &description, .text, isHidden: { $0.isEmpty }, "A description in one line.")
    try fields.value(
      "frames", &frames, .whole(in: 1...1000),
      "The number of frames to analyse, spread evenly over the decoded frames of a video.")
    try fields.section("detector", &detector)
    try fields.section("faces", &faces)
    try fields.section("people", &people)
    try fields.section("crop", &crop)
    try fields.section(
      "training", &training, from: TrainingOptions(),
      "The settings of `dfkit train` for all members; `predict` does not use them.")
    let base = training ?? TrainingOptions()
    try fields.items(
      "members", &members, "a list of at least one network", limit: 64,
      from: Member(name: "", architecture: .efficientNetB0), "The networks, at most 64."
    ) { member, fields throws(SettingError) in try member.describe(&fields, over: base) }
    for (index, member) in members.enumerated() {
      let isFirst = members.firstIndex { $0.name == member.name } == index
      try fields.require(
        isFirst, "members[\(index)].name", "'\(member.name)' is the name of another member, too")
    }
    let first = members.first { $0.difference != nil }
    for (index, member) in members.enumerated() {
      try fields.require(
        member.difference == nil || member.difference == first?.difference,
        "members[\(index)].input.difference",
        "is \(member.difference ?? 0), but that of \(first?.name ?? "") is"
          + " \(first?.difference ?? 0); all members with a difference need the same time")
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
      "The detector's weights; `--detector-weights` overrides them.",
      more: """
        A file's path is relative to the recipe's folder. If absent: the fetched weights of that \
        kind, otherwise the weights that ship with dfkit (`Docs/Weights.md`)
        """)
    try fields.value(
      "frameScale", &frameScale, .frameScale,
      "The factor by which a frame is scaled before detection.",
      more: """
        `auto`: half the size, but with a longer side of 640 to 960 pixels (1920x1080 and 1280x720 \
        are halved, 640x360 is not scaled). If no face is found in a frame that was scaled down, \
        the frame is searched again at full size (or with a longer side of 1920 pixels). This \
        second search ends when the first one has found faces in as many frames as a verdict needs
        """)
    try method.describe(&fields)
    try fields.optional(
      "minFace", &minFace, .number(in: kind.minFaceRange),
      "The smallest side of a face that is detected, in pixels of the frame.",
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
        "threshold", &threshold, .number(in: 0.02...0.999), "The minimum score of a face.")
      try fields.value(
        "nms", &nms, .number(in: 0...1),
        """
        Of two boxes that overlap (IoU) by more than this, the one with the lower score is dropped.
        """)
      self = .retinaface(threshold: threshold, nms: nms)
    case .mtcnn(var thresholds, var factor):
      try fields.value(
        "thresholds", &thresholds, .numbers(3, in: 0...1),
        "The minimum scores of a face in the three networks.")
      try fields.value(
        "factor", &factor, .number(in: MTCNN.Options.factors),
        "The size of each level of the image pyramid, relative to the previous level.")
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
    try fields.value(
      "perFrame", &perFrame, .whole(in: 1...100), "The most faces that are judged in a frame.")
    try fields.value(
      "choose", &choose, .choice, "The order in which a frame's faces are chosen.",
      more: "`score`: by their detection scores; `size`: by the size of their boxes")
    try fields.value(
      "minFrames", &minFrames, .whole(in: 1...1000),
      "The number of frames with a face, of any person, that a verdict needs.",
      more: "At most the number of decoded frames")
  }
}

extension Recipe.People: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "verdict", &verdict, .choice, "How the verdict of a file follows from the people in it.",
      more: """
        `highest`: the highest probability of all people; `largest`: the probability of the person \
        with the largest face, by the median area of its boxes; `mean`: the mean over all people; \
        `together`: all judged faces count as faces of one person
        """)
    try fields.value(
      "minFrames", &minFrames, .whole(in: 1...1000),
      "The number of judged frames that a person needs for a verdict, and to count for the file's.",
      more: "At most the number of decoded frames. With `together`, the file's verdict ignores it")
    try fields.value(
      "minShare", &minShare, .number(in: 0...1),
      """
      The fraction of judged frames that a person needs to count for the file's verdict, relative \
      to the person with the most judged frames.
      """,
      more: """
        A picture in the background, or a false detection, then does not decide. Such a person \
        still has a verdict of their own, and the table says if it is `fake`. 0: everyone counts. \
        With `together`, everyone counts
        """)
  }
}

extension Recipe.Crop: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "shape", &shape, .choice, "How a face is cropped from the frame.",
      more: """
        `square`: a square around the centre of the box, with the box's longer side; `aligned`: \
        rotated and shifted by the five landmarks, so that eyes, nose and mouth have the same \
        positions in every crop as in ArcFace's 112x112 crops. An aligned crop keeps the face's \
        size in the frame (one pixel of the crop is one pixel of the frame), whatever the members' \
        input size; a face without five landmarks that fit its box gets a square crop. `framed`: \
        not rotated, around the point halfway between eyes and mouth; its side is the distance \
        between eyes and mouth divided by 0.42; a face without landmarks that fit its box gets a \
        square crop
        """)
    try fields.value(
      "margin", &margin, .number(in: 0...2),
      "The margin added on every side, as a fraction of the box's longer side.",
      more: """
        `aligned`: as a fraction of the side of ArcFace's square, which with margin 0 reaches from \
        above the brows to the chin; `framed`: as a fraction of the side given by the landmarks. \
        Crops are taken from the full-resolution frame; outside the frame, the pixels of its edge \
        are repeated
        """)
  }
}

extension Recipe.Aggregation: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "frames", &frames, .aggregator,
      "How the scores of the frames are combined into a member's score.",
      more: """
        `confident` is the rule of the winner of the DFDC; `power-weighted` gives confident scores \
        more weight
        """)
    try fields.value(
      "models", &models, .aggregator, "How the members' scores are combined into one.",
      more: "`mean` and `mean-logit` use the members' `weight`")
    try fields.section(
      "calibration", &calibration, from: .identity,
      "The calibration of the combined score; `dfkit calibrate` fits it.",
      more: "It applies to the score of a person, or of all faces together")
    try fields.optional(
      "clip", &clip, .range(in: 0...1, "the first lower than the second") { $0 < $1 },
      hasNone: true, "The range to which the final probability is clipped.")
  }
}

extension LogitCalibration: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    var (scale, offset) = (scale, offset)
    try fields.value(
      "scale", &scale, .number(in: Self.scales), isNeeded: true,
      "The factor of the log odds.")
    try fields.value(
      "offset", &offset, .number(in: Self.offsets), "The number added to the scaled log odds.")
    self = LogitCalibration(scale: scale, offset: offset) ?? self
  }
}

extension Recipe.Decision: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    var said = undecided.map(Undecided.range) ?? (hasNoUndecidedRange ? .nothing : nil)
    try fields.optional(
      "undecided", &said, Undecided.form,
      "The range of probabilities that are too close to 0.5 for a verdict, both ends included.",
      more: """
        The verdict on a person or file in this range is `undecided`. If absent: `none` if the \
        scores are calibrated, otherwise [0.4, 0.6]
        """)
    hasNoUndecidedRange = said == .nothing
    undecided = if case .range(let range)? = said { range } else { nil }
    try fields.value(
      "unfamiliar", &unfamiliar, .choice, isHidden: { $0 == .refuse },
      "The verdict on files and people whose faces are mostly unlike the training data.",
      more: """
        It needs weights with data on familiar faces (`dfkit familiarity`). `refuse`: the verdict \
        is `undecided`; `note`: the verdict does not change, but the table and JSON note it; \
        `ignore`: faces are not checked. A face is unfamiliar if more than half of the networks \
        with such data find it outside one of their limits. A file in which only some people are \
        unfamiliar gets a verdict if the familiar people alone lead to the same verdict, and if \
        most faces are familiar or that verdict is `fake`
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
  static func weights(_ kind: WeightsCatalogue.Kind, in folder: URL?) -> Self {
    let names = ShippedWeights.all.filter { $0.card?.kind == kind }.map(\.name)
    return Self(
      "the name of a \(kind.rawValue) that ships with dfkit (\(names.marked)), or"
        + " a file such as `my.safetensors` or `./mine`"
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
