import Classifiers
import DeepfakeCore
import Settings
import Training

extension Recipe.Member: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try describe(&fields, over: TrainingOptions())
  }

  /// Describes the member. `base` has the defaults of its training.
  mutating func describe(
    _ fields: inout SettingFields, over base: TrainingOptions
  ) throws(SettingError) {
    try fields.value(
      "name", &name, .name, isNeeded: true,
      "The member's name in `--weights`; each member needs a different name.")
    try fields.value(
      "description", &description, .text, isHidden: { $0.isEmpty }, "A description in one line.")
    var kind = Kind(network.sequence)
    try fields.kind(
      "kind", &kind, isHidden: { $0 == Kind.frame.name }, "How the network judges a person.",
      more: """
        `frame`: each frame alone; `sequence`: all frames of a person together, by an LSTM that \
        reads the features that the network finds in each of them. Weights of a sequence are \
        always used as such
        """)
    try kind.describe(&fields)
    network.sequence = kind.sequence
    try fields.value("architecture", &architecture, .choice, isNeeded: true, "The network.")
    try fields.optional(
      "weights", &weights, .weights(.classifier, in: fields.folder),
      "The member's weights if `--weights` gives it none.",
      more: """
        A file's path is relative to the recipe's folder. If absent, `--weights` must name a file
        """)
    try fields.optional(
      "weight", &weight, .number(in: 0...1000),
      "The member's weight in `aggregation.models`; the default is 1.",
      more: """
        A weight needs `aggregation.models` to be `mean` or `mean-logit`. 0: the member gives \
        scores, but they do not count. `dfkit evaluate --stack` fits such weights. They are only \
        used with the weights files that the recipe names
        """)
    try fields.optional(
      "scheme", &scheme, .choice, "The source whose keys and preprocessing the weights use.",
      more: "If absent: recognised from the file")
    try network.describe(&fields)
    try fields.require(
      network.groups == nil || network.norm == .group, "groups", "needs 'norm: group', too")
    try fields.require(
      network.stages == nil || architecture.family.stages != nil, "stages",
      "does not apply to \(architecture.rawValue), which always has all its stages")
    let reads = network.difference != nil || network.differenceChannels != nil
    try fields.require(
      !reads || architecture.differenceProblem == nil, "input",
      architecture.differenceProblem ?? "")
    try fields.optional(
      "dropout", &dropout, .number(in: 0...0.95),
      "The dropout rate before the last layer, in training.",
      more: "If absent: the architecture's; a `sequence` has 0.3, also between its levels")
    try fields.optional(
      "stochasticDepth", &stochasticDepth, .number(in: 0...0.95),
      "The probability that the last block is skipped for an image, in training.",
      more: "It is proportionally smaller for earlier blocks. If absent: the architecture's, 0.2"
        + " for EfficientNets, 0 for ResNets")
    try fields.section(
      "training", &training, from: base,
      "Training settings of this member that differ from the recipe's `training`; same keys.")
  }
}

extension Recipe.Member {
  /// How a member judges a person.
  private enum Kind: DescribedKind {
    case frame
    case sequence(NetworkSettings.FrameSequence)

    init(_ sequence: NetworkSettings.FrameSequence?) {
      self = sequence.map(Kind.sequence) ?? .frame
    }

    static var kinds: [Self] { [.frame, .sequence(NetworkSettings.FrameSequence())] }

    var sequence: NetworkSettings.FrameSequence? {
      if case .sequence(let settings) = self { settings } else { nil }
    }

    var name: String { sequence == nil ? "frame" : "sequence" }

    mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
      guard case .sequence(var settings) = self else { return }
      try settings.describe(&fields)
      self = .sequence(settings)
    }
  }
}
