import DeepfakeCore
import Foundation

/// Parameter values computed from names, the same in every language, so that golden vectors need no
/// weight files: value = f(name, flat index in PyTorch's layout).
public enum Formula {
  /// Uniform values in [0, 1): SplitMix64 from FNV-1a of the name, 24 bits each.
  public static func uniform(_ name: String, count: Int) -> [Double] {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    var generator = SeededGenerator(seed: hash)
    return (0..<count).map { _ in Double(generator.next() >> 40) / Double(1 << 24) }
  }

  /// Values of a parameter in file layout, by the role that its key's last part and rank give.
  public static func values(_ key: String, shape: [Int], varianceScale: Double) -> [Float] {
    let u = uniform(key, count: shape.reduce(1, *))
    let leaf = key.split(separator: ".").last.map(String.init) ?? key
    if leaf == "num_batches_tracked" { return u.map { _ in 0 } }
    if leaf == "running_mean" { return u.map { Float(($0 - 0.5) * 0.2) } }
    if leaf == "running_var" { return u.map { Float(varianceScale * (1 + 2 * $0)) } }
    if shape.count >= 2 {
      let fanIn = Double(shape.dropFirst().reduce(1, *))
      let scale = 2 * (3 * 1.6 / fanIn).squareRoot()
      return u.map { Float(($0 - 0.5) * scale) }
    }
    if leaf.hasPrefix("weight") { return u.map { Float(0.75 + 0.5 * $0) } }
    return u.map { Float(($0 - 0.5) * 0.2) }
  }

  /// An NHWC input in [-2, 2).
  public static func image(_ name: String, batch: Int, height: Int, width: Int) -> Tensor {
    let u = uniform(name, count: batch * height * width * 3)
    return Tensor(u.map { Float(($0 - 0.5) * 4) }, shape: [batch, height, width, 3])
  }
}
