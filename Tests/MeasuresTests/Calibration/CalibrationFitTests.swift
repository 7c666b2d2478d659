import DeepfakeCore
import Foundation
import Measures
import TestSupport
import Testing

/// What `make_calibration.py` wrote.
struct CalibrationGolden: Decodable {
  struct Fit: Decodable {
    var name: String
    var logits: [Double]
    var labels: [UInt8]
    var weights: [Double]
    var platt: [Double]
    var smoothed: [Double]?
    var temperature: Double?

    var samples: [CalibrationFit.Sample] {
      logits.indices.map {
        CalibrationFit.Sample(logits[$0], labels[$0] == 1 ? .fake : .real, weight: weights[$0])
      }
    }

    var judgements: [Judgement] {
      samples.map {
        Judgement(sigmoid($0.logit), $0.label, weight: $0.weight)
      }
    }
  }

  struct Curve: Decodable {
    var shares: [Double]
    var probabilities: [Double]
  }

  struct Wilson: Decodable {
    var share: Double
    var count: Double
    var interval: [Double]
  }

  struct Scores: Decodable {
    var calibrationError: Double
    var equalCount: Curve
    var equalWidth: Curve
    var wilson: [Wilson]
  }

  var fits: [Fit]
  var scores: Scores

  static func read() throws -> CalibrationGolden {
    try JSONDecoder().decode(
      Self.self, from: Data(contentsOf: Paths.fixture("calibration.json")))
  }
}

@Suite("Calibration: fits")
struct CalibrationFitTests {
  /// Whether two numbers differ by at most a millionth, of the larger one where that is above 1.
  private func isClose(_ found: Double, _ expected: Double) -> Bool {
    abs(found - expected) <= 1e-6 * max(1, abs(expected))
  }

  @Test func fitsAreThoseOfScikitLearnAndSciPy() throws {
    let golden = try CalibrationGolden.read()
    #expect(golden.fits.count == 4)
    for fit in golden.fits {
      let platt = try CalibrationFit().calibration(of: fit.samples)
      #expect(
        isClose(platt.scale, fit.platt[0]) && isClose(platt.offset, fit.platt[1]),
        "\(fit.name): \(platt)")
      if let expected = fit.smoothed {
        let found = try CalibrationFit(smoothsTargets: true).calibration(of: fit.samples)
        #expect(
          isClose(found.scale, expected[0]) && isClose(found.offset, expected[1]),
          "\(fit.name): \(found)")
      }
      if let expected = fit.temperature {
        let found = try CalibrationFit(.temperature).calibration(of: fit.samples)
        #expect(isClose(found.scale, expected) && found.offset == 0, "\(fit.name): \(found)")
      }
    }
  }

  @Test func whatIsCalibratedNeedsNoOther() throws {
    for fit in try CalibrationGolden.read().fits {
      let first = try CalibrationFit().calibration(of: fit.samples)
      var samples = fit.samples
      for index in samples.indices { samples[index].logit = first(samples[index].logit) }
      let second = try CalibrationFit().calibration(of: samples)
      #expect(abs(second.scale - 1) < 1e-5 && abs(second.offset) < 1e-5, "\(fit.name): \(second)")
    }
  }

  @Test func weightsAreWorthAsManySamples() throws {
    let samples: [CalibrationFit.Sample] = [
      .init(-2, .real), .init(-1, .fake, weight: 2), .init(1, .real, weight: 3), .init(2, .fake),
      .init(9, .fake, weight: 0),
    ]
    let repeated = samples.flatMap { sample in
      (0..<Int(sample.weight)).map { _ in CalibrationFit.Sample(sample.logit, sample.label) }
    }
    for smooths in [false, true] {
      let fit = CalibrationFit(smoothsTargets: smooths)
      guard let weighted = try? fit.calibration(of: samples) else {
        #expect(throws: CalibrationError.self) { try fit.calibration(of: repeated) }
        continue
      }
      let plain = try fit.calibration(of: repeated)
      #expect(isClose(weighted.scale, plain.scale) && isClose(weighted.offset, plain.offset))
    }
  }

  private func error(
    _ samples: [(Double, FaceLabel)], _ fit: CalibrationFit = CalibrationFit(), weight: Double = 1
  ) -> CalibrationError? {
    do {
      _ = try fit.calibration(of: samples.map { .init($0.0, $0.1, weight: weight) })
      return nil
    } catch {
      return error
    }
  }

  @Test func whatHasNoCalibrationIsRefused() throws {
    let mixed: [(Double, FaceLabel)] = [(-1, .real), (0.5, .fake), (1, .real), (2, .fake)]
    #expect(error(mixed) == nil)
    #expect(error([]) == .oneLabel(nil))
    #expect(error([(1, .fake), (2, .fake)]) == .oneLabel(.fake))
    #expect(error([(1, .real), (2, .real)]) == .oneLabel(.real))
    #expect(error([(1, .real), (1, .fake)]) == .constant)
    for bad in [Double.nan, .infinity, -.infinity] {
      let found = error(mixed + [(bad, .fake)])
      guard case .notFinite(let index, _, _)? = found else {
        Issue.record("\(bad): \(String(describing: found))")
        continue
      }
      #expect(index == 4)
      #expect(error(mixed, weight: bad) != nil)
    }
    #expect(error(mixed, weight: -1) != nil)
    let reversed = mixed.map { (-$0.0, $0.1) }
    #expect(error(reversed) == .inverted)
    #expect(error(reversed, CalibrationFit(.temperature)) == .inverted)
    #expect(error(reversed, CalibrationFit(smoothsTargets: true)) == .inverted)
  }

  @Test func separableSamplesNeedSmoothing() throws {
    let apart: [(Double, FaceLabel)] = [(-3, .real), (-1, .real), (-1, .fake), (2, .fake)]
    #expect(error(apart) == .separable)
    #expect(error(apart.map { (-$0.0, $0.1) }) == .inverted)
    #expect(error(apart, CalibrationFit(.temperature)) == nil)
    let aroundZero: [(Double, FaceLabel)] = [(-3, .real), (0, .real), (0, .fake), (2, .fake)]
    #expect(error(aroundZero, CalibrationFit(.temperature)) == .separable)
    for method in CalibrationFit.Method.allCases {
      let smoothed = try CalibrationFit(method, smoothsTargets: true).calibration(
        of: aroundZero.map { .init($0.0, $0.1) })
      #expect(smoothed.scale > 0.1 && smoothed.scale < 10, "\(smoothed)")
    }
    #expect(CalibrationError.separable.description.contains("--smooth"))
  }

  /// Very steep and very flat networks, and thousands of samples.
  @Test(arguments: [1e-3, 1, 1e3])
  func theScaleOfTheNetworkDoesNotMatter(_ scale: Double) throws {
    var generator = SeededGenerator(seed: 5)
    let samples = (0..<4000).map { _ in
      let logit = Double.random(in: -4...4, using: &generator)
      let isFake = Double.random(in: 0..<1, using: &generator) < sigmoid(logit)
      return CalibrationFit.Sample(logit * scale, isFake ? .fake : .real)
    }
    let found = try CalibrationFit().calibration(of: samples)
    // Truths were drawn with exactly this calibration; the rest is chance.
    #expect(abs(found.scale * scale - 1) < 0.1 && abs(found.offset) < 0.15, "\(found)")
  }
}
