import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Distances against numpy's (`Fixtures/make_familiarity.py`), and what limits make of them.
@Suite struct FamiliarityTests {
  struct Golden: Decodable {
    struct Case: Decodable {
      var name: String
      var dimensions: Int
      var features: [[Float]]
      var isFake: [Bool]
      var points: [[Float]]
      var mahalanobis: [Float]
      var residual: [Float]
    }

    struct Picture: Decodable {
      var width: Int
      var height: Int
      var sharpness: Float
      var chroma: Float
      var speckle: Float
      var colors: Int
    }

    var cases: [Case]
    var picture: Picture

    static func read() throws -> Golden {
      try JSONDecoder().decode(
        Golden.self, from: Data(contentsOf: Paths.fixture("familiarity.json")))
    }
  }

  @Test func distancesAreNumpys() throws {
    let cases = try Golden.read().cases
    #expect(cases.count == 3)
    for golden in cases {
      let familiarity = try Familiarity.fitted(
        to: golden.features, isFake: golden.isFake, dimensions: golden.dimensions)
      #expect(familiarity.dimensions == golden.dimensions)
      let parts = golden.points.map { familiarity.parts($0) }
      expectClose(
        parts.map(\.mahalanobis), golden.mahalanobis, tolerance: 2e-4, "\(golden.name) inside")
      // Where all directions are kept, what is left is rounding by a tiny mean.
      if golden.dimensions < golden.features[0].count {
        expectClose(
          parts.map(\.residual), golden.residual, tolerance: 2e-4, "\(golden.name) outside")
      }
      for (point, part) in zip(golden.points, parts) {
        #expect(familiarity.distance(point) == (part.mahalanobis + part.residual) / 2)
      }
    }
  }

  /// Far from both classes is far, along a direction that is kept and across those.
  @Test func strangersAreFar() throws {
    var generator = SeededGenerator(seed: 7)
    let faces = (0..<400).map { index in
      (0..<10).map { Float($0 < 3 ? 3 : 0.3) * generator.normal() + (index % 2 == 0 ? 1 : -1) }
    }
    let familiarity = try Familiarity.fitted(
      to: faces, isFake: faces.indices.map { $0 % 2 == 0 }, dimensions: 3)
    let usual = faces.map { familiarity.distance($0) }.sorted()
    #expect(usual[200] > 0.5 && usual[200] < 1.5)
    var along = [Float](repeating: 0, count: 10)
    along[0] = 30
    var across = [Float](repeating: 0, count: 10)
    across[8] = 8
    #expect(familiarity.distance(along) > usual[399])
    #expect(familiarity.distance(across) > usual[399])
  }

  @Test func whatCannotBeFittedIsSaid() {
    let few = (0..<10).map { [Float($0), 1] }
    #expect(throws: FamiliarityError.tooFew(real: 9, fake: 1)) {
      try Familiarity.fitted(to: few, isFake: few.indices.map { $0 == 0 })
    }
    let halves = (0..<20).map { $0 % 2 == 0 }
    #expect(throws: FamiliarityError.degenerate) {
      try Familiarity.fitted(to: halves.map { _ in [1, 2] }, isFake: halves)
    }
    #expect(throws: FamiliarityError.degenerate) {
      try Familiarity.fitted(to: halves.map { $0 ? [1, .nan] : [2, 3] }, isFake: halves)
    }
    for error: FamiliarityError in [
      .tooFew(real: 9, fake: 1), .degenerate, .algebra(.noConvergence),
    ] {
      #expect(!error.description.isEmpty)
    }
  }

  @Test func limitsHaveSides() {
    var limits = TraitValues()
    (limits[.size], limits[.speckle]) = (60, 0.05)
    var face = TraitValues()
    #expect(limits.traitsBeyond(face).isEmpty)
    (face[.size], face[.speckle], face[.chroma]) = (60, 0.05, 0)
    #expect(limits.traitsBeyond(face).isEmpty)
    (face[.size], face[.speckle]) = (59, 0.06)
    #expect(limits.traitsBeyond(face) == [.size, .speckle])
    var other = face
    (other[.size], other[.sharpness]) = (100, 4)
    let median = TraitValues.median(of: [other, face, other])
    #expect(median[.size] == 100 && median[.sharpness] == 4 && median[.features] == nil)
    #expect(Set(FamiliarityTrait.allCases.map(\.words)).count == FamiliarityTrait.allCases.count)
  }

  @Test func picturesAreMeasuredAsNumpyDoes() throws {
    let golden = try Golden.read().picture
    let count = golden.width * golden.height * 3
    let image = Image(
      width: golden.width, height: golden.height,
      pixels: Formula.uniform("picture", count: count).map { UInt8($0 * 90 + 60) })
    expectClose(
      [image.laplacianVariance, image.meanChroma, image.speckle(step: 4)],
      [golden.sharpness, golden.chroma, golden.speckle], tolerance: 1e-4)
    #expect(image.colorsOnGrid(8) == golden.colors)
    let measures = TraitValues(picture: image, fitted: image, side: 200)
    #expect(measures[.size] == 200 && measures[.sharpness] == image.laplacianVariance)
    #expect((measures[.colors] ?? 0) > 300 && measures[.features] == nil)
  }

  @Test func greyAndTinyPicturesAreMeasuredToo() {
    let grey = Image(width: 9, height: 7) { $0.update(repeating: 90) }
    let measures = TraitValues(picture: grey, fitted: grey)
    #expect(measures[.size] == 9 && measures[.colors] == nil)
    #expect((measures[.chroma] ?? 1) < 1e-4 && (measures[.sharpness] ?? 1) < 1e-6)
    #expect(measures[.speckle] == 0)
    let dot = Image(width: 1, height: 2, pixels: [1, 2, 3, 200, 100, 0])
    let small = TraitValues(picture: dot, fitted: dot)
    #expect(small[.sharpness] == 0 && small[.speckle] == 0 && small[.colors] == 2)
  }
}
