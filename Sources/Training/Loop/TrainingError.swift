import DeepfakeCore

/// Why training could not begin or go on. The description names what, the cause and the way out.
public enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// An option, or a combination of them, makes no sense.
  case unusable(problem: String)
  /// The folder has a run in it already.
  case folderInUse(folder: String)
  /// There is nothing to go on from.
  case nothingToResume(folder: String)
  /// The state that a run would go on from is damaged.
  case damaged(file: String, reason: String)
  /// The run to go on with was begun with something else.
  case changed(folder: String, differences: [Difference])
  /// A file of the run cannot be written.
  case unwritable(file: String, reason: String)
  /// The disk has too little room for the run's files.
  case diskTooSmall(folder: String, needed: Int, free: Int)
  /// The loss or a gradient is not a finite number.
  case diverged(Divergence)
  /// The weights to start from are of another network.
  case foreignWeights(file: String, reason: String)

  /// What a run was begun with and what it was to go on with.
  public struct Difference: Sendable, Equatable {
    /// What it is about, as in `training.batchSize`.
    public var key: String
    /// As it was.
    public var before: String
    /// As it is.
    public var now: String

    /// A difference.
    public init(key: String, before: String, now: String) {
      self.key = key
      self.before = before
      self.now = now
    }
  }

  /// The message for people.
  public var description: String {
    switch self {
    case .unusable(let problem): return problem
    case .folderInUse(let folder):
      return "\(folder): already holds a run. Continue it with --resume, or name another folder."
    case .nothingToResume(let folder):
      return "\(folder): there is no checkpoint to continue from. Start the run without --resume."
    case .damaged(let file, let reason):
      return
        "\(file): cannot continue from here: \(reason). Use an undamaged copy of the file, or start"
        + " a new run in another folder with --init and the run's best.safetensors."
    case .changed(let folder, let differences):
      let lines = differences.map { "  \($0.key): was \($0.before), is now \($0.now)" }
      return
        "\(folder): the run was started with other settings or data:\n"
        + lines.joined(separator: "\n")
        + "\nContinue with those, or start a new run in another folder (with --init to start from"
        + " existing weights)."
    case .unwritable(let file, let reason): return "\(file): cannot be written: \(reason)"
    case .diskTooSmall(let folder, let needed, let free):
      return
        "\(folder): the run's files need about \(Self.megabytes(needed)) MB, but the disk has"
        + " only \(Self.megabytes(free)) MB left. Free some space, or name a folder on another"
        + " disk."
    case .diverged(let divergence): return divergence.description
    case .foreignWeights(let file, let reason):
      return "\(file): cannot start from these weights: \(reason)"
    }
  }

  private static func megabytes(_ bytes: Int) -> Int { bytes.dividedRoundingUp(by: 1_000_000) }
}

/// Where and when training went out of bounds.
public struct Divergence: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was not finite.
  public enum What: Sendable, Equatable {
    /// The loss, or a network's output on the way to it. `layer` is the first whose output is not
    /// finite; nil where all are (then it is the loss alone). `weights` says that the layer's own
    /// values are not finite either.
    case loss(layer: String?, weights: Bool)
    /// The network's output in validation.
    case validation
    /// The gradient by a parameter: the one nearest to the loss.
    case gradient(parameter: String)
  }

  /// What was not finite.
  public var what: What
  /// The epoch, from 1.
  public var epoch: Int
  /// The step of the whole run, from 1.
  public var step: Int
  /// The batch's pictures.
  public var files: [String]
  /// The rate of the last step.
  public var learningRate: Float
  /// The step that the last checkpoint is of.
  public var checkpointStep: Int

  /// The message for people.
  public var description: String {
    let subject: String
    switch what {
    case .loss(let layer?, let weights):
      subject =
        "the output of \(layer) is the first that is not finite"
        + (weights ? " (its weights are not finite either)" : "")
    case .loss(nil, _): subject = "the loss is not finite, although all layers' outputs are"
    case .validation:
      subject = "the network's output is not finite for a picture of the validation part"
    case .gradient(let parameter): subject = "the gradient of \(parameter) is not finite"
    }
    let shown = files.prefix(4).joined(separator: ", ")
    let rest = files.count > 4 ? " and \(files.count - 4) more" : ""
    let batch = files.isEmpty ? "" : " The batch: \(shown)\(rest)."
    return
      "training diverged in epoch \(epoch), step \(step): \(subject).\(batch)"
      + " The checkpoint of step \(checkpointStep) is unchanged. Try a lower learning rate (it was"
      + " \(learningRate)), a warm-up (schedule.warmUp), or"
      + " clipping (clip: 1), in another folder."
  }
}
