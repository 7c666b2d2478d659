/// Conversions between Float32 and the two 16-bit formats, on bit patterns. `Float16` does not
/// exist on every platform, and bfloat16 on none.
enum HalfPrecision {
  /// The exact value of an IEEE half, including subnormals, infinities and NaN.
  @inline(__always)
  static func float(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    if exponent == 0 {
      // Zero or subnormal: fraction * 2^-24.
      let magnitude = Float(fraction) * 0x1p-24
      return Float(bitPattern: magnitude.bitPattern | sign)
    }
    if exponent == 0x1F { return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13) }
    return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }

  /// The exact value of a bfloat16.
  @inline(__always)
  static func float(bfloat bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  /// The nearest half; ties go to even. From 65520 on the result is infinity; NaN stays NaN.
  @inline(__always)
  static func half(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 {
      return sign | 0x7E00 | UInt16(truncatingIfNeeded: magnitude >> 13) & 0x3FF
    }
    // 65520 is the midpoint between the largest half and the next value that would follow.
    if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
    if magnitude < 0x3880_0000 {
      // Below the smallest normal half, halves are multiples of 2^-24. After adding 0.5, the last
      // bit of the float has that value, so the addition itself rounds to nearest even.
      let rounded = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: rounded.bitPattern &- 0x3F00_0000)
    }
    let tie = (magnitude >> 13) & 1
    let rounded = magnitude &- (112 << 23) &+ 0xFFF &+ tie
    return sign | UInt16(truncatingIfNeeded: rounded >> 13)
  }

  /// The nearest bfloat16; ties go to even, NaN stays NaN.
  @inline(__always)
  static func bfloat(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if bits & 0x7FFF_FFFF > 0x7F80_0000 { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    let tie = (bits >> 16) & 1
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ tie) >> 16)
  }
}
