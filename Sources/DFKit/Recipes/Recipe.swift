import Classifiers
import DeepfakeCore
import FaceDetect
import Training

/// How a verdict is reached: which frames, which detector, which crops, which networks, and how
/// their scores become one. Made in code or read from a YAML file, whose keys these properties are
/// (see `Docs/Formats.md`).
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
  /// One line about it.
  public var description: String = ""
  /// Frames looked at in a video, evenly spread.
  public var frames: Int = 25
  /// How faces are found.
  public var detector = Detector()
  /// Which of them are judged.
  public var faces = Faces()
  /// How they are cut out.
  public var crop = Crop()
  /// How the people in a video make its verdict.
  public var people = People()
  /// The networks, each with a name of its own.
  public var members: [Member]
  /// How scores become one.
  public var aggregation = Aggregation()
  /// What a probability is called.
  public var verdict = Decision()
  /// How the members are trained that do not say otherwise; nil where the recipe does not say.
  public var training: TrainingOptions?

  /// A recipe with the defaults of the built-in one.
  public init(name: String, members: [Member]) {
    self.name = name
    self.members = members
  }
}

extension Recipe {
  /// How faces are found in a frame.
  public struct Detector: Sendable, Equatable {
    /// The detectors that a recipe can name.
    public enum Kind: String, Sendable, CaseIterable {
      /// RetinaFace (Deng et al. 2019).
      case retinaface
      /// MTCNN (Zhang et al. 2016).
      case mtcnn
    }

    /// A detector with what it alone has to set.
    public enum Method: Sendable, Equatable {
      /// RetinaFace. `threshold` is the lowest score of a face, `nms` the overlap (IoU) from which
      /// the lesser of two boxes is dropped.
      case retinaface(threshold: Float = 0.5, nms: Float = 0.4)
      /// MTCNN. `thresholds` are the lowest scores that its three networks take for a face,
      /// `factor` is the size of a level of its image pyramid as a part of the one before.
      case mtcnn(thresholds: [Float] = [0.6, 0.7, 0.7], factor: Float = 0.709)
    }

    /// The detector and its own settings.
    public var method: Method = .retinaface()
    /// Which detector it is; another one begins with its usual settings.
    public var kind: Kind {
      get { method.kind }
      set { if newValue != kind { method = newValue.method } }
    }
    /// The name of weights that ship, or the path of a file; nil: those that are given or fetched,
    /// else those that ship.
    public var weights: String?
    /// The factor by which a frame is scaled before detection. With `auto`, frames in which no face
    /// is found are looked at again at full size (`FaceSearch`).
    public var frameScale: FrameScale = 0.5
    /// The smallest side of a face, in pixels of the frame; nil for the detector's own: none for
    /// RetinaFace, 20 pixels of the scaled frame for MTCNN.
    public var minFace: Float?

    /// RetinaFace on frames of half the size.
    public init() {}
  }

  /// Which faces are judged.
  public struct Faces: Sendable, Equatable {
    /// What ranks the faces of a frame.
    public enum Choice: String, Sendable, CaseIterable {
      /// The detector's score.
      case score
      /// The area of the box.
      case size
    }

    /// Faces judged in each frame, best first.
    public var perFrame: Int = 8
    /// What best means.
    public var choose: Choice = .score
    /// Frames with a face, whosever, that a verdict on a video needs; fewer where fewer were
    /// decoded.
    public var minFrames: Int = 1

    /// The values that hold where a recipe says nothing.
    public init() {}
  }

  /// How the people in a video make its verdict.
  public struct People: Sendable, Equatable {
    /// The rules that a recipe can name.
    public enum Rule: String, Sendable, CaseIterable {
      /// The highest probability of a person.
      case highest
      /// The probability of the person with the largest face, by the median area of its boxes.
      case largest
      /// The mean of the people's probabilities.
      case mean
      /// All judged faces as if they were one person's.
      case together

      /// The rule over people; nil for `together`, which does without them.
      public var rule: (any PeopleRule)? {
        switch self {
        case .highest: HighestPersonRule()
        case .largest: LargestPersonRule()
        case .mean: MeanPersonRule()
        case .together: nil
        }
      }
    }

    /// Whose probability becomes that of the file.
    public var verdict: Rule = .highest
    /// Frames in which a person must be judged to get a verdict; fewer where fewer were decoded.
    public var minFrames: Int = 3
    /// Frames in which a person must be judged to count for the video's verdict, as a part of those
    /// of the person judged most: a picture in the background, or what is no face, does not decide.
    public var minShare: Float = 0.25

    /// The values that hold where a recipe says nothing.
    public init() {}
  }

  /// The member of that name, or of that number from 1; the only one if there is one and nil is
  /// asked for.
  ///
  /// - Throws: `RecipeError` that lists the members.
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

  /// How a member is trained: as it says, or as the recipe says, or as is usual.
  public func training(of member: Member) -> TrainingOptions {
    member.training ?? training ?? TrainingOptions()
  }

