import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What the golden values of PyTorch (`GoldenGradientTests`) leave open: extremes, and how losses
/// meet.
@Suite struct LossTests {
  @Test func extremeLogitsStayFinite() {
    let logits = Tensor([-1000, -100, 0, 100, 1000, -1000, 1000], shape: [7])
    let targets = Tensor([1, 1, 1, 0, 0, 0, 1], shape: [7])
    let result = valueAndGrad(at: [logits]) {
      $0[0].binaryCrossEntropy(targets, reduction: .sum)
    }
    expectClose([result.value], [2200 + log(2)], tolerance: 1e-6)
    expectClose(
      result.gradients[0].scalars, [-1, -1, -0.5, 1, 1, 0, 0], tolerance: 1e-6, "gradient")
    let focal = valueAndGrad(at: [logits]) { $0[0].focalLoss(targets, reduction: .sum) }
    #expect(focal.value.isFinite && focal.gradients[0].scalars.allSatisfy { $0.isFinite })
    let classes = Tensor([1000, 0, -1000, 0, 1000, -1000], shape: [2, 3])
    let entropy = valueAndGrad(at: [classes]) { $0[0].crossEntropy(classes: [2, 1]) }
    #expect(entropy.value == 1000)
    #expect(entropy.gradients[0].scalars == [0.5, 0, -0.5, 0, 0, 0])
  }

  @Test func notANumberIsNotLost() {
    let logits = Tensor([.nan, 1], shape: [2])
    let targets = Tensor([1, 0], shape: [2])
    #expect(logits.binaryCrossEntropy(targets).item.isNaN)
    #expect(logits.focalLoss(targets).item.isNaN)
    #expect(logits.squaredError(targets).item.isNaN)
    #expect(logits.smoothL1(targets).item.isNaN)
    #expect(logits.reshaped([1, 2]).crossEntropy(classes: [0]).item.isNaN)
  }

  @Test func aFocalLossWithoutFocusIsTheLogLoss() {
    let logits = Tensor([-2, -0.5, 0, 1, 3], shape: [5])
    let targets = Tensor([0, 1, 0.3, 0, 1], shape: [5])
    let plain = logits.binaryCrossEntropy(targets, reduction: .none)
    let focal = logits.focalLoss(targets, alpha: nil, gamma: 0, reduction: .none)
    expectClose(focal, plain, tolerance: 1e-6)
  }

  @Test func twoClassesAreABinaryTarget() {
    let logits = Tensor([-2, -0.5, 0, 1, 3], shape: [5])
    let pairs = Tensor(logits.scalars.flatMap { [0, $0] }, shape: [5, 2])
    let classes = [0, 1, 1, 0, 1]
    let targets = Tensor(classes.map { Float($0) }, shape: [5])
    for reduction in LossReduction.allCases {
      let binary = logits.binaryCrossEntropy(
        targets, smoothing: 0.1, positiveWeight: 3, negativeWeight: 0.5, reduction: reduction)
      let two = pairs.crossEntropy(
        classes: classes, smoothing: 0.1, classWeights: [0.5, 3], reduction: reduction)
      // The mean over classes divides by the right classes' weights, 10, not by their number.
      let scale: Float = reduction == .mean ? 5.0 / 10 : 1
      expectClose(two, binary * scale, tolerance: 1e-6)
    }
  }

  @Test func samplesCountByTheirWeights() {
    let logits = Tensor([-2, 1, 3], shape: [3])
    let targets = Tensor([0, 1, 0], shape: [3])
    let weights = Tensor([0, 2, 1], shape: [3])
    let each = logits.binaryCrossEntropy(targets, reduction: .none).scalars
    let mean = logits.binaryCrossEntropy(targets, weights: weights).item
    expectClose([mean], [(2 * each[1] + each[2]) / 3], tolerance: 1e-6)
  }

  @Test func shapesThatDoNotFitStop() async {
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [3]).binaryCrossEntropy(Tensor(zeros: [3, 1]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [3]).squaredError(Tensor(zeros: [1]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3]).crossEntropy(classes: [0, 3])
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2]).focalLoss(Tensor(zeros: [2]), weights: Tensor(zeros: [1]))
    }
  }
}
