import Settings

extension Augmentation {
  /// The preset that this is, if it is one.
  public var preset: Preset? {
    Preset.allCases.first { Augmentation(preset: $0) == self }
  }

  /// Reads the augmentation from a key's value, or lists it.
  ///
  /// The value is the name of a preset; or a list of steps, in which a preset's name stands for its
  /// steps; or a mapping, which changes single steps of the augmentation that there is. A step of a
  /// list is its name, or a mapping of its name to its parameters.
  mutating func describe(_ key: String, _ fields: inout SettingFields) throws(SettingError) {
    let presets = Preset.allCases.map(\.rawValue).marked
    let allowed = "one of \(presets), a list of steps, or a mapping of steps to their changes"
    switch fields.take(key) {
    case .text(let word)?:
      guard let preset = Preset(rawValue: word) else {
        throw fields.error(key, "is '\(word)'; must be \(allowed.unmarked)")
      }
      self = Augmentation(preset: preset)
    case .list(let items)?:
      self = Augmentation()
      for (index, item) in items.enumerated() { try add(item, fields.place("\(key)[\(index)]")) }
    case .map(let changes)?:
      for change in changes {
        try self.change(change.key, change.value, fields.place("\(key).\(change.key)"))
      }
    case .nothing?, nil: break
    }
    let value = preset.map { .text($0.rawValue) } ?? SettingValue.list(descriptions.map(\.value))
    fields.add(
      Setting(
        key: key, value: value, allowed: allowed,
        help: "The random changes of pictures in training, and their mixing.",
        more: """
          `silver`: half of the pictures are mirrored, all are rotated by up to 15 degrees. A \
          mapping changes steps of the current list: the named parameters, or `none` to remove a \
          step; a step that is not in the list is added at the end
          """))
  }

  /// Adds an item of a list of steps.
  private mutating func add(_ item: SettingValue, _ place: String) throws(SettingError) {
    if case .text(let word) = item, let preset = Preset(rawValue: word) {
      return try add(Augmentation(preset: preset), place)
    }
    try add(Self.made([try AugmentationDescription(item, place)], place), place)
  }

  private mutating func add(_ part: Augmentation, _ place: String) throws(SettingError) {
    steps += part.steps
    guard let mixup = part.mixup else { return }
    guard self.mixup == nil else {
      throw SettingError(key: place, problem: "mixup is given twice")
    }
    self.mixup = mixup
  }

  /// Changes the step of a name, takes it out, or adds it.
  private mutating func change(
    _ name: String, _ value: SettingValue, _ place: String
  ) throws(SettingError) {
    let places = steps.indices.filter { steps[$0].description.name == name }
    guard places.count <= 1 else {
      throw SettingError(
        key: place,
        problem: "is in the list \(places.count) times; give the whole list of steps")
    }
    let old = name == Mixup.name ? mixup?.description : places.first.map { steps[$0].description }
    if value == .text("none") {
      guard old != nil else {
        throw SettingError(key: place, problem: "is not in the list and cannot be removed")
      }
      if let index = places.first { steps.remove(at: index) } else { mixup = nil }
      return
    }
    var description = try AugmentationDescription(
      .map([SettingEntry(name, value)]), place, parametersAt: place)
    description.parameters.merge(old?.parameters ?? [:]) { new, _ in new }
    let part = try Self.made([description], place)
    if let mixup = part.mixup {
      self.mixup = mixup
    } else if let index = places.first {
      steps[index] = part.steps[0]
    } else {
      steps += part.steps
    }
  }

  private static func made(
    _ descriptions: [AugmentationDescription], _ place: String
  ) throws(SettingError) -> Augmentation {
    do {
      return try Augmentation(descriptions)
    } catch {
      throw SettingError(key: place, problem: error.description)
    }
  }
}

extension AugmentationDescription {
  /// The description that a value tells: a step's name, or its name with its parameters.
  fileprivate init(
    _ value: SettingValue, _ place: String, parametersAt inner: String? = nil, depth: Int = 0
  ) throws(SettingError) {
    switch value {
    case .text(let name): self.init(name)
    case .map(let entries):
      guard entries.count == 1 else {
        throw SettingError(
          key: place,
          problem: "must be a step's name, or its name with its parameters below it")
      }
      self.init(entries[0].key)
      let place = inner ?? "\(place).\(name)"
      switch entries[0].value {
      case .nothing: break
      case .map(let given):
        for entry in given {
          parameters[entry.key] = try AugmentationValue(entry, "\(place).\(entry.key)", depth)
        }
      default:
        throw SettingError(
          key: place, problem: "must be a mapping of parameters to values")
      }
    default: throw SettingError(key: place, problem: "must be a step, not \(value.kind)")
    }
  }

  /// The step as a text has it.
  fileprivate var value: SettingValue {
    guard !parameters.isEmpty else { return .text(name) }
    let entries = parameters.sorted { $0.key < $1.key }.map { SettingEntry($0.key, $0.value.value) }
    return .map([SettingEntry(name, .map(entries))])
  }
}

extension AugmentationValue {
  /// The value of a step's parameter.
  fileprivate init(
    _ entry: SettingEntry, _ place: String, _ depth: Int
  ) throws(SettingError) {
    guard entry.key == "steps" else {
      self = try Self.plain(entry.value, place)
      return
    }
    guard depth < 4 else { throw SettingError(key: place, problem: "is nested too deeply") }
    guard case .list(let items) = entry.value else {
      throw SettingError(
        key: place, problem: "must be a list of steps, not \(entry.value.kind)")
    }
    var steps: [AugmentationDescription] = []
    for (index, item) in items.enumerated() {
      steps.append(
        try AugmentationDescription(item, "\(place)[\(index)]", depth: depth + 1))
    }
    self = .steps(steps)
  }

  private static func plain(
    _ value: SettingValue, _ place: String
  ) throws(SettingError) -> AugmentationValue {
    switch value {
    case .text(let text): return Double(text).map { .number($0) } ?? .word(text)
    case .list(let items):
      var values: [AugmentationValue] = []
      for item in items {
        guard case .text = item else {
          throw SettingError(key: place, problem: "must hold plain values")
        }
        values.append(try plain(item, place))
      }
      return .list(values)
    default:
      throw SettingError(
        key: place, problem: "must be a value or a list, not \(value.kind)")
    }
  }

  fileprivate var value: SettingValue {
    switch self {
    case .number(let number): .text("\(Float(number))")
    case .word(let word): .text(word)
    case .list(let values): .list(values.map(\.value))
    case .steps(let steps): .list(steps.map(\.value))
    }
  }
}
