import Training
import Yams

extension YAMLMap {
  /// The augmentation under a key: the name of a preset, or a list of steps. A step is its name, or a
  /// mapping of its name to its parameters; a preset's name in the list stands for its steps.
  mutating func augmentation(_ key: String) throws(RecipeError) -> Augmentation? {
    guard let node = anything(key) else { return nil }
    let presets = Augmentation.Preset.allCases.map(\.rawValue).joined(separator: ", ")
    switch node {
    case .scalar(let scalar):
      guard let preset = Augmentation.Preset(rawValue: scalar.string) else {
        throw error(key, "is '\(scalar.string)'; must be one of \(presets), or a list of steps")
      }
      return Augmentation(preset: preset)
    case .sequence(let sequence):
      var result = Augmentation()
      for (index, item) in sequence.enumerated() {
        let place = "\(key)[\(index)]"
        if case .scalar(let scalar) = item,
          let preset = Augmentation.Preset(rawValue: scalar.string)
        {
          try add(Augmentation(preset: preset), to: &result, place)
          continue
        }
        let description = try step(item, place)
        do {
          try add(try Augmentation([description]), to: &result, place)
        } catch let error as AugmentationError {
          throw self.error(place, error.description)
        } catch let error as RecipeError {
          throw error
        } catch {
          throw self.error(place, "\(error)")
        }
      }
      return result
    default: throw error(key, "must be one of \(presets), or a list of steps, not \(node.kind)")
    }
  }

  private func add(
    _ part: Augmentation, to whole: inout Augmentation, _ place: String
  ) throws(RecipeError) {
    whole.steps += part.steps
    guard let mixup = part.mixup else { return }
    guard whole.mixup == nil else { throw error(place, "mixup is there twice") }
    whole.mixup = mixup
  }

  /// A step's name and parameters, not yet looked at.
  private func step(
    _ node: Node, _ place: String, depth: Int = 0
  ) throws(RecipeError) -> AugmentationDescription {
    switch node {
    case .scalar(let scalar): return AugmentationDescription(scalar.string)
    case .mapping(let mapping):
      guard mapping.count == 1, let (key, value) = mapping.first, let name = key.scalar?.string
      else {
        throw error(place, "must be a step's name, or its name with its parameters below it")
      }
      var description = AugmentationDescription(name)
      if value.isNothing { return description }
      guard case .mapping(let parameters) = value else {
        throw error("\(place).\(name)", "must be a mapping of parameters to values")
      }
      for (key, value) in parameters {
        guard let key = key.scalar?.string else {
          throw error("\(place).\(name)", "keys must be plain words")
        }
        let place = "\(place).\(name).\(key)"
        description.parameters[key] =
          key == "steps" ? .steps(try steps(value, place, depth)) : try self.value(value, place)
      }
      return description
    default: throw error(place, "must be a step, not \(node.kind)")
    }
  }

  private func steps(
    _ node: Node, _ place: String, _ depth: Int
  ) throws(RecipeError) -> [AugmentationDescription] {
    guard depth < 4 else { throw error(place, "is nested too deeply") }
    guard case .sequence(let sequence) = node else {
      throw error(place, "must be a list of steps, not \(node.kind)")
    }
    var steps: [AugmentationDescription] = []
    for (index, item) in sequence.enumerated() {
      steps.append(try step(item, "\(place)[\(index)]", depth: depth + 1))
    }
    return steps
  }

  private func value(_ node: Node, _ place: String) throws(RecipeError) -> AugmentationValue {
    switch node {
    case .scalar(let scalar):
      return Double(scalar.string).map { .number($0) } ?? .word(scalar.string)
    case .sequence(let sequence):
      var values: [AugmentationValue] = []
      for item in sequence {
        guard case .scalar = item else { throw error(place, "must hold plain values") }
        values.append(try value(item, place))
      }
      return .list(values)
    default: throw error(place, "must be a value or a list, not \(node.kind)")
    }
  }
}

extension Node {
  fileprivate var isNothing: Bool {
    if case .scalar(let scalar) = self, scalar.style == .plain {
      return ["", "~", "null"].contains(scalar.string)
    }
    return false
  }
}
