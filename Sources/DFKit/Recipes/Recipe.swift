import Classifiers
import DeepfakeCore
import FaceDetect
import Training

/// The settings that lead from a file to a verdict: frames, detector, crops, networks, and the
/// combination of their scores. Made in code or read from a YAML file whose keys are these
/// properties (see `Docs/Formats.md`).
///
/// ```swift
/// var recipe = try Recipe.named("default")  // or a file of one's own: Recipe(contentsOf: file)
/// recipe.frames = 50
/// recipe.people.verdict = .mean
/// print(recipe.members.map(\.name))
/// ```
public struct Recipe: Sendable, Equatable {
  /// The recipe's name.
  public var name: String
  /// A description in one line.
  public var description: String = ""
  /// The number of frames of a video that are used, evenly spread.
  public var frames: Int = 25
  /// The face detector and its settings.
  public var detector = Detector()
  /// Which of the detected faces are scored.
  public var faces = Faces()
  /// How the faces are cut out of the frame.
  public var crop = Crop()
  /// How the verdicts on people lead to the verdict on a video.
  public var people = People()
  /// The networks. Each has a unique name.
  public var members: [Member]
  /// How scores are combined into one probability.
  public var aggregation = Aggregation()
  /// How a probability becomes a verdict.
  public var verdict = Decision()
  /// The training of members that have none of their own; nil: the defaults.
  public var training: TrainingOptions?

  /// A recipe with the defaults of the built-in one.
  public init(name: String, members: [Member]) {
    self.name = name
    self.members = members
  }
}

extension Recipe {
  /// The face detector and its settings.
  public struct Detector: Sendable, Equatable {
    /// A kind of detector, identified by the name of its registered family (`DetectorFamilies`).
    public struct Kind: RawRepresentable, Sendable, Hashable, CaseIterable {
      /// RetinaFace (Deng et al. 2019).
      public static let retinaface = Kind(family: "retinaface")
      /// MTCNN (Zhang et al. 2016).
      public static let mtcnn = Kind(family: "mtcnn")

      /// The name in recipes and commands.
      public let rawValue: String

      private init(family name: String) { rawValue = name }

      /// The kind of that name; nil if no family with it is registered.
      public init?(rawValue: String) {
        guard DetectorFamilies.named(rawValue) != nil else { return nil }
        self.init(family: rawValue)
      }

      /// The kinds of all registered families.
      public static var allCases: [Kind] { DetectorFamilies.all.map { Kind(family: $0.name) } }
    }

    /// A detector with the settings that only it has.
    public enum Method: Sendable, Equatable {
      /// RetinaFace. `threshold` is the lowest score of a face. Of two boxes whose overlap (IoU) is
      /// above `nms`, the one with the lower score is dropped.
      case retinaface(threshold: Float = 0.5, nms: Float = 0.4)
      /// MTCNN. `thresholds` are the lowest scores of a face in its three networks. `factor` is the
      /// size of each level of its image pyramid relative to the level before.
      case mtcnn(thresholds: [Float] = [0.6, 0.7, 0.7], factor: Float = 0.709)
      /// A detector of a family that a program registered. `threshold` is the lowest score of a
      /// face; nil: the family's default.
      case other(Kind, threshold: Float? = nil)
    }

    /// The detector and its own settings.
    public var method: Method = .retinaface()
    /// The kind of detector. Setting another kind resets `method` to the defaults of that kind.
    public var kind: Kind {
      get { method.kind }
      set { if newValue != kind { method = newValue.method } }
    }
    /// The name of weights that ship, or the path of a file. Nil: weights that the caller gives,
    /// else fetched weights, else those that ship.
    public var weights: String?
    /// The factor by which a frame is scaled before detection. With `auto`, frames without a
    /// detected face can be searched again at full size (`FaceSearch`).
    public var frameScale: FrameScale = 0.5
    /// The smallest side of a face, in pixels of the frame. Nil: no limit for RetinaFace, 20 pixels
    /// of the scaled frame for MTCNN.
    public var minFace: Float?

    /// RetinaFace on frames scaled to half their size.
    public init() {}
  }

  /// Which of the detected faces are scored.
  public struct Faces: Sendable, Equatable {
    /// How the faces of a frame are ranked.
    public enum Choice: String, Sendable, CaseIterable {
      /// By the detector's score, highest first.
      case score
      /// By the area of the box, largest first.
      case size
    }

