/// The factor by which a frame is scaled before face detection.
///
/// ```swift
/// var options = RetinaFace.Options()
/// options.frameScale = 0.5
/// options.frameScale = .auto
/// ```
public enum FrameScale: Sendable, Equatable {
  /// The same factor for frames of every size; above 0.
  case factor(Float)
  /// One half, limited so that the scaled longer side lies in `autoSides`. Smaller frames are not
  /// enlarged. `Docs/Detectors.md` gives the reasons.
  case auto

  /// The range of the longer side, in pixels, after scaling by `auto`: half of 1280x720 to half of
  /// 1920x1080.
  public static let autoSides: ClosedRange<Float> = 640...960

  /// The factors that recipes and options accept.
  public static let factors: ClosedRange<Float> = 0.05...4

  /// The factor for a frame of that size in pixels.
  public func factor(width: Int, height: Int) -> Float {
    switch self {
    case .factor(let factor): factor
    case .auto: Self.autoFactor(Float(max(1, width, height)))
    }
  }

  /// The factor for a second detection in a frame where `auto` gave no face. It is at least the
  /// first factor: 1, or less so that the longer side has at most `closestSide` pixels.
  public static func closerFactor(width: Int, height: Int) -> Float {
    min(1, closestSide / Float(max(1, width, height)))
  }

  /// The longer side, in pixels, above which frames are scaled down for a second detection. It
  /// limits time and memory. A face too small to find at this size has at most about 20 pixels in a
  /// frame twice as large.
  public static let closestSide: Float = 1920

  private static func autoFactor(_ side: Float) -> Float {
    min(1, min(max(side / 2, autoSides.lowerBound), autoSides.upperBound) / side)
  }

  /// Whether the factor is positive and finite.
  var isUsable: Bool {
    switch self {
    case .factor(let factor): factor > 0 && factor.isFinite
    case .auto: true
    }
  }
}

extension FrameScale: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// Creates a fixed factor.
  public init(floatLiteral value: Float) { self = .factor(value) }
  /// Creates a fixed factor.
  public init(integerLiteral value: Int) { self = .factor(Float(value)) }
}

extension FrameScale: LosslessStringConvertible {
  /// Parses a number, which may lie outside of `factors`, or `auto`; nil for any other text.
  public init?(_ description: String) {
    if description == "auto" {
      self = .auto
    } else if let factor = Float(description) {
      self = .factor(factor)
    } else {
      return nil
    }
  }

  /// Whether it is `auto` or lies in `factors`.
  public var isAllowed: Bool {
    switch self {
    case .factor(let factor): Self.factors.contains(factor)
    case .auto: true
    }
  }

  /// The number or `auto`, as written in options and recipes.
  public var description: String {
    switch self {
    case .factor(let factor): "\(factor)"
    case .auto: "auto"
    }
  }
}
