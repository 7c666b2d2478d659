import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// The first steps of training EfficientNet-B0 against PyTorch's (`Fixtures/make_training.py`).
@Suite(.serialized) struct TrainingGoldenTests {
  @Test(arguments: ["batch", "group", "group-slow"])
  func trainingFollowsPyTorchs(_ name: String) throws {
    let golden = try #require(try TrainingGolden.read().first { $0.name == name })
    #expect(golden.losses.count == (name == "group-slow" ? 20 : 3))
    var training = try GoldenTraining(golden)
    var losses: [Float] = []
    for step in golden.losses.indices {
      let taken = training.takeStep()
      losses.append(taken.loss)
      if step == 0 {
        if let gradients = golden.gradients {
          checkGradients(taken.gradients, gradients, training.network.store)
        }
        if let statistics = golden.statistics {
          #expect(taken.statistics.count == statistics.count)
          for (key, expected) in statistics {
            let found = stepped(taken.statistics[key]?.scalars ?? [], 8)
            expectClose(found, expected, tolerance: 1e-5, "\(name) \(key)")
          }
        }
      }
    }
    expectClose(losses, golden.losses, tolerance: 1e-3, "\(name) losses")
  }

  /// Every parameter's gradient is within a thousandth of its norm, or of a ten-thousandth of the
  /// largest norm where its own is less: in the norm of the difference, as its projections tell,
  /// and in the elements that are there.
  private func checkGradients(
    _ found: Gradients, _ golden: [String: TrainingGolden.Gradient], _ store: ParameterStore
  ) {
    let learning = store.parameters.filter { $0.role != .statistic }
    #expect(Set(learning.map(\.key)) == Set(golden.keys))
    let largest = golden.values.map(\.norm).max() ?? 0
    for parameter in learning {
      let key = parameter.key
      guard let expected = golden[key], let gradient = found[parameter] else {
        Issue.record("no gradient by \(key)")
        continue
      }
      let values = parameter.fileOrder(gradient)
      let allowed = 1e-3 * max(expected.norm, 1e-4 * largest)
      let squares = zip(projections(key, values), expected.projections).reduce(0.0) {
        $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
      }
      let difference = (squares / 8).squareRoot()
      #expect(difference <= allowed, "gradient by \(key) is \(difference) off, \(allowed) allowed")
      for (found, expected) in zip(stepped(values, 4), expected.some) {
        #expect(
          abs(Double(found - expected)) <= allowed, "gradient by \(key): \(found), not \(expected)")
      }
    }
  }
}
