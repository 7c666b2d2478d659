import Foundation

/// The random number generator SplitMix64 (Steele, Lea and Flood 2014). The same seed gives the
/// same numbers on every platform.
///
/// ```swift
/// var generator = SeededGenerator(seed: 1)
/// let rows = Tensor.normal(shape: [4, 3], using: &generator)
/// let die = Int.random(in: 1...6, using: &generator)
/// ```
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Creates a generator; the same seed gives the same sequence.
  public init(seed: UInt64) {
    state = seed
  }

  /// Creates a generator for one of many purposes that share a seed. `label`, such as a layer's key
  /// or a file's path, is mixed in by FNV-1a.
  public init(seed: UInt64, label: String) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    var mixer = SeededGenerator(seed: seed)
    state = mixer.next() ^ hash
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A uniform random number in [0, 1).
  public mutating func uniform() -> Float {
    Float(next() >> 40) / Float(1 << 24)
  }

  /// A standard normal random number, by the Box-Muller method.
  public mutating func normal() -> Float {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}

extension Tensor {
  /// A tensor of independent normal elements with mean 0 and standard deviation `deviation`.
  public static func normal(
    shape: [Int], deviation: Float = 1, using generator: inout SeededGenerator
  ) -> Tensor {
    Tensor(shape: shape) { buffer in
      for i in buffer.indices { buffer[i] = generator.normal() * deviation }
    }
  }

  /// A tensor of independent uniform elements in `range`.
  public static func uniform(
    shape: [Int], in range: Range<Float> = 0..<1, using generator: inout SeededGenerator
  ) -> Tensor {
    let width = range.upperBound - range.lowerBound
    return Tensor(shape: shape) { buffer in
      for i in buffer.indices { buffer[i] = range.lowerBound + width * generator.uniform() }
    }
  }
}
