import Training

extension TrainingOptions {
  /// Reads a `training` section; what it does not say is as in `base`.
  init(_ map: inout YAMLMap, over base: TrainingOptions) throws(RecipeError) {
    self = base
    if let value = try map.integer("epochs", in: 1...100_000) { epochs = value }
    if let value = try map.integer("batchSize", in: 1...4096) { batchSize = value }
    if let value = try map.integer("accumulate", in: 1...4096) { accumulate = value }
    if let value = try map.integer("seed", in: 0...Int.max) { seed = UInt64(value) }
    if var map = try map.map("optimizer") {
      optimizer = try OptimizerOptions(&map, over: optimizer)
    }
    if var map = try map.map("schedule") { schedule = try ScheduleOptions(&map, over: schedule) }
    if var map = try map.map("loss") { loss = try LossOptions(&map, over: loss) }
    if let value = try map.augmentation("augmentation") { augmentation = value }
    try map.fakes("fakes", &fakes)
    if let value = try map.choice("sampling", Sampler.Order.self) { sampling = value }
    if let value = try map.number("holdOut", in: 0...0.9) { holdOut = value }
    try map.optional("clip", &clip, in: 1e-6...1e6)
    try map.optional("ema", &ema, in: 0.5...0.999_999)
    if map.takeNone("swa") {
      swa = nil
    } else if var map = try map.map("swa") {
      guard let from = try map.integer("from", in: 1...100_000) ?? swa?.from else {
        throw map.missing("from", "the first epoch whose weights count")
      }
      var options = WeightAveragingOptions(from: from, learningRate: swa?.learningRate)
      if let rate = try map.number("learningRate", in: 1e-8...10) { options.learningRate = rate }
      try map.end()
      swa = options
    }
    if map.takeNone("earlyStop") {
      earlyStop = nil
    } else if let value = try map.integer("earlyStop", in: 1...100_000) {
      earlyStop = value
    }
    if let value = try map.strings("freeze", limit: 64) { freeze = value }
    if let value = try map.boolean("freezeStatistics") { freezeStatistics = value }
    if let value = try map.boolean("recompute") { recompute = value }
    if let value = try map.integer("validationEpochs", in: 0...1000) { validationEpochs = value }
    try map.end()
  }
}

extension OptimizerOptions {
  fileprivate init(_ map: inout YAMLMap, over base: OptimizerOptions) throws(RecipeError) {
    self = base
    if let value = try map.choice("kind", Kind.self) { kind = value }
    if let value = try map.number("learningRate", in: 1e-8...10) { learningRate = value }
    if let value = try map.number("weightDecay", in: 0...10) { weightDecay = value }
    if let value = try map.number("layerDecay", in: 0.01...1) { layerDecay = value }
    let momentum = try map.number("momentum", in: 0...0.999_999)
    let nesterov = try map.boolean("nesterov")
    let betas = try map.numbers("betas", count: 2, in: 0...0.999_999)
    let epsilon = try map.number("epsilon", in: 1e-12...1)
    let isSGD = kind == .sgd
    let keys = [
      ("momentum", momentum != nil, isSGD), ("nesterov", nesterov != nil, isSGD),
      ("betas", betas != nil, !isSGD), ("epsilon", epsilon != nil, !isSGD),
    ]
    for (key, isGiven, applies) in keys where isGiven && !applies {
      throw map.error(key, "does not apply to the optimizer \(kind.rawValue)")
    }
    self.momentum = momentum ?? self.momentum
    self.nesterov = nesterov ?? self.nesterov
    self.betas = betas ?? self.betas
    self.epsilon = epsilon ?? self.epsilon
    if self.nesterov, isSGD, self.momentum == 0 {
      throw map.error("nesterov", "needs a momentum above 0")
    }
    try map.optional("sam", &sam, in: 1e-6...10)
    try map.end()
  }
}

extension ScheduleOptions {
  fileprivate init(_ map: inout YAMLMap, over base: ScheduleOptions) throws(RecipeError) {
    self = base
    if let value = try map.choice("kind", Kind.self) { kind = value }
    let factor = try map.number("factor", in: 1e-4...0.9999)
    let patience = try map.integer("patience", in: 0...1000)
    let threshold = try map.number("threshold", in: 0...1)
    let every = try map.integer("every", in: 1...100_000)
    let power = try map.number("power", in: 0.01...100)
    let minRate = try map.number("minRate", in: 0...10)
    let keys: [(String, Bool, Set<Kind>)] = [
      ("factor", factor != nil, [.plateau, .step]), ("patience", patience != nil, [.plateau]),
      ("threshold", threshold != nil, [.plateau]), ("every", every != nil, [.step]),
      ("power", power != nil, [.poly]), ("minRate", minRate != nil, [.plateau, .cosine]),
    ]
    for (key, isGiven, kinds) in keys where isGiven && !kinds.contains(kind) {
      let owners = Kind.allCases.filter(kinds.contains).map(\.rawValue)
      throw map.error(
        key,
        "does not apply to the schedule \(kind.rawValue), only to \(owners.joined(separator: ", "))"
      )
    }
    self.factor = factor ?? self.factor
    self.patience = patience ?? self.patience
    self.threshold = threshold ?? self.threshold
    self.every = every ?? self.every
    self.power = power ?? self.power
    self.minRate = minRate ?? self.minRate
    if let value = try map.number("warmUp", in: 0...1000) { warmUp = value }
    try map.end()
  }
}

extension LossOptions {
  fileprivate init(_ map: inout YAMLMap, over base: LossOptions) throws(RecipeError) {
    self = base
    if let value = try map.choice("kind", Kind.self) { kind = value }
    if let value = try map.number("labelSmoothing", in: 0...0.9) { labelSmoothing = value }
    for (key, owner) in [("fakeWeight", Kind.bce), ("gamma", .focal), ("alpha", .focal)]
    where map.node(key) != nil && kind != owner {
      throw map.error(
        key, "does not apply to the loss \(kind.rawValue), only to \(owner.rawValue)")
    }
    try map.optional("fakeWeight", &fakeWeight, in: 1e-3...1000)
    if let value = try map.number("gamma", in: 0...20) { gamma = value }
    try map.optional("alpha", &alpha, in: 0...1)
    try map.end()
  }
}

extension YAMLMap {
  /// Whether the word under the key is `none`, by which a member takes back what the recipe says.
  mutating func takeNone(_ key: String) -> Bool {
    guard case .scalar(let scalar)? = node(key) else { return false }
    guard scalar.string == "none" else { return false }
    _ = anything(key)
    return true
  }

  /// Changes `value` to the number under the key, or to nil where it says `none`.
  fileprivate mutating func optional(
    _ key: String, _ value: inout Float?, in range: ClosedRange<Float>
  ) throws(RecipeError) {
    if takeNone(key) {
      value = nil
    } else if let number = try number(key, in: range) {
      value = number
    }
  }
}
