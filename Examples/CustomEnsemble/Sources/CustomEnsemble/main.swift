// Ensembles with a custom scorer and a custom aggregator, with weights for their members, and with
// stacked members. The crops are made up. Docs/Ensembles.md explains the code.
import Classifiers
import DeepfakeCore

/// A rule instead of a network. Swapped faces are often smoother than their surroundings, so crops
/// with small differences between neighbouring pixels count as suspicious. (An example, not a
/// detector.)
struct SmoothnessScorer: FaceScorer {
  /// The mean difference between neighbours that counts as neither.
  let threshold: Float

  func scores(_ crops: [Image]) throws -> [Float] {
    crops.map { crop in
      var sum = 0
      for y in 0..<crop.height {
        for x in 1..<crop.width {
          sum += abs(Int(crop[x, y].green) - Int(crop[x - 1, y].green))
        }
      }
      let mean = Float(sum) / Float(max(1, crop.height * (crop.width - 1)))
      return threshold / (threshold + mean)
    }
  }
}

/// The mean of the `count` highest scores: high even if a face is swapped in a few frames only.
struct TopMean: Aggregator {
  let count: Int

  func aggregate(_ scores: [Float]) -> Float {
    let top = scores.sorted(by: >).prefix(count)
    return top.reduce(0, +) / Float(top.count)
  }
}

/// A crop of noise around middle grey; the same seed gives the same crop.
func crop(noise: Int, seed: UInt64) -> Image {
  var generator = SeededGenerator(seed: seed)
  return Image(width: 64, height: 64) { pixels in
    for i in pixels.indices {
      pixels[i] = UInt8(128 + Int.random(in: -noise...noise, using: &generator))
    }
  }
}

// A network in addition to the rule: B0 with random weights, so its scores mean nothing here.
var settings = ClassifierSettings(.efficientNetB0)
settings.input.size = 64
let ensemble = Ensemble(
  [
    .init("smoothness", SmoothnessScorer(threshold: 10)),
    .init("b0", ClassifierModel(random: settings, seed: 3)),
  ], frames: TopMean(count: 2), models: .mean, clip: 0.01...0.99)

func show(_ title: String, _ ensemble: Ensemble) throws {
  print(title)
  for (name, noise) in [("smooth", 4), ("rough", 60)] {
    let assessment = try ensemble.assess((0..<5).map { crop(noise: noise, seed: $0) })
    print("  \(name): P(fake) = \(assessment.probability)")
    for member in assessment.members { print("    \(member.name): \(member.probability)") }
  }
}

try show("plain mean of the members", ensemble)

// The rule counts three times as much as the network.
var weighted = ensemble
weighted.models = WeightedMeanAggregator([3, 1])
try show("weights for the members", weighted)

// The weights are learned from people with known labels, whom no member was trained on. Here smooth
// crops are called fake. The members' scores are computed once; the rest is arithmetic.
var samples: [StackedAggregator.Sample] = []
for person in UInt64(0)..<40 {
  let isFake = person % 2 == 0
  let noise = (isFake ? 4 : 40) + Int(person)
  let assessment = try ensemble.assess(
    (0..<5).map { crop(noise: noise, seed: 100 + 5 * person + $0) })
  samples.append(.init(assessment.members.map(\.probability), isFake: isFake))
}
var stacked = ensemble
let stack = try StackedAggregator.fitted(to: samples)
stacked.models = stack
try show("stacked, with weights \(stack.weights)", stacked)
