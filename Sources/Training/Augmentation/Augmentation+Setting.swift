import Settings

extension Augmentation {
  /// The preset that this is, if it is one.
  public var preset: Preset? {
    Preset.allCases.first { Augmentation(preset: $0) == self }
  }

  /// Describes the setting `key`, whose value is the augmentation.
  ///
  /// The value is the name of a preset; or a list of steps, in which a preset's name stands for its
  /// steps; or a mapping, which changes single steps of the current augmentation. A step of a list
  /// is its name, or a mapping of its name to its parameters.
  mutating func describe(_ key: String, _ fields: inout SettingFields) throws(SettingError) {
    let presets = Preset.allCases.map(\.rawValue).marked
    let allowed = "one of \(presets), a list of steps, or a mapping of steps to their changes"
    switch fields.take(key) {
    case .text(let word)?:
      guard let preset = Preset(rawValue: word) else {
        throw fields.error(key, "is '\(word)'; must be \(allowed.unmarked)")
      }
      self = Augmentation(preset: preset)
    case .list(let items)?: self = try Augmentation(items, at: fields.place(key))
    case .map(let changes)?:
      for change in changes {
        try self.change(change.key, change.value, fields.place("\(key).\(change.key)"))
      }
    case .nothing?, nil: break
    }
    if fields.purpose == .checking { try check() }
    fields.add(
      Setting(
        key: key, value: preset.map { .text($0.rawValue) } ?? .list(items), allowed: allowed,
        help: "The random changes of pictures in training, and their mixing.",
        more: """
          `silver`: half of the pictures are mirrored, all are rotated by up to 15 degrees. A \
          mapping changes steps of the current list: the named parameters, or `none` to remove a \
          step; a step that is not in the list is added at the end
          """))
  }

  /// Reads the items of a list. `place` is the list's key, for messages.
  package init(_ items: [SettingValue], at place: String) throws(SettingError) {
    self.init()
    for (index, item) in items.enumerated() {
      let place = "\(place)[\(index)]"
      if case .text(let word) = item, let preset = Preset(rawValue: word) {
        try add(Augmentation(preset: preset), place)
      } else {
        try add(Self.read(item, place), place)
      }
    }
  }

  /// The items of a list that is read as this augmentation.
  package var items: [SettingValue] {
    steps.map(\.item) + (mixup.map { [.step(Mixup.name, $0)] } ?? [])
  }

  /// Throws if a parameter has a value that a recipe cannot have.
  private func check() throws(SettingError) {
    for step in steps { try step.check() }
    try mixup?.check()
  }

  private mutating func add(_ part: Augmentation, _ place: String) throws(SettingError) {
    steps += part.steps
    guard let mixup = part.mixup else { return }
    guard self.mixup == nil else {
      throw SettingError(key: place, problem: "mixup is given twice")
    }
    self.mixup = mixup
  }

  /// Changes the step of that name, removes it, or adds it.
  private mutating func change(
    _ name: String, _ value: SettingValue, _ place: String
  ) throws(SettingError) {
    let places = steps.indices.filter { steps[$0].name == name }
    guard places.count <= 1 else {
      throw SettingError(
        key: place,
        problem: "is in the list \(places.count) times; give the whole list of steps")
    }
    let isMixup = name == Mixup.name
    guard value != .text("none") else {
      guard isMixup ? mixup != nil : !places.isEmpty else {
        throw SettingError(key: place, problem: "is not in the list and cannot be removed")
      }
      if let index = places.first { steps.remove(at: index) } else { mixup = nil }
      return
    }
    let parameters = try Self.parameters(value, place)
    if isMixup {
      var changed = mixup ?? Mixup()
      try changed.read(parameters, place)
      mixup = changed
    } else if let index = places.first {
      try steps[index].read(parameters, place)
    } else {
      steps.append(try Step(name, parameters, place))
    }
  }

