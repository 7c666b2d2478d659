import Classifiers
import Foundation

/// The measured traits of a held-out face.
package struct MeasuredFace: Sendable {
  /// The collection that the face is from.
  package var source: String
  /// The value of each trait.
  package var measures: TraitValues

  package init(source: String, measures: TraitValues) {
    self.source = source
    self.measures = measures
  }
}

extension TraitValues {
  /// The smallest number of faces from which a source gets a limit of its own. Smaller sources are
  /// pooled. If even the pool is smaller than this, it is left out, unless there is no other
  /// source.
  package static let fewestFaces = 20
  /// The largest fraction of the faces of any source that may be beyond the limit of a picture
  /// trait.
  package static let pictureShare = 0.005
  /// If more than this fraction of a source's faces is grey, grey pictures count as familiar.
  package static let greyShare = 0.05

  /// Limits computed from held-out faces.
  ///
  /// *Features*: at most `refused` of the faces are beyond this or another limit, with all sources
  /// weighing the same, and at most twice that fraction of any single source, as far as the other
  /// limits allow. A limit computed from all faces together would follow the largest source and
  /// could refuse half of a small source that the network knows as well.
  ///
  /// *Picture traits*: at most half a percent of any source is beyond the limit. The source with
  /// the most extreme faces sets the limit, because pictures that the network has seen in one
  /// source are familiar to it.
  ///
  /// *Grey pictures* are left out before the limit of chroma is computed. Most collections have a
  /// few, too few to learn from, but with them no picture would be unfamiliar for lack of colour.
  /// If they are more than a twentieth of a source, they count as familiar and there is no limit of
  /// chroma.
  package init(heldOut faces: [MeasuredFace], refused: Double) {
    self.init()
    let small = Dictionary(grouping: faces, by: \.source).filter {
      $0.value.count < Self.fewestFaces
    }
    let all = Dictionary(grouping: faces) { small[$0.source] == nil ? $0.source : "" }.values
    let large = all.filter { $0.count >= Self.fewestFaces }
    let sources = large.isEmpty ? Array(all) : large
    // Features come last, because faces refused by other limits count too.
    for trait in FamiliarityTrait.allCases.filter({ $0 != .features }) + [.features] {
      let sign: Float = trait.limitIsHighest ? 1 : -1
      var values: [[Float]] = []
      var isKnownGrey = false
      for source in sources {
        let grey = source.count { ($0.measures[.chroma] ?? 0) < TraitValues.greyChroma }
        if Double(grey) > Self.greyShare * Double(source.count) { isKnownGrey = true }
        let colored =
          trait == .chroma
          ? source.filter { ($0.measures[.chroma] ?? 0) >= TraitValues.greyChroma } : source
        let own = colored.compactMap { face -> Float? in
          let isRefused = trait == .features && !traitsBeyond(face.measures).isEmpty
          return face.measures[trait].map { isRefused ? .infinity : $0 * sign }
        }.sorted()
        if !own.isEmpty { values.append(own) }
      }
      guard !values.isEmpty, !(trait == .chroma && isKnownGrey) else { continue }
      let limit: Float
      if trait == .features {
        limit = max(
          Self.pooledQuantile(values, share: refused),
          values.map { Self.quantile($0, share: 2 * refused) }.max() ?? 0)
      } else {
        limit = values.map { Self.quantile($0, share: Self.pictureShare) }.max() ?? 0
      }
      self[trait] = limit * sign
    }
  }

  /// The lowest value such that at most the fraction `share` of the sorted values is above it. If
  /// that value is infinite, the highest finite one.
  private static func quantile(_ sorted: [Float], share: Double) -> Float {
    let value = sorted[max(0, sorted.count - 1 - Int(share * Double(sorted.count)))]
    return value.isFinite ? value : sorted.last(where: \.isFinite) ?? 0
  }

  /// The same over several lists, each of which weighs the same.
  private static func pooledQuantile(_ lists: [[Float]], share: Double) -> Float {
    let all = lists.flatMap { list in
      list.map { (value: $0, weight: 1 / Double(list.count * lists.count)) }
    }.sorted { $0.value > $1.value }
    var above = 0.0
    for item in all {
      above += item.weight
      if item.value.isFinite, above > share + 1e-9 { return item.value }
    }
    return all.last?.value ?? 0
  }
}