    /// The largest number of faces that are scored in each frame.
    public var perFrame: Int = 8
    /// How the faces of a frame are ranked.
    public var choose: Choice = .score
    /// The number of frames with a face, of any person, that a verdict on a video needs. Never more
    /// than the number of decoded frames.
    public var minFrames: Int = 1

    /// The defaults: up to 8 faces in each frame, by score.
    public init() {}
  }

  /// How the verdicts on people lead to the verdict on a video.
  public struct People: Sendable, Equatable {
    /// The rules that a recipe can name.
    public enum Rule: String, Sendable, CaseIterable {
      /// The highest probability of any person.
      case highest
      /// The probability of the person with the largest face, by the median area of its boxes.
      case largest
      /// The mean of the people's probabilities.
      case mean
      /// All scored faces, as if they were one person's.
      case together

      /// The rule that combines people; nil for `together`, which does not use people.
      public var rule: (any PeopleRule)? {
        switch self {
        case .highest: HighestPersonRule()
        case .largest: LargestPersonRule()
        case .mean: MeanPersonRule()
        case .together: nil
        }
      }
    }

    /// The rule for the probability of the file.
    public var verdict: Rule = .highest
    /// The number of frames in which a person must be scored to get a verdict. Never more than the
    /// number of decoded frames.
    public var minFrames: Int = 3
    /// The number of frames in which a person must be scored to count for the video's verdict, as a
    /// fraction of the frames of the person scored most. It keeps pictures in the background and
    /// false detections from deciding the verdict.
    public var minShare: Float = 0.25

    /// The defaults: the highest probability of a person, who needs 3 frames.
    public init() {}
  }

  /// The member with this name, or with this number from 1. If `name` is nil, the only member.
  ///
  /// - Throws: `RecipeError`, which lists the members, if there is no such member or no single one.
  public func member(_ name: String?) throws(RecipeError) -> Member {
    if let name {
      if let member = members.first(where: { $0.name == name }) { return member }
      if let number = Int(name), members.indices.contains(number - 1) { return members[number - 1] }
    } else if members.count == 1 {
      return members[0]
    }
    let list = members.enumerated().map { "\($0.offset + 1) \($0.element.name)" }
    throw RecipeError(
      file: self.name,
      problem: (name.map { "has no member '\($0)'" } ?? "has several members; name one")
        + ": \(list.joined(separator: ", "))")
  }

  /// The training of a member: its own, else the recipe's, else the defaults.
  public func training(of member: Member) -> TrainingOptions {
    member.training ?? training ?? TrainingOptions()
  }

  /// Changes the rule over people. If faces were scored together before, the recipe may have
  /// limited them to a few in each frame; the limit is then raised to 100, so that all people are
  /// scored.
  public mutating func judgePeople(by rule: People.Rule) {
    if people.verdict == .together, rule != .together { faces.perFrame = 100 }
    people.verdict = rule
  }

  /// Uses the same aggregator over frames and over members. The members' weights are removed.
  public mutating func aggregate(by aggregator: AggregatorName) {
    aggregation.frames = aggregator
    aggregation.models = aggregator
    for index in members.indices { members[index].weight = nil }
  }

  /// Removes all settings that were fitted to the scores of certain weights: the members' weights,
  /// the calibration and the undecided range.
  public mutating func forgetCalibration() {
    for index in members.indices { members[index].weight = nil }
    aggregation.calibration = nil
    verdict.undecided = nil
  }

  /// How a face is cut out of the full-resolution frame.
  public struct Crop: Sendable, Equatable {
    /// The shapes of crops.
    public enum Shape: String, Sendable, CaseIterable {
      /// A square around the box, with the box's longer side.
      case square
      /// Rotated and scaled by the landmarks, so that eyes and mouth are at the same place in every
      /// crop.
      case aligned
      /// A square around the middle between eyes and mouth, with a size computed from their
      /// distance (`FaceFraming`). Not rotated. Training shows such crops with the augmentation
      /// `framing`.
      case framed
    }

    /// The shape of the crop.
    public var shape: Shape = .square
    /// The margin on every side, as a fraction of the box's longer side. For an aligned crop, as a
    /// fraction of the side of the square that `FaceAlignment` fits to the face.
    public var margin: Float = 0.15

    /// The defaults: square, with a margin of 0.15.
    public init() {}
  }