  /// Reads an item of a list: a step's name, or a mapping of its name to its parameters.
  private static func read(
    _ item: SettingValue, _ place: String
  ) throws(SettingError) -> Augmentation {
    let name: String
    var parameters: [SettingEntry] = []
    var inner = place
    switch item {
    case .text(let text): name = text
    case .map(let entries):
      guard entries.count == 1 else {
        throw SettingError(
          key: place, problem: "must be a step's name, or its name with its parameters below it")
      }
      name = entries[0].key
      inner = "\(place).\(name)"
      parameters = try Self.parameters(entries[0].value, inner)
    default: throw SettingError(key: place, problem: "must be a step, not \(item.kind)")
    }
    guard name == Mixup.name else {
      return Augmentation([try Step(name, parameters, inner, namedAt: place)])
    }
    var mixup = Mixup()
    try mixup.read(parameters, inner)
    return Augmentation(mixup: mixup)
  }

  private static func parameters(
    _ value: SettingValue, _ place: String
  ) throws(SettingError) -> [SettingEntry] {
    switch value {
    case .nothing: return []
    case .map(let entries): return entries
    default: throw SettingError(key: place, problem: "must be a mapping of parameters to values")
    }
  }

  /// The reference of all steps and their parameters but `probability`.
  package static var reference: [SettingRow] {
    func rows(_ name: String, _ help: String, _ parameters: some Described) -> [SettingRow] {
      [SettingRow(key: name, setting: Setting(key: name, value: nil, help: help))]
        + parameters.reference().filter { $0.key != "probability" }.map {
          SettingRow(key: "\(name).\($0.key)", setting: $0.setting)
        }
    }
    return operations.flatMap { rows($0.name, $0.help, Step($0.init())) }
      + rows(Mixup.name, Mixup.help, Mixup())
  }
}

extension Augmentation.Step: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "probability", &probability, .number(in: 0...1), "The probability of the change.")
    try operation.describe(&fields)
  }

  /// Reads a step. `place` is where its parameters are, and `nameplace` where its name is, for
  /// messages.
  fileprivate init(
    _ name: String, _ parameters: [SettingEntry], _ place: String, namedAt nameplace: String? = nil
  ) throws(SettingError) {
    guard let type = Augmentation.operations.first(where: { $0.name == name }) else {
      let known = Augmentation.operationNames.joined(separator: ", ")
      throw SettingError(
        key: nameplace ?? place, problem: "'\(name)' is not a known step; must be one of \(known)")
    }
    self.init(type.init())
    try read(parameters, place)
  }

  /// The step as an item of a list.
  fileprivate var item: SettingValue { .step(name, self) }
}

extension Described {
  /// Changes the parameters that are given.
  fileprivate mutating func read(
    _ parameters: [SettingEntry], _ place: String
  ) throws(SettingError) {
    var fields = SettingFields(.changing, parameters, path: place)
    try fields.pass(over: &self)
  }
}

extension SettingValue {
  /// A step with all its parameters, by their names.
  fileprivate static func step(_ name: String, _ step: some Described) -> SettingValue {
    .map([SettingEntry(name, .map(step.sections.sorted { $0.key < $1.key }))])
  }
}

extension SettingFields {
  /// Describes the steps within a step, of which there must be at least one.
  mutating func steps(
    _ key: String, _ steps: inout [Augmentation.Step], _ help: String
  ) throws(SettingError) {
    let allowed = "a list of at least one step"
    if let found = take(key) {
      guard case .list(let items) = found, !items.isEmpty else {
        throw error(key, "must be \(allowed)")
      }
      guard place(key).split(separator: ".").count < Augmentation.deepestPlace else {
        throw error(key, "is nested too deeply")
      }
      let read = try Augmentation(items, at: place(key))
      guard read.mixup == nil else {
        throw error(key, "must not hold \(Mixup.name), which mixes whole crops")
      }
      steps = read.steps
    }
    if purpose == .checking { for step in steps { try step.check() } }
    add(Setting(key: key, value: .list(steps.map(\.item)), allowed: allowed, help: help))
  }
}

extension Augmentation {
  /// The number of keys in the place of a step within steps from which it is refused, as
  /// `training.augmentation[0].oneOf.steps` has four.
  fileprivate static let deepestPlace = 16
}
