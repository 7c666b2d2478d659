import Classifiers
import DeepfakeCore
import Foundation
import Measures

/// Which faces are familiar to a network, and how well the limits detect damaged ones.
package struct FamiliarityReport: Sendable {
  /// A held-out face and its measured traits.
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

  /// The number of unfamiliar faces among some faces.
  package struct Count: Sendable, Equatable {
    package var faces: Int
    /// The number of faces beyond at least one limit.
    package var unfamiliar: Int
    /// The number of faces beyond each trait's limit.
    package var traits: [FamiliarityTrait: Int]

    init(_ faces: [Face], _ limits: TraitValues) {
      let beyond = faces.map { limits.traitsBeyond($0.measures) }
      self.faces = faces.count
      unfamiliar = beyond.count { !$0.isEmpty }
      traits = [:]
      for trait in FamiliarityTrait.allCases { traits[trait] = beyond.count { $0.contains(trait) } }
    }
  }

  /// The counts of the held-out faces of one source.
  package struct Source: Sendable, Equatable {
    /// The collection.
    package var name: String
    /// The number of real faces.
    package var real: Int
    /// The number of fake faces.
    package var fake: Int
    /// How many of them are unfamiliar.
    package var count: Count
  }

  /// The counts of copies with one kind of damage.
  package struct Damage: Sendable, Equatable {
    /// The kind of damage.
    package var damage: CropDamage
    /// How many of the copies are unfamiliar.
    package var count: Count
    /// The area under the ROC curve for telling the copies from the undamaged faces by the distance
    /// of the features.
    package var auc: Double
    /// The same by the Mahalanobis part of the distance alone.
    package var mahalanobisAUC: Double
    /// The same by the residual part of the distance alone.
    package var residualAUC: Double
  }

  /// The name of the weights.
  package let weights: String
  /// The network and its input format.
  package let settings: ClassifierSettings
  /// The fitted means, covariance and limits, which are written into the weights.
  package let familiarity: Familiarity
  /// The number of real and fake faces of the training part that were used.
  package let learnedFrom: (real: Int, fake: Int)
  /// The held-out faces by source, sorted by name.
  package let sources: [Source]
  /// The damaged copies by kind of damage.
  package let damages: [Damage]
  /// The held-out faces that were copied, before damage.
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

  /// Writes the weights with the familiarity in them. The network's tensors are unchanged. If
  /// writing fails, no partial file is left.
  ///
  /// - Throws: `WeightsError` if the weights cannot be read or written.
  package func write(_ weights: WeightsSource, to output: URL) throws(WeightsError) {
    var state = try weights.read()
    var metadata = try ModelMetadata(state)
    metadata.describe(settings)
    state.metadata = metadata.entries
    familiarity.write(to: &state)
    try state.write(safetensors: output, dtype: state.precision)
  }
}
