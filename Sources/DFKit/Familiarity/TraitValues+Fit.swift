import Classifiers
import Foundation

/// A face that was held out, and what was measured of it.
package struct MeasuredFace: Sendable {
  /// The collection that it is from.
  package var source: String
  /// Its measures, trait by trait.
  package var measures: TraitValues

  /// A face of a collection.
  package init(source: String, measures: TraitValues) {
    self.source = source
    self.measures = measures
  }
}

extension TraitValues {
  /// Faces of a source that a limit of its own is made from; smaller sources are taken together,
  /// and left out where they still are fewer and there are others.
  package static let fewestFaces = 20
  /// The part of the faces of any one source that may be beyond the limit of a measure of the
  /// picture.
  package static let pictureShare = 0.005
  /// The part of the faces of a source that must not be grey for grey pictures to count as unknown.
  package static let greyShare = 0.05

  /// The limits that held-out faces give.
  ///
  /// *Features*: at most `refused` of the faces are beyond this or another limit when sources count
  /// equally, and at most twice that of any one source, as far as other limits allow. A limit by
  /// all faces alone would be that of the largest source, and could refuse half of a small one that
  /// the network knows as well.
  ///
  /// *Measures of the picture*: at most a half percent of any source. The source with the most
  /// extreme faces sets the limit: what the network has learned from in one source is known to it.
  ///
  /// *Grey pictures* are left out first. A few are in most collections, too few to learn from, and
  /// with them no picture would be unknown for having no colour. Where they are more than a
  /// twentieth of a source, they are known, and there is no limit of chroma.
  package init(heldOut faces: [MeasuredFace], refused: Double) {
    self.init()
    let small = Dictionary(grouping: faces, by: \.source).filter {
      $0.value.count < Self.fewestFaces
    }
    let all = Dictionary(grouping: faces) { small[$0.source] == nil ? $0.source : "" }.values
    let large = all.filter { $0.count >= Self.fewestFaces }
    let sources = large.isEmpty ? Array(all) : large
    // Last: what other limits refuse counts too.
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

  /// The lowest of the sorted values that at most `share` of them are above; the highest finite one
  /// where too many are infinite.
  private static func quantile(_ sorted: [Float], share: Double) -> Float {
    let value = sorted[max(0, sorted.count - 1 - Int(share * Double(sorted.count)))]
    return value.isFinite ? value : sorted.last(where: \.isFinite) ?? 0
  }

  /// The same over lists that weigh the same each.
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
