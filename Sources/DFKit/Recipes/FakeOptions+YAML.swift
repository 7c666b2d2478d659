import Training

extension YAMLMap {
  /// Changes `options` to what is under the key: `none`, the name of a kind, or a mapping; what that does not say
  /// is as it was, or usual.
  mutating func fakes(_ key: String, _ options: inout FakeOptions?) throws(RecipeError) {
    if takeNone(key) {
      options = nil
      return
    }
    guard let node = node(key) else {
      _ = anything(key)
      return
    }
    var result = options ?? FakeOptions()
    if case .scalar = node {
      if let kind = try choice(key, FakeOptions.Kind.self) { result.kind = kind }
    } else if var map = try map(key) {
      if let value = try map.choice("kind", FakeOptions.Kind.self) { result.kind = value }
      if let value = try map.number("share", in: 0...1) { result.share = value }
      if let value = try map.number("donor", in: 0...1) { result.blending.donor = value }
      if let value = try map.number("colorMatch", in: 0...1) { result.blending.colorMatch = value }
      if let value = try map.number("softness", in: 0...1) { result.blending.softness = value }
      if let value = try map.numbers("softnessWidth", count: 2, in: 4...4096) {
        guard value[0] <= value[1] else {
          throw map.error("softnessWidth", "must be two numbers of which the second is not less")
        }
        result.blending.softnessWidth = value[0]...value[1]
      }
      if let value = try map.number("strength", in: 0...4) { result.blending.strength = value }
      if let words = try map.strings("parts", limit: 64) {
        result.blending.parts = try map.parts(words)
      }
      if let value = try map.boolean("validate") { result.validate = value }
      try map.end()
    }
    options = result
  }

  private func parts(_ words: [String]) throws(RecipeError) -> [BlendedPart] {
    let allowed = BlendedPart.allCases.map(\.rawValue).joined(separator: ", ")
    guard !words.isEmpty else { throw error("parts", "must name at least one of \(allowed)") }
    var parts: [BlendedPart] = []
    for word in words {
      guard let part = BlendedPart(rawValue: word) else {
        throw error("parts", "has '\(word)'; known are \(allowed)")
      }
      parts.append(part)
    }
    return parts
  }
}
