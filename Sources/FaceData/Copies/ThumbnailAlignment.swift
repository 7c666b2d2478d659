import CDFKernels

/// The position of one picture in another.
package struct CopyPlacement: Sendable, Equatable {
  /// Size of the second picture's content in the first; 1 if both show the same extent.
  package var scale: Float
  /// Offset of the second picture's middle to the right in the first, as a fraction of the side.
  package var right: Float
  /// Offset downwards, as a fraction of the side.
  package var down: Float
  /// Whether the second is mirrored.
  package var isMirrored: Bool

  /// A placement; by default that of a picture in itself.
  package init(
    scale: Float = 1, right: Float = 0, down: Float = 0, isMirrored: Bool = false
  ) {
    self.scale = scale
    self.right = right
    self.down = down
    self.isMirrored = isMirrored
  }
}

/// Aligns thumbnails: a small search over scale, shift and mirroring for the highest correlation.
struct ThumbnailAlignment {
  /// The best placement that was found.
  struct Match: Sendable {
    var placement: CopyPlacement
    var correlation: Float
  }

  private static let side = Fingerprint.thumbnailSide
  /// Limits of scale and shift of copies, with some room for measuring errors.
  private static let scales: ClosedRange<Float> = 0.74...1.36
  private static let mostShift: Float = 0.2
  /// Minimum fraction of the picture in which both must overlap.
  private static let least: Float = 0.45

  let thumbnails: UnsafePointer<UInt8>

  /// Correlation of two thumbnails in a placement, on request of their detail only.
  private func correlation(
    _ first: Int, _ second: Int, _ place: CopyPlacement, onlyDetail: Bool = false
  ) -> Float {
    let side = Float(Self.side)
    return df_u8_placed_correlation(
      Self.side, thumbnails + first * Fingerprint.thumbnailCount,
      thumbnails + second * Fingerprint.thumbnailCount,
      df_placement(
        scale: place.scale, right: place.right * side, down: place.down * side,
        mirrored: place.isMirrored), Self.least, onlyDetail)
  }

  /// The best placement near `start`, with the correlation of the detail there. Nil if the full
  /// correlation at `start` is below `hopeful`, or soon turns out too low for a copy.
  func refined(
    _ first: Int, _ second: Int, from start: CopyPlacement, hopeful: Float
  ) -> Match? {
    guard var best = climbed(first, second, from: start, hopeful: hopeful) else { return nil }
    best.correlation = correlation(first, second, best.placement, onlyDetail: true)
    return best
  }

  /// Climbs from `start` to the best placement by the full correlation.
  private func climbed(
    _ first: Int, _ second: Int, from start: CopyPlacement, hopeful: Float
  ) -> Match? {
    var best = Match(placement: start, correlation: correlation(first, second, start))
    guard best.correlation >= hopeful else { return nil }
    // A near-perfect match needs no search.
    if best.correlation > 0.995 { return best }
    var (shift, growth): (Float, Float) = (0.04, 0.05)
    for _ in 0..<4 {
      var improved = true
      var rounds = 0
      while improved, rounds < 3 {
        improved = false
        rounds += 1
        for place in Self.around(best.placement, shift: shift, growth: growth) {
          let found = correlation(first, second, place)
          if found > best.correlation {
            best = Match(placement: place, correlation: found)
            improved = true
          }
        }
      }
      // A pair that is still below 0.85 after a step is no copy.
      if best.correlation < 0.85 { return nil }
      shift /= 2
      growth /= 2
    }
    return best
  }

  private static func around(
    _ place: CopyPlacement, shift: Float, growth: Float
  ) -> [CopyPlacement] {
    var places: [CopyPlacement] = []
    for (scale, right, down): (Float, Float, Float) in [
      (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1), (1, 0, 0), (-1, 0, 0),
    ] {
      var moved = place
      moved.scale *= 1 + scale * growth
      moved.right += right * shift
      moved.down += down * shift
      if scales.contains(moved.scale), abs(moved.right) <= mostShift, abs(moved.down) <= mostShift {
        places.append(moved)
      }
    }
    return places
  }

  /// The best placement of all that copies may have: the three best of a coarse grid are refined.
  func searched(_ first: Int, _ second: Int, hopeful: Float) -> Match? {
    var found: [Match] = []
    for isMirrored in [false, true] {
      for scale: Float in [0.8, 0.9, 1, 1.12, 1.25] {
        for right in -2...2 {
          for down in -2...2 {
            let place = CopyPlacement(
              scale: scale, right: Float(right) * 0.05, down: Float(down) * 0.05,
              isMirrored: isMirrored)
            found.append(Match(placement: place, correlation: correlation(first, second, place)))
          }
        }
      }
    }
    found.sort { $0.correlation > $1.correlation }
    var best: Match?
    for start in found.prefix(3) {
      guard let match = refined(first, second, from: start.placement, hopeful: hopeful) else {
        break
      }
      if match.correlation > best?.correlation ?? -1 { best = match }
    }
    return best
  }
}
