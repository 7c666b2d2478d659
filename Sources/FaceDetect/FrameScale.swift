/// The factor by which a frame is scaled before faces are looked for in it.
///
/// ```swift
/// var options = RetinaFace.Options()
/// options.frameScale = 0.5
/// options.frameScale = .auto
/// ```
public enum FrameScale: Sendable, Equatable {
  /// One factor for frames of every size; above 0.
  case factor(Float)
  /// Half, but so that the longer side has no fewer and no more pixels than `autoSides`; smaller
  /// frames stay as they are. `Docs/Detectors.md` says why.
  case auto

  /// What `auto` makes the longer side of a frame, in pixels: half of 1280x720 to half of
  /// 1920x1080.
  public static let autoSides: ClosedRange<Float> = 640...960

  /// The factors that recipes and options may name.
  public static let factors: ClosedRange<Float> = 0.05...4

  /// The factor for a frame of some pixels.
  public func factor(width: Int, height: Int) -> Float {
    switch self {
    case .factor(let factor): factor
    case .auto: Self.autoFactor(Float(max(1, width, height)))
    }
  }

  /// The factor for a second look at a frame in which `auto` showed no face, always at least that
  /// of the first: 1, but so that the longer side has no more pixels than `closestSide`.
  public static func closerFactor(width: Int, height: Int) -> Float {
    min(1, closestSide / Float(max(1, width, height)))
  }

  /// The longer side of the largest frames that a second look is taken at, in pixels. It bounds
  /// time and memory; a face that is too small there has no more than some 20 pixels of a frame
  /// twice as large.
  public static let closestSide: Float = 1920

  private static func autoFactor(_ side: Float) -> Float {
    min(1, min(max(side / 2, autoSides.lowerBound), autoSides.upperBound) / side)
  }

  /// Whether a frame can be scaled by it.
  var isUsable: Bool {
    switch self {
    case .factor(let factor): factor > 0 && factor.isFinite
    case .auto: true
    }
  }
}

extension FrameScale: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// A factor.
  public init(floatLiteral value: Float) { self = .factor(value) }
  /// A factor.
  public init(integerLiteral value: Int) { self = .factor(Float(value)) }
}

extension FrameScale: LosslessStringConvertible {
  /// A number, which may be out of `factors`, or `auto`; nil for any other text.
  public init?(_ description: String) {
    if description == "auto" {
      self = .auto
    } else if let factor = Float(description) {
      self = .factor(factor)
    } else {
      return nil
    }
  }

  /// Whether it is `auto`, or among the `factors`.
  public var isAllowed: Bool {
    switch self {
    case .factor(let factor): Self.factors.contains(factor)
    case .auto: true
    }
  }

  /// The number, or `auto`: as options and recipes have it.
  public var description: String {
    switch self {
    case .factor(let factor): "\(factor)"
    case .auto: "auto"
    }
  }
}
