import DeepfakeCore
import FaceDetect
import Foundation

/// The loss of RetinaFace (Deng et al. 2019, without dense regression), as biubug6 computes it. It
/// is a sum of the cross-entropy of face anchors and of the hardest background anchors, and of
/// smooth L1 losses of boxes and landmarks. Each is divided by the number of anchors with a face.
package struct MultiBoxLoss: Sendable {
  /// Assigns faces to anchors.
  package var matching = AnchorMatching()
  /// Number of background anchors that count in a picture, for each anchor with a face. Those with
  /// the largest loss are chosen.
  package var negativesPerPositive = 7
  /// Minimum number of background anchors that count in a picture, so pictures without faces
  /// contribute too. The published loss has 0.
  package var fewestNegatives = 0
  /// The fraction of the background anchors that are chosen by the largest loss. The others are
  /// spread evenly over all losses. The published loss has 1.
  package var hardness: Float = 1
  /// Weight of the box loss.
  package var boxWeight: Float = 2
  /// Weight of the landmark loss. The published loss has 1.
  package var landmarkWeight: Float = 1

  /// The published loss.
  package init() {}

  /// The terms of the loss, before their weights are applied.
  package struct Parts: Sendable, Equatable {
    /// Cross-entropy.
    package var classes: Float
    /// Smooth L1 of the boxes.
    package var boxes: Float
    /// Smooth L1 of the landmarks.
    package var landmarks: Float
  }

  /// The loss of a batch, a scalar, and its terms.
  ///
  /// - Parameter scenes: The scenes of the batch, in order. A face without five landmarks has no
  ///   landmark loss.
  package func callAsFunction(
    _ output: RetinaFaceOutput, scenes: [DetectionScene]
  ) -> (loss: Tensor, parts: Parts) {
    let logits = output.logits
    precondition(
      logits.shape[0] == scenes.count,
      "MultiBoxLoss: \(scenes.count) scenes do not fit logits \(logits.shape)")
    let difference = logits.slice(axis: 2, 1..<2) - logits.slice(axis: 2, 0..<1)
    let targets = Targets(self, output.grid, scenes, difference)
    let classes = difference.binaryCrossEntropy(
      targets.classes, weights: targets.classWeights, reduction: .sum)
    let boxes = output.boxes.smoothL1(
      targets.boxes, weights: targets.boxWeights, reduction: .sum)
    let landmarks = output.landmarks.smoothL1(
      targets.landmarks, weights: targets.landmarkWeights, reduction: .sum)
    return (
      classes + boxes * boxWeight + landmarks * landmarkWeight,
      Parts(classes: classes.item, boxes: boxes.item, landmarks: landmarks.item)
    )
  }

  /// The targets of a batch's outputs and their weights. The weights are already divided by the
  /// number of anchors with a face.
  private struct Targets {
    /// [images, anchors, 1]: 1 for a face, 0 for background.
    var classes, classWeights: Tensor
    /// [images, anchors, 4].
    var boxes, boxWeights: Tensor
    /// [images, anchors, 10].
    var landmarks, landmarkWeights: Tensor

    init(
      _ loss: MultiBoxLoss, _ grid: AnchorGrid, _ scenes: [DetectionScene], _ difference: Tensor
    ) {
      let count = grid.count
      let assignments = Parallel.map(scenes.count) { index in
        let scene = scenes[index]
        return loss.matching.assignments(
          of: grid, faces: scene.faces.map(\.box), ignored: scene.ignored)
      }
      let differences = difference.detached.scalars
      let chosen = Parallel.map(scenes.count) { index in
        loss.counted(
          assignments[index], differences[index * count..<(index + 1) * count])
      }
      var (positives, marked) = (0, 0)
      for (scene, assignments) in zip(scenes, assignments) {
        for case .face(let number) in assignments {
          positives += 1
          if scene.faces[number].landmarks.count == 5 { marked += 1 }
        }
      }
      let (weight, markedWeight) = (1 / Float(max(positives, 1)), 1 / Float(max(marked, 1)))
      classWeights = Tensor(chosen.joined().map { $0 ? weight : 0 }, shape: difference.shape)
      var classes = [Float](repeating: 0, count: scenes.count * count)
      var (boxes, boxWeights) = (
        [Float](repeating: 0, count: classes.count * 4),
        [Float](repeating: 0, count: classes.count * 4)
      )
      var (landmarks, landmarkWeights) = (
        [Float](repeating: 0, count: classes.count * 10),
        [Float](repeating: 0, count: classes.count * 10)
      )
      for (image, scene) in scenes.enumerated() {
        var start = image * count
        var inImage = 0
        for level in grid.levels {
          for index in 0..<level.count {
            guard case .face(let number) = assignments[image][inImage + index] else { continue }
            let (face, anchor, place) = (scene.faces[number], level[index], start + index)
            classes[place] = 1
            for (offset, value) in anchor.outputs(of: face.box).enumerated() {
              boxes[4 * place + offset] = value
              boxWeights[4 * place + offset] = weight
            }
            guard face.landmarks.count == 5 else { continue }
            for (offset, value) in anchor.outputs(of: face.landmarks).enumerated() {
              landmarks[10 * place + offset] = value
              landmarkWeights[10 * place + offset] = markedWeight
            }
          }
          start += level.count
          inImage += level.count
        }
      }
      self.classes = Tensor(classes, shape: difference.shape)
      let images = [scenes.count, count]
      self.boxes = Tensor(boxes, shape: images + [4])
      self.boxWeights = Tensor(boxWeights, shape: images + [4])
      self.landmarks = Tensor(landmarks, shape: images + [10])
      self.landmarkWeights = Tensor(landmarkWeights, shape: images + [10])
    }
  }

  /// Whether each anchor of a picture counts in the cross-entropy: all anchors with a face, and the
  /// background anchors that look most like a face.
  private func counted(
    _ assignments: [AnchorMatching.Assignment], _ differences: ArraySlice<Float>
  ) -> [Bool] {
    var counts = [Bool](repeating: false, count: assignments.count)
    var background: [Int] = []
    var positives = 0
    for (anchor, assignment) in assignments.enumerated() {
      switch assignment {
      case .face:
        counts[anchor] = true
        positives += 1
      case .background: background.append(anchor)
      case .ignored: break
      }
    }
    let wanted = min(
      max(negativesPerPositive * positives, fewestNegatives), assignments.count - 1)
    let first = differences.startIndex
    let hardest = background.sorted {
      let (a, b) = (differences[first + $0], differences[first + $1])
      return a != b ? a > b : $0 < $1
    }
    let hard = min(hardest.count, Int((Float(wanted) * hardness).rounded()))
    for anchor in hardest.prefix(hard) { counts[anchor] = true }
    let others = hardest.dropFirst(hard)
    let rest = min(wanted - hard, others.count)
    for place in 0..<rest { counts[others[hard + place * others.count / rest]] = true }
    return counts
  }
}
