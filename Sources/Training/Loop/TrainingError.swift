import DeepfakeCore

/// An error that keeps training from starting or continuing. The description names the subject, the
/// cause and the remedy.
public enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// An option or a combination of options is invalid.
  case unusable(problem: String)
  /// The folder contains a run already.
  case folderInUse(folder: String)
  /// The folder has no checkpoint to resume from.
  case nothingToResume(folder: String)
  /// The checkpoint, or a state in it, is damaged.
  case damaged(file: String, reason: String)
  /// The run was started with other settings or data.
  case changed(folder: String, differences: [Difference])
  /// A file of the run cannot be written.
  case unwritable(file: String, reason: String)
  /// The disk has too little free space for the run's files.
  case diskTooSmall(folder: String, needed: Int, free: Int)
  /// The loss or a gradient is not a finite number.
  case diverged(Divergence)
  /// The initial weights belong to another network.
  case foreignWeights(file: String, reason: String)

  /// A setting that has changed since the run was started.
  public struct Difference: Sendable, Equatable {
    /// The setting, such as `training.batchSize`.
    public var key: String
    /// The value at the start of the run.
    public var before: String
    /// The value now.
    public var now: String

    /// Makes a difference from its values.
    public init(key: String, before: String, now: String) {
      self.key = key
      self.before = before
      self.now = now
    }
  }

  /// The message for the user.
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

/// A number in training that is infinite or not a number, with its place and time.
public struct Divergence: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of number that is not finite.
  public enum What: Sendable, Equatable {
    /// The loss, or an output of a layer. `layer` is the first layer with an output that is not
    /// finite; nil if only the loss is not finite. `weights` tells whether the layer's own weights
    /// are not finite either.
    case loss(layer: String?, weights: Bool)
    /// The network's output during validation.
    case validation
    /// The gradient of a parameter, of several the one nearest to the loss.
    case gradient(parameter: String)
  }

  /// The kind of number that is not finite.
  public var what: What
  /// The epoch, from 1.
  public var epoch: Int
  /// The step of the whole run, from 1.
  public var step: Int
  /// The pictures of the batch; empty if they are unknown.
  public var files: [String]
  /// The learning rate of the last step.
  public var learningRate: Float
  /// The step of the last checkpoint.
  public var checkpointStep: Int

  /// The message for the user.
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