  /// Changes the rule over people. Where faces were judged together so far, a recipe may have kept
  /// few of a frame's; a rule over people gets them all, up to 100.
  public mutating func judgePeople(by rule: People.Rule) {
    if people.verdict == .together, rule != .together { faces.perFrame = 100 }
    people.verdict = rule
  }

  /// Changes how scores become one, over frames and members alike; what members count is dropped.
  public mutating func aggregate(by aggregator: AggregatorName) {
    aggregation.frames = aggregator
    aggregation.models = aggregator
    for index in members.indices { members[index].weight = nil }
  }

  /// Drops what was fitted to the scores of certain weights: what members count, the calibration
  /// and the undecided range.
  public mutating func forgetCalibration() {
    for index in members.indices { members[index].weight = nil }
    aggregation.calibration = nil
    verdict.undecided = nil
  }

  /// How a face is cut out of the full-resolution frame.
  public struct Crop: Sendable, Equatable {
    /// The shapes of crops.
    public enum Shape: String, Sendable, CaseIterable {
      /// As wide as high, by the longer side of the box.
      case square
      /// Turned upright by the landmarks, so that eyes and mouth have one place in every crop.
      case aligned
      /// As wide as high, around the middle between eyes and mouth and as large as these say
      /// (`FaceFraming`), not turned: what `framing` shows in training.
      case framed
    }

    /// How the crop lies on the face.
    public var shape: Shape = .square
    /// What is added on every side, as a fraction of the box's longer side; of an aligned crop, as
    /// a fraction of the side of the square that `FaceAlignment` fits to the face.
    public var margin: Float = 0.15

    /// The values that hold where a recipe says nothing.
    public init() {}
  }

  /// One network of the ensemble.
  ///
  /// The settings of `network` can be read and changed as if they were the member's own, as in
  /// `member.size = 224`.
  @dynamicMemberLookup
  public struct Member: Sendable, Equatable {
    /// The name, by which weights are given and scores reported.
    public var name: String
    /// One line about it.
    public var description: String = ""
    /// The kind of network, as `efficientnet-lite0`.
    public var architecture: Architecture {
      didSet { network.architecture = architecture.rawValue }
    }
    /// Input size, normalisation and what else is known of the network. A setting that is nil is
    /// taken from the weights file, or else from the scheme.
    public internal(set) var network = NetworkSettings()
    /// The name of weights that ship, or the path of a file, for when none are given; nil where
    /// some must be.
    public var weights: String?
    /// What the member counts in `aggregation.models`, where another counts 1; nil for 1.
    public var weight: Float?
    /// The rate of dropout before the last layer, in training.
    public var dropout: Float?
    /// The probability that the last block is skipped for an image in training; earlier blocks' are
    /// proportionally smaller.
    public var stochasticDepth: Float?
    /// How the member is trained: the recipe's training with the member's own words put over it;
    /// nil where it has none.
    public var training: TrainingOptions?

    /// A member.
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

  /// What a probability is called.
  public struct Decision: Sendable, Equatable {
    /// Probabilities too close to one half to be called fake or real, both ends included; nil where
    /// all are called one or the other. Where the recipe does not say, that is so with calibrated
    /// scores only (`Recipe.noteCalibration`).
    public var undecided: ClosedRange<Float>?
    /// Whether the recipe says `undecided: none`: all scores are called one or the other,
    /// calibrated or not.
    public var callsAll = false
    /// Whether a calibration, the recipe's or each of the members' own, makes probabilities of the
    /// scores; nil as long as the weights are not known. No recipe's file says it.
    public var isCalibrated: Bool?

    /// What is left undecided of scores that are not calibrated, unless the recipe says otherwise:
    /// what 0.58 means there, nobody has measured.
    public static let uncalibratedRange: ClosedRange<Float> = 0.4...0.6

    /// What becomes of faces that are unlike those that the networks learned from.
    public enum Unfamiliar: String, Sendable, CaseIterable {
      /// The verdict is undecided.
      case refuse
      /// The verdict stands, and it is said.
      case note
      /// Nobody asks.
      case ignore
    }

    /// What becomes of people and files whose faces are mostly unlike those learned from, as far as
    /// the members' weights say what that is (`Familiarity`).
    public var unfamiliar = Unfamiliar.refuse

    /// The default: no calibrated probability is undecided, and unfamiliar faces are.
    public init() {}
  }

  /// How scores become one.
  public struct Aggregation: Sendable, Equatable {
    /// Over the frames of one member.
    public var frames: AggregatorName = .mean
    /// Over the members; `mean` and `mean-logit` count each by its weight.
    public var models: AggregatorName = .mean
    /// What makes the common score of a person, or of a file whose faces are judged together, a
    /// probability.
    public var calibration: LogitCalibration?
    /// What the final probability is held in; nil: it stays as it is.
    public var clip: ClosedRange<Float>? = 0.01...0.99

    /// The values that hold where a recipe says nothing.
    public init() {}
  }
}
