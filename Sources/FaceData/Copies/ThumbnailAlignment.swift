import CDFKernels

/// Where one picture lies in another.
package struct CopyPlacement: Sendable, Equatable {
  /// The extent of the second picture's content in the first, 1 where they are cut alike.
  package var scale: Float
  /// How far to the right the second's middle lies in the first, as a share of the extent.
  package var right: Float
  /// How far down.
  package var down: Float
  /// Whether the second is mirrored.
  package var isMirrored: Bool

  /// A placement; that of a picture in itself unless told otherwise.
  package init(
    scale: Float = 1, right: Float = 0, down: Float = 0, isMirrored: Bool = false
  ) {
    self.scale = scale
    self.right = right
    self.down = down
    self.isMirrored = isMirrored
  }
}

/// Lays thumbnails over each other: a small search over scale, shift and mirror for the highest
/// correlation.
struct ThumbnailAlignment {
  /// The best place that was found.
  struct Match: Sendable {
    var placement: CopyPlacement
    var correlation: Float
  }

  private static let side = Fingerprint.thumbnailSide
  /// Copies are cut and scaled by no more than this, with room for what measuring is off.
  private static let scales: ClosedRange<Float> = 0.74...1.36
  private static let mostShift: Float = 0.2
  /// The share of the picture that both must show.
  private static let least: Float = 0.45

  let thumbnails: UnsafePointer<UInt8>

  /// The correlation of the two where one is laid, of their detail alone where told.
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

  /// The best placement near one with the correlation of the detail there, where the correlation of
  /// all is at least `hopeful` to begin with.
  func refined(
    _ first: Int, _ second: Int, from start: CopyPlacement, hopeful: Float
  ) -> Match? {
    guard var best = climbed(first, second, from: start, hopeful: hopeful) else { return nil }
    best.correlation = correlation(first, second, best.placement, onlyDetail: true)
    return best
  }

  /// The best placement near one by the correlation of all.
  private func climbed(
    _ first: Int, _ second: Int, from start: CopyPlacement, hopeful: Float
  ) -> Match? {
    var best = Match(placement: start, correlation: correlation(first, second, start))
    guard best.correlation >= hopeful else { return nil }
    // Sure already: nothing to gain.
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
      // What a first step does not bring near is no copy.
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

  /// The best placement of any that copies have: a coarse grid, the best of which are refined.
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
