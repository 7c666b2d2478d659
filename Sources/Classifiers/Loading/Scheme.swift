/// Whose checkpoint it is: the names of its keys, and what the network it came from does that the
/// weights alone do not tell.
public enum Scheme: String, Sendable, CaseIterable {
  /// timm's `efficientnet_bN` (symmetric padding) and `legacy_xception`; also what dfkit writes. An
  /// Xception's classifier may be called `last_linear`, and its 1x1 convolutions may be matrices.
  case timm
  /// timm's `tf_efficientnet_bN` and `tf_efficientnet_liteN`: the same keys, TensorFlow's padding.
  case timmTF = "timm-tf"
  /// torchvision's `efficientnet_bN`.
  case torchvision
  /// lukemelas's EfficientNet-PyTorch, and the Lite networks of the package
  /// efficientnet-lite-pytorch.
  case lukemelas
  /// The winner of the DFDC (github.com/selimsef/dfdc_deepfake_challenge). Crops smaller than its
  /// input are enlarged bilinearly here, where its authors took cubic interpolation.
  case selimsef
  /// Bonettini et al. 2020 (github.com/polimi-ispl/icpr2020dfdc), EfficientNet without attention and
  /// Xception.
  case icpr2020dfdc
  /// Self-blended images (Shiohara and Yamasaki 2022, github.com/mapooon/SelfBlendedImages).
  case sbi

  /// Whether the scheme has networks of that architecture.
  public func covers(_ architecture: Architecture) -> Bool {
    guard let variant = architecture.efficientNet else {
      return self == .timm || self == .icpr2020dfdc
    }
    return switch self {
    case .timm, .timmTF, .lukemelas: true
    case .icpr2020dfdc, .selimsef, .sbi: !variant.isLite
    case .torchvision: !variant.isLite && variant != .b8
    }
  }

  /// How the network's convolutions treat the border.
  public var padding: PaddingMode {
    switch self {
    case .timm, .torchvision: .symmetric
    case .timmTF, .selimsef: .sameFromInput
    case .lukemelas, .icpr2020dfdc, .sbi: .sameFromNativeSize
    }
  }

  /// What the network's batch norms add to the variance.
  public func batchNormEpsilon(_ architecture: Architecture) -> Float {
    guard let variant = architecture.efficientNet else { return 1e-5 }
    switch self {
    case .timm: return 1e-5
    case .torchvision: return variant.rawValue < EfficientNetVariant.b5.rawValue ? 1e-5 : 1e-3
    case .timmTF, .lukemelas, .selimsef, .icpr2020dfdc, .sbi: return 1e-3
    }
  }

  /// How faces were shown to the network in training.
  public func input(_ architecture: Architecture) -> InputSpec {
    switch self {
    case .selimsef: InputSpec(size: 380, fit: .letterbox)
    case .icpr2020dfdc: InputSpec(size: 224)
    case .sbi: InputSpec(size: 380, mean: [0, 0, 0], std: [1, 1, 1])
    case .timm, .timmTF, .torchvision, .lukemelas:
      switch architecture.efficientNet {
      case nil:
        InputSpec(size: architecture.nativeSize, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])
      case .some(let variant) where variant.isLite && self != .timm:
        // TensorFlow's: (x - 127) / 128.
        InputSpec(
          size: variant.nativeSize, mean: [Float](repeating: 127.0 / 255, count: 3),
          std: [Float](repeating: 128.0 / 255, count: 3))
      case .some(let variant): InputSpec(size: variant.nativeSize)
      }
    }
  }
}
