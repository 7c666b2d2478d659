/// The members of the EfficientNet family (Tan and Le 2019): one table of stages, scaled in width
/// and depth.
///
/// EfficientNet-Lite (Google, 2020) is the same table without squeeze and excitation and with ReLU6
/// instead of SiLU. Its stem, its head and the depth of its first and last stages are not scaled.
package enum EfficientNetVariant: String, Sendable, CaseIterable {
  /// The base network B0 and its eight larger versions.
  case b0, b1, b2, b3, b4, b5, b6, b7, b8
  /// The Lite networks, without squeeze and excitation.
  case lite0, lite1, lite2, lite3, lite4

  /// How a member differs from B0: factors of width and depth, input size and dropout.
  struct Scale {
    var width: Double
    var depth: Double
    var nativeSize: Int
    var dropout: Float
  }

  /// The stages of B0, which all members scale.
  static let stages = [
    EfficientNetTable.Stage(repeats: 1, kernel: 3, stride: 1, expansion: 1, channels: 16),
    EfficientNetTable.Stage(repeats: 2, kernel: 3, stride: 2, expansion: 6, channels: 24),
    EfficientNetTable.Stage(repeats: 2, kernel: 5, stride: 2, expansion: 6, channels: 40),
    EfficientNetTable.Stage(repeats: 3, kernel: 3, stride: 2, expansion: 6, channels: 80),
    EfficientNetTable.Stage(repeats: 3, kernel: 5, stride: 1, expansion: 6, channels: 112),
    EfficientNetTable.Stage(repeats: 4, kernel: 5, stride: 2, expansion: 6, channels: 192),
    EfficientNetTable.Stage(repeats: 1, kernel: 3, stride: 1, expansion: 6, channels: 320),
  ]

  /// Whether this is one of the Lite networks.
  package var isLite: Bool {
    switch self {
    case .lite0, .lite1, .lite2, .lite3, .lite4: true
    case .b0, .b1, .b2, .b3, .b4, .b5, .b6, .b7, .b8: false
    }
  }

  var scale: Scale {
    switch self {
    case .b0: Scale(width: 1.0, depth: 1.0, nativeSize: 224, dropout: 0.2)
    case .b1: Scale(width: 1.0, depth: 1.1, nativeSize: 240, dropout: 0.2)
    case .b2: Scale(width: 1.1, depth: 1.2, nativeSize: 260, dropout: 0.3)
    case .b3: Scale(width: 1.2, depth: 1.4, nativeSize: 300, dropout: 0.3)
    case .b4: Scale(width: 1.4, depth: 1.8, nativeSize: 380, dropout: 0.4)
    case .b5: Scale(width: 1.6, depth: 2.2, nativeSize: 456, dropout: 0.4)
    case .b6: Scale(width: 1.8, depth: 2.6, nativeSize: 528, dropout: 0.5)
    case .b7: Scale(width: 2.0, depth: 3.1, nativeSize: 600, dropout: 0.5)
    case .b8: Scale(width: 2.2, depth: 3.6, nativeSize: 672, dropout: 0.5)
    case .lite0: Scale(width: 1.0, depth: 1.0, nativeSize: 224, dropout: 0.2)
    case .lite1: Scale(width: 1.0, depth: 1.1, nativeSize: 240, dropout: 0.2)
    case .lite2: Scale(width: 1.1, depth: 1.2, nativeSize: 260, dropout: 0.3)
    case .lite3: Scale(width: 1.2, depth: 1.4, nativeSize: 280, dropout: 0.3)
    case .lite4: Scale(width: 1.4, depth: 1.8, nativeSize: 300, dropout: 0.3)
    }
  }

  /// The side, in pixels, of the images that the member was designed for.
  package var nativeSize: Int { scale.nativeSize }
  /// The dropout before the classifier with which its authors trained it.
  package var dropout: Float { scale.dropout }

  /// The member's table: B0's, with scaled widths and depths.
  var table: EfficientNetTable {
    let last = Self.stages.count - 1
    let stages = Self.stages.enumerated().map { index, stage in
      var scaled = stage
      scaled.channels = scaledChannels(stage.channels)
      if !isLite || (1..<last).contains(index) {
        scaled.repeats = Int((Double(stage.repeats) * scale.depth).rounded(.up))
      }
      return scaled
    }
    return EfficientNetTable(
      stemChannels: isLite ? 32 : scaledChannels(32), stages: stages,
      headChannels: isLite ? 1280 : scaledChannels(1280), nativeSize: nativeSize,
      activation: isLite ? .relu6 : .silu, squeezes: !isLite)
  }

  /// B0's number of channels, scaled to this member and rounded to a multiple of 8. Rounding down
  /// takes away less than a tenth.
  private func scaledChannels(_ channels: Int) -> Int {
    let scaled = Double(channels) * scale.width
    let rounded = max(8, Int(scaled + 4) / 8 * 8)
    return Double(rounded) < 0.9 * scaled ? rounded + 8 : rounded
  }
}
