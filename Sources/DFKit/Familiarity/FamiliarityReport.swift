import Classifiers
import DeepfakeCore
import Foundation
import Training

/// What is familiar to a network, and how well that tells the unfamiliar.
package struct FamiliarityReport: Sendable {
  /// A held-out face.
  package struct Face: Sendable {
    package var source: String
    package var label: FaceLabel
    package var measures: TraitValues
    package var parts: Familiarity.Parts

    init(_ seen: SeenFace, _ familiarity: Familiarity) {
      source = seen.sample.familiaritySource
      label = seen.sample.label
      measures = seen.measures
      parts = familiarity.parts(seen.features)
      measures[.features] = parts.distance
    }
  }

  /// How many of some faces are unfamiliar.
  package struct Count: Sendable, Equatable {
    package var faces: Int
    /// Those beyond some limit.
    package var unfamiliar: Int
    /// Those beyond each trait's limit.
    package var traits: [FamiliarityTrait: Int]

    init(_ faces: [Face], _ limits: TraitValues) {
      let beyond = faces.map { limits.traitsBeyond($0.measures) }
      self.faces = faces.count
      unfamiliar = beyond.count { !$0.isEmpty }
      traits = [:]
      for trait in FamiliarityTrait.allCases { traits[trait] = beyond.count { $0.contains(trait) } }
    }
  }

  /// The held-out faces of a source.
  package struct Source: Sendable, Equatable {
    /// The collection.
    package var name: String
    /// Real faces.
    package var real: Int
    /// Fake faces.
    package var fake: Int
    /// Those that are unfamiliar.
    package var count: Count
  }

  /// Damaged copies of held-out faces.
  package struct Damage: Sendable, Equatable {
    /// What was done to them.
    package var damage: CropDamage
    /// Those that are unfamiliar.
    package var count: Count
    /// The area under the ROC curve of telling the copies from the faces as they were, by the
    /// distance of the features.
    package var auc: Double
    /// The same by the first part of the distance alone.
    package var mahalanobisAUC: Double
    /// The same by the second.
    package var residualAUC: Double
  }

  /// Where the weights came from.
  package let weights: String
  /// What the network is and expects of its input.
  package let settings: ClassifierSettings
  /// What goes into the weights.
  package let familiarity: Familiarity
  /// Real and fake faces of the training part that were looked at.
  package let learnedFrom: (real: Int, fake: Int)
  /// Held-out faces by source, in the order of names.
  package let sources: [Source]
  /// Damaged copies by kind.
  package let damages: [Damage]
  /// The held-out faces of which there are copies, as they were.
  package let undamaged: Count

  init(
    weights: String, settings: ClassifierSettings, familiarity: Familiarity,
    learnedFrom: (real: Int, fake: Int), faces: [Face], plain: [Face],
    copies: [(CropDamage, [Face])]
  ) {
    self.weights = weights
    self.settings = settings
    self.familiarity = familiarity
    self.learnedFrom = learnedFrom
    let limits = familiarity.limits
    sources = Dictionary(grouping: faces, by: \.source).sorted { $0.key < $1.key }.map {
      Source(
        name: $0.key, real: $0.value.count { $0.label == .real },
        fake: $0.value.count { $0.label == .fake }, count: Count($0.value, limits))
    }
    undamaged = Count(plain, limits)
    damages = copies.map { damage, found in
      func auc(_ value: (Face) -> Float?) -> Double {
        BinaryMetrics(
          plain.map { Judgement(Double(value($0) ?? .nan), .real) }
            + found.map { Judgement(Double(value($0) ?? .nan), .fake) }
        ).auc
      }
      return Damage(
        damage: damage, count: Count(found, limits), auc: auc { $0.measures[.features] },
        mahalanobisAUC: auc { $0.parts.mahalanobis }, residualAUC: auc { $0.parts.residual })
    }
  }

  /// Writes the weights with what is familiar to them; numbers are stored as they were. The file
  /// appears whole or not at all.
  ///
  /// - Throws: `WeightsError`.
  package func write(_ weights: WeightsSource, to output: URL) throws(WeightsError) {
    var state = try weights.read()
    var metadata = try ModelMetadata(state)
    metadata.describe(settings)
    state.metadata = metadata.entries
    familiarity.write(to: &state)
    try state.write(safetensors: output, dtype: state.precision)
  }
}
