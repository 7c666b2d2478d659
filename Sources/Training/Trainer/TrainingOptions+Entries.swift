import DeepfakeCore

/// The value of an option as a recipe holds it.
public enum OptionValue: Sendable, Equatable {
  /// A number or a word.
  case text(String)
  /// Numbers.
  case numbers([Float])
  /// Words.
  case words([String])
  /// An augmentation.
  case augmentation(Augmentation)

  /// The value on one line.
  public var text: String {
    switch self {
    case .text(let text): text
    case .numbers(let numbers): "[\(numbers.map { "\($0)" }.joined(separator: ", "))]"
    case .words(let words): "[\(words.joined(separator: ", "))]"
    case .augmentation(let augmentation): augmentation.preset?.rawValue ?? augmentation.text
    }
  }
}

extension TrainingOptions {
  /// One option with the key that a recipe's `training` section has for it, as in `optimizer.kind`.
  public struct Entry: Sendable, Equatable {
    /// The key.
    public var key: String
    /// The value.
    public var value: OptionValue
  }

  /// All options that apply, in the order of the documentation: what these options are equal to.
  public var entries: [Entry] {
    var list: [Entry] = []
    func add(_ key: String, _ value: OptionValue) { list.append(Entry(key: key, value: value)) }
    func add(_ key: String, _ value: Int) { add(key, .text("\(value)")) }
    func add(_ key: String, _ value: Float?) { add(key, .text(value.map { "\($0)" } ?? "none")) }
    add("epochs", epochs)
    add("batchSize", batchSize)
    add("accumulate", accumulate)
    add("seed", .text("\(seed)"))
    add("optimizer.kind", .text(optimizer.kind.rawValue))
    add("optimizer.learningRate", optimizer.learningRate)
    add("optimizer.weightDecay", optimizer.weightDecay)
    if optimizer.layerDecay < 1 { add("optimizer.layerDecay", optimizer.layerDecay) }
    if optimizer.kind == .sgd {
      add("optimizer.momentum", optimizer.momentum)
      add("optimizer.nesterov", .text("\(optimizer.nesterov)"))
    } else {
      add("optimizer.betas", .numbers(optimizer.betas))
      add("optimizer.epsilon", optimizer.epsilon)
    }
    add("optimizer.sam", optimizer.sam)
    add("schedule.kind", .text(schedule.kind.rawValue))
    switch schedule.kind {
    case .plateau:
      add("schedule.factor", schedule.factor)
      add("schedule.patience", schedule.patience)
      add("schedule.threshold", schedule.threshold)
      add("schedule.minRate", schedule.minRate)
    case .cosine: add("schedule.minRate", schedule.minRate)
    case .step:
      add("schedule.factor", schedule.factor)
      add("schedule.every", schedule.every)
    case .poly: add("schedule.power", schedule.power)
    case .constant: break
    }
    add("schedule.warmUp", schedule.warmUp)
    add("loss.kind", .text(loss.kind.rawValue))
    add("loss.labelSmoothing", loss.labelSmoothing)
    switch loss.kind {
    case .bce: add("loss.fakeWeight", loss.fakeWeight)
    case .focal:
      add("loss.gamma", loss.gamma)
      add("loss.alpha", loss.alpha)
    }
    add("augmentation", .augmentation(augmentation))
    if let fakes { list += fakes.entries } else { add("fakes", .text("none")) }
    add("sampling", .text(sampling.rawValue))
    add("holdOut", holdOut)
    add("clip", clip)
    add("ema", ema)
    if let swa {
      add("swa.from", swa.from)
      if let rate = swa.learningRate { add("swa.learningRate", rate) }
    } else {
      add("swa", .text("none"))
    }
    add("earlyStop", .text(earlyStop.map { "\($0)" } ?? "none"))
    add("freeze", .words(freeze))
    if freezeStatistics { add("freezeStatistics", .text("true")) }
    add("recompute", .text("\(recompute)"))
    add("validationEpochs", validationEpochs)
    return list
  }
}

extension Augmentation {
  /// The preset that this is, if it is one.
  public var preset: Preset? {
    Preset.allCases.first { Augmentation(preset: $0) == self }
  }

  /// The steps on one line, parameters by key.
  var text: String { "[\(descriptions.map(\.text).joined(separator: ", "))]" }
}

extension AugmentationDescription {
  fileprivate var text: String {
    let fields = parameters.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.text)" }
    return "\(name)(\(fields.joined(separator: ", ")))"
  }
}

extension AugmentationValue {
  fileprivate var text: String {
    switch self {
    case .number(let number): "\(Float(number))"
    case .word(let word): word
    case .list(let values): "[\(values.map(\.text).joined(separator: ", "))]"
    case .steps(let steps): "[\(steps.map(\.text).joined(separator: ", "))]"
    }
  }
}
