import DeepfakeCore
import TestSupport
import Testing

/// Schedules rate by rate as PyTorch's (`Fixtures/make_optimisation.py`), all from 0.1.
@Suite struct ScheduleTests {
  func expectRates(
    _ schedule: some LearningRateSchedule, _ name: String, byStep: Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let golden = try #require(try OptimisationGoldens.read().schedules[name])
    for (t, expected) in golden.rates.enumerated() {
      // The other count must not matter.
      let time = byStep ? TrainingTime(step: t, epoch: 1000) : TrainingTime(step: 1000, epoch: t)
      let found = Double(schedule.rate(at: time))
      #expect(
        abs(found - expected) <= 1e-5 * expected + 1e-12, "\(name) at \(t): \(found), \(expected)",
        sourceLocation: sourceLocation)
    }
  }

  @Test func functionsOfTimeArePyTorchs() throws {
    try expectRates(ConstantRate(0.1), "constant", byStep: true)
    try expectRates(StepDecay(0.1, .every(3), factor: 0.4), "step", byStep: false)
    try expectRates(
      StepDecay(0.1, .after([4, 6, 13]), factor: 0.5), "milestones", byStep: false)
    try expectRates(PolynomialDecay(0.1, steps: 15, power: 0.9), "poly", byStep: true)
    try expectRates(CosineDecay(0.1, steps: 20, minimum: 0.001), "cosine", byStep: true)
    try expectRates(
      CosineDecay(0.1, steps: 30, warmUpSteps: 5, warmUpStart: 0.1, minimum: 0.002),
      "cosine-warm", byStep: true)
  }

  @Test(arguments: [
    "silver", "flat", "nan", "max", "absolute", "absolute-max", "cooldown", "minimum", "eps",
    "negative",
  ])
  func plateausArePyTorchs(_ name: String) throws {
    let golden = try #require(try OptimisationGoldens.read().schedules["plateau-\(name)"])
    let settings = try #require(golden.settings)
    let threshold = settings.threshold ?? 1e-4
    var schedule = ReduceOnPlateau(
      0.1, goal: settings.mode == "max" ? .largest : .smallest, factor: settings.factor ?? 0.1,
      patience: settings.patience ?? 10,
      threshold: settings.threshold_mode == "abs" ? .absolute(threshold) : .relative(threshold),
      cooldown: settings.cooldown ?? 0, minimumRate: settings.min_lr ?? 0,
      minimumChange: settings.eps ?? 1e-8)
    let start = schedule
    var rates = [schedule.rate(at: TrainingTime())]
    for metric in try #require(golden.metrics) {
      // As if training were interrupted after every epoch.
      var next = start
      try next.restore(schedule.state, file: "f")
      schedule = next
      schedule.observe(metric ?? .nan)
      rates.append(schedule.rate(at: TrainingTime()))
    }
    #expect(Set(golden.rates).count > 1)
    for (t, (found, expected)) in zip(rates, golden.rates).enumerated() {
      #expect(abs(Double(found) - expected) <= 1e-5 * expected, "\(name) at \(t)")
    }
    #expect(rates.count == golden.rates.count)
  }

  @Test func statesThatDoNotFitAreRefused() throws {
    var plateau = ReduceOnPlateau(0.1, patience: 2)
    plateau.observe(1)
    let good = plateau.state
    for (name, value) in [
      ("rate", nil), ("rate", -1), ("rate", .nan), ("bad-epochs", 0.5), ("cooldown-left", 1e300),
      ("best", .infinity), ("other", 1),
    ] as [(String, Double?)] {
      var state = good
      state[name] = value
      #expect(throws: OptimizerStateError.self, "\(name)") {
        try plateau.restore(state, file: "f")
      }
      #expect(plateau.state == good)
    }
    var constant = ConstantRate(0.1)
    #expect(throws: OptimizerStateError.unexpected(file: "f", name: "best")) {
      try constant.restore(["best": 1, "rate": 1], file: "f")
    }
    try constant.restore([:], file: "f")
  }
}
