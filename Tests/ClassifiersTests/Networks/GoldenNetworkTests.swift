import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// The networks against timm's, torchvision's and lukemelas's, with weights that each side computes
/// from the published keys (`Fixtures/make_networks.py`).
@Suite(.serialized) struct GoldenNetworkTests {
  /// An entry of `Fixtures/networks.json`.
  struct Entry: Decodable {
    var source: String
    var model: String
    var groups: Int
    var size: Int
    var batch: Int
    var classes: Int
    var input: String
    var varianceScale: Double
    var features: [Float]
    var logits: [Float]
  }

  /// An entry of the reference vectors, all of one logit and, where grouped, of eight groups.
  struct ReferenceEntry: Decodable {
    var implementation: String
    var model: String
    var norm: String
    var size: Int
    var batch: Int
    var input: String
    var variance_scale: Double
    var features_sample: [Float]
    var logits: [Float]
  }

  static let small = (try? decode([Entry].self, Paths.fixture("networks.json"))) ?? []
  static let reference = ["efficientnet.json", "xception.json"].flatMap {
    (try? decode([ReferenceEntry].self, Paths.reference("vectors/\($0)"))) ?? []
  }

  static func decode<T: Decodable>(_ type: T.Type, _ file: URL) throws -> T {
    try JSONDecoder().decode(type, from: Data(contentsOf: file))
  }

  /// The settings of a published model.
  func settings(source: String, model: String, groups: Int, classes: Int) throws
    -> ClassifierSettings
  {
    let scheme =
      model.hasPrefix("tf_") ? Scheme.timmTF : try #require(Scheme(rawValue: source))
    // What stands behind a slash are the stages that are there.
    let parts = model.split(separator: "/")
    let name = try #require(parts.first)
    let architecture =
      try name == "legacy_xception"
      ? .xception : #require(Architecture(rawValue: "efficientnet-\(Self.member(name))"))
    var settings = ClassifierSettings(
      architecture, scheme: scheme,
      norm: groups > 0 ? .group(groups: groups, epsilon: 1e-5) : nil, classCount: classes)
    settings.stages = parts.count > 1 ? Int(parts[1]) : nil
    return settings
  }

  /// `b0` or `lite0` at the end of a model's name.
  private static func member(_ name: Substring) -> Substring {
    name.suffix(name.contains("lite") ? 5 : 2)
  }

  @Test func thereAreVectors() {
    #expect(Self.small.count == 22)
  }

  @Test(arguments: small.indices) func smallNetworksAgree(_ index: Int) throws {
    let entry = Self.small[index]
    try GoldenVector(
      name: entry.input,
      settings: settings(
        source: entry.source, model: entry.model, groups: entry.groups, classes: entry.classes),
      varianceScale: entry.varianceScale, size: entry.size, batch: entry.batch,
      features: entry.features, logits: entry.logits
    ).check(plain: true)
  }

  @Test(.enabled(if: Paths.hasReference)) func thereAreReferenceVectors() {
    #expect(Self.reference.count == 12)
  }

  @Test(.enabled(if: Paths.hasReference), arguments: reference.indices)
  func fullNetworksAgree(_ index: Int) throws {
    let entry = Self.reference[index]
    try GoldenVector(
      name: entry.input,
      settings: settings(
        source: entry.implementation, model: entry.model, groups: entry.norm == "group" ? 8 : 0,
        classes: 1),
      varianceScale: entry.variance_scale, size: entry.size, batch: entry.batch,
      features: entry.features_sample, logits: entry.logits
    ).check(plain: entry.model.hasSuffix("b0") || entry.model == "legacy_xception")
  }
}
