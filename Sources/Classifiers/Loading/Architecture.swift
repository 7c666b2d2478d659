/// A network that dfkit can build, by the name that commands and recipes give it.
public enum Architecture: String, Sendable, CaseIterable {
  /// EfficientNet, smallest to largest.
  case efficientNetB0 = "efficientnet-b0"
  case efficientNetB1 = "efficientnet-b1"
  case efficientNetB2 = "efficientnet-b2"
  case efficientNetB3 = "efficientnet-b3"
  case efficientNetB4 = "efficientnet-b4"
  case efficientNetB5 = "efficientnet-b5"
  case efficientNetB6 = "efficientnet-b6"
  case efficientNetB7 = "efficientnet-b7"
  case efficientNetB8 = "efficientnet-b8"
  /// EfficientNet-Lite, smallest to largest.
  case efficientNetLite0 = "efficientnet-lite0"
  case efficientNetLite1 = "efficientnet-lite1"
  case efficientNetLite2 = "efficientnet-lite2"
  case efficientNetLite3 = "efficientnet-lite3"
  case efficientNetLite4 = "efficientnet-lite4"
  /// Xception.
  case xception

  /// An EfficientNet by its member of the family.
  public init(_ variant: EfficientNetVariant) {
    switch variant {
    case .b0: self = .efficientNetB0
    case .b1: self = .efficientNetB1
    case .b2: self = .efficientNetB2
    case .b3: self = .efficientNetB3
    case .b4: self = .efficientNetB4
    case .b5: self = .efficientNetB5
    case .b6: self = .efficientNetB6
    case .b7: self = .efficientNetB7
    case .b8: self = .efficientNetB8
    case .lite0: self = .efficientNetLite0
    case .lite1: self = .efficientNetLite1
    case .lite2: self = .efficientNetLite2
    case .lite3: self = .efficientNetLite3
    case .lite4: self = .efficientNetLite4
    }
  }

  /// The member of the EfficientNet family; nil for Xception.
  public var efficientNet: EfficientNetVariant? {
    EfficientNetVariant.allCases.first { Architecture($0) == self }
  }

  /// The side of the images that the network was designed for.
  public var nativeSize: Int { efficientNet?.nativeSize ?? 299 }
}
