import DFKit
import Testing

/// Limits out of held-out faces, and the copies that they are tried on.
@Suite struct FamiliarityLimitsTests {
  private func face(
    _ source: String, features: Float = 1, chroma: Float = 20, size: Float = 200
  ) -> MeasuredFace {
    var measures = TraitValues()
    (measures[.features], measures[.chroma], measures[.size]) = (features, chroma, size)
    return MeasuredFace(source: source, measures: measures)
  }

  private func refused(_ limits: TraitValues, _ faces: [MeasuredFace]) -> Int {
    faces.count { !limits.traitsBeyond($0.measures).isEmpty }
  }

  @Test func noSourceIsRefusedMoreThanItsShare() {
    let large = (0..<1000).map { face("large", features: Float($0) / 1000) }
    let strange = (0..<100).map { face("strange", features: 10 + Float($0) / 100) }
    let limits = TraitValues(heldOut: large + strange, refused: 0.025)
    // Sources counting equally: a twentieth of the strange ones is a fortieth of all.
    #expect(limits[.features] == 10 + Float(94) / 100)
    #expect(refused(limits, strange) == 5 && refused(limits, large) == 0)
    // A limit by the large source alone.
    let own = TraitValues(heldOut: large, refused: 0.025)
    #expect(refused(own, large) == 25)
    #expect(own[.sharpness] == nil)
  }

  @Test func whatOtherLimitsRefuseCounts() {
    // One in a hundred is grey; of the others, one is refused for its features. Of four, none more
    // is.
    for (every, expected) in [(100, 2), (25, 4)] {
      let faces = (0..<100).map { face("a", features: Float($0), chroma: $0 % every == 0 ? 0 : 20) }
      let limits = TraitValues(heldOut: faces, refused: 0.025)
      #expect(limits[.chroma] == 20)
      #expect(refused(limits, faces) == expected)
    }
  }

  @Test func greyIsUnknownUnlessThereIsMuchOfIt() {
    let few = (0..<100).map { face("a", chroma: $0 < 5 ? 0.1 : 10 + Float($0)) }
    #expect(TraitValues(heldOut: few, refused: 0.025)[.chroma] == 15)
    let many = (0..<100).map { face("a", chroma: $0 < 6 ? 0.1 : 10 + Float($0)) }
    #expect(TraitValues(heldOut: many, refused: 0.025)[.chroma] == nil)
  }

  @Test func theSmallestFacesOfASourceSetTheLimit() {
    let large = (0..<300).map { face("large", size: 300 + Float($0)) }
    let small = (0..<400).map { face("small", size: 50 + Float($0)) }
    // Half a percent of 400 are two faces.
    #expect(TraitValues(heldOut: large + small, refused: 0.025)[.size] == 52)
    // Three faces are not a source.
    let tiny = (0..<3).map { face("tiny\($0)", size: 1) }
    #expect(TraitValues(heldOut: large + small + tiny, refused: 0.025)[.size] == 52)
    #expect(TraitValues(heldOut: tiny, refused: 0.025)[.size] == 1)
    #expect(TraitValues(heldOut: [], refused: 0.025) == TraitValues())
  }

  @Test func copiesAreDamaged() {
    var generator = SeededGenerator(seed: 5)
    let picture = Image(width: 80, height: 64) { pixels in
      for i in pixels.indices {
        let smooth = 60 + (i / 3) % 80 + (i % 3) * 20
        pixels[i] = UInt8(smooth) + UInt8(truncatingIfNeeded: generator.next() % 8)
      }
    }
    func measures(_ image: Image) -> TraitValues {
      TraitValues(picture: image, fitted: image)
    }
    let plain = measures(picture)
    for damage in CropDamage.allCases {
      let copy = damage(picture)
      let after = measures(copy)
      switch damage {
      case .grey: #expect(after[.chroma] ?? 9 < 0.01 && after[.colors] == nil)
      case .gif: #expect(after[.colors] ?? 999 <= 256 && (plain[.colors] ?? 0) > 500)
      case .blurred: #expect((after[.sharpness] ?? 0) * 2 < plain[.sharpness] ?? 0)
      case .shrunk: #expect(copy.width == 20 && copy.height == 16 && after[.size] == 20)
      case .jpeg: #expect(copy.width == 80 && copy != picture)
      }
      #expect(!damage.words.isEmpty)
    }
  }

  @Test func palettesAreSmallAndDitheringKeepsTheMean() {
    let ramp = Image(width: 64, height: 64) { pixels in
      for i in pixels.indices { pixels[i] = UInt8((i / 3) % 64 * 4) }
    }
    let two = ramp.dithered(colors: 2)
    #expect(two.colorsOnGrid(64) == 2)
    func mean(_ image: Image) -> Int {
      image.pixels.reduce(0) { $0 + Int($1) } / image.pixels.count
    }
    #expect(abs(mean(two) - mean(ramp)) < 6)
    #expect(two.speckle(step: 4) > 0.02 && ramp.speckle(step: 4) == 0)
    let flat = Image(width: 5, height: 5) { $0.update(repeating: 7) }
    #expect(flat.dithered(colors: 256) == flat)
  }
}