  /// One network of the ensemble.
  ///
  /// The settings of `network` can be read and changed as if they were the member's own, as in
  /// `member.size = 224`.
  @dynamicMemberLookup
  public struct Member: Sendable, Equatable {
    /// The unique name, used in `MEMBER=FILE` arguments and reports.
    public var name: String
    /// A description in one line.
    public var description: String = ""
    /// The kind of network, as `efficientnet-lite0`.
    public var architecture: Architecture {
      didSet { network.architecture = architecture.rawValue }
    }
    /// Input size, normalisation and other settings of the network. Nil settings are taken from
    /// the weights file, or else from the scheme's defaults.
    public internal(set) var network = NetworkSettings()
    /// The name of weights that ship, or the path of a file, for use when the caller gives none.
    /// Nil: the caller must give weights.
    public var weights: String?
    /// The weight of the member in `aggregation.models`; nil: 1.
    public var weight: Float?
    /// The rate of dropout before the last layer, in training.
    public var dropout: Float?
    /// The probability that the last block is skipped for an image in training (stochastic depth).
    /// For earlier blocks it is proportionally smaller.
    public var stochasticDepth: Float?
    /// The training of the member: the recipe's training, with the member's own settings replacing
    /// some. Nil: the member has no settings of its own.
    public var training: TrainingOptions?

    /// A member with defaults for all other properties.
    public init(name: String, architecture: Architecture) {
      self.name = name
      self.architecture = architecture
      network.architecture = architecture.rawValue
    }

    /// The key scheme and preprocessing of the weights file; nil: told from the file.
    public var scheme: Scheme? {
      get { network.scheme.flatMap(Scheme.init) }
      set { network.scheme = newValue?.rawValue }
    }

    /// Whether the member judges the mean of a face and its mirror image.
    public var isMirrored: Bool {
      get { network.isMirrored ?? false }
      set { network.isMirrored = newValue ? true : nil }
    }

    /// A setting of the network.
    public subscript<Value>(
      dynamicMember path: WritableKeyPath<NetworkSettings, Value>
    ) -> Value {
      get { network[keyPath: path] }
      set { network[keyPath: path] = newValue }
    }
  }

  /// How a probability becomes a verdict.
  public struct Decision: Sendable, Equatable {
    /// Probabilities that are undecided, both ends included; nil: all are called fake or real. If
    /// the recipe does not set it, `uncalibratedRange` is undecided when the scores are not
    /// calibrated (`Recipe.noteCalibration`).
    public var undecided: ClosedRange<Float>?
    /// Whether the recipe says `undecided: none`: all probabilities are called fake or real,
    /// calibrated or not.
    public var hasNoUndecidedRange = false
    /// Whether the recipe or each of its members' weights has a calibration, so that scores are
    /// probabilities. Nil until the weights are known. Not part of a recipe's file.
    public var isCalibrated: Bool?

    /// The range left undecided when scores are not calibrated and the recipe sets none: it is
    /// unknown what such a score near 0.5 means.
    public static let uncalibratedRange: ClosedRange<Float> = 0.4...0.6

    /// What happens if faces are unlike the training data of the networks.
    public enum Unfamiliar: String, Sendable, CaseIterable {
      /// The verdict is undecided.
      case refuse
      /// The verdict stands, and reports say that the faces are unfamiliar.
      case note
      /// Familiarity is not measured.
      case ignore
    }

    /// What happens with people and files most of whose faces are unlike the training data. Applies
    /// to members whose weights contain a familiarity (`Familiarity`).
    public var unfamiliar = Unfamiliar.refuse

    /// The defaults: calibrated probabilities are never undecided, and unfamiliar faces are
    /// refused.
    public init() {}
  }

  /// How scores are combined into one probability.
  public struct Aggregation: Sendable, Equatable {
    /// Combines the frame scores of one member.
    public var frames: AggregatorName = .mean
    /// Combines the scores of the members. `mean` and `mean-logit` use the members' weights.
    public var models: AggregatorName = .mean
    /// The calibration of the combined score of a person, or of a file whose faces are scored
    /// together. Nil: the score is not changed.
    public var calibration: LogitCalibration?
    /// The range to which the final probability is clipped; nil: no clipping.
    public var clip: ClosedRange<Float>? = 0.01...0.99

    /// The defaults: means over frames and members, clipped to 0.01...0.99.
    public init() {}
  }
}
