import DeepfakeCore

extension Architecture {
  /// Why networks of this architecture cannot read the difference to a later frame; nil if they
  /// can.
  package var differenceProblem: String? {
    guard family.stemKey(self) == nil else { return nil }
    return "does not apply to \(rawValue), whose networks read single crops (its family states no"
      + " stemKey)."
  }
}

extension ClassifierSettings {
  /// Stops the program if a family built a network that does not read `input.channelCount`
  /// channels.
  func checkStem(of network: ClassifierNetwork) {
    let (name, channels) = (architecture.rawValue, input.channelCount)
    guard let key = architecture.family.stemKey(architecture) else {
      precondition(
        input.difference == nil,
        "ClassifierFamily: \(name) has no stemKey, so it cannot read \(channels) channels")
      return
    }
    let shape = network.store[key]?.shape
    precondition(
      shape.map { $0.count == 4 && $0[2] == channels } ?? false,
      "ClassifierFamily: \(key) of \(name) has the shape \(shape ?? []), which does not read"
        + " \(channels) channels; build it with settings.input.channelCount inputs")
  }
}

extension NetworkSettings {
  /// The difference that a checkpoint's network reads: its channels by the shape of the first
  /// layer, its time by these settings.
  ///
  /// - Throws: `ClassifierError.invalidSetting` if these settings and the first layer contradict
  ///   each other, or if the time is not known.
  func difference(
    of architecture: Architecture, in checkpoint: PublishedKeys
  ) throws(ClassifierError) -> Difference? {
    let file = checkpoint.state.file
    func invalid(_ reason: String) -> ClassifierError {
      .invalidSetting(file: file, name: "difference", reason: reason)
    }
    let isGiven = difference != nil || differenceChannels != nil
    guard let key = architecture.family.stemKey(architecture) else {
      if isGiven, let problem = architecture.differenceProblem { throw invalid(problem) }
      return nil
    }
    // Without a first layer, loading fails later with the list of missing keys.
    guard let shape = checkpoint.shape(key), shape.count == 4 else { return nil }
    let stem = "its first layer, \(checkpoint.published(key)), reads \(shape[1]) channels"
    guard shape[1] != 3 else {
      guard isGiven else { return nil }
      throw invalid(
        "is set, but \(stem): the network judges single crops. Leave 'input' out, or train a"
          + " network with it (dfkit train --init adapts this file's first layer).")
    }
    guard let channels = Difference.Channels(count: shape[1] - 3) else {
      throw invalid("is not known: \(stem); a network reads 3, or 4 or 6 with a difference.")
    }
    if let differenceChannels, differenceChannels != channels {
      throw invalid(
        "of \(differenceChannels.rawValue) does not fit: \(stem), which is"
          + " \(channels.rawValue).")
    }
    guard let difference else {
      throw invalid(
        "has no time: \(stem), a crop's and those of the difference to a later frame, but the file"
          + " does not say how much later. Give it in a recipe (input: {difference: 0.04}).")
    }
    return Difference(seconds: difference, channels: channels)
  }
}

extension ClassifierNetwork {
  /// The checkpoint's tensors, with a first layer of three channels adapted to the number that this
  /// network reads, by the rule of timm (`Tensor.adaptedToInput`). `state` has the network's own
  /// keys.
  ///
  /// - Returns: The tensors, and a remark for users; nil if nothing was adapted.
  /// - Throws: `WeightsError` if the first layer cannot be read.
  func adaptingStem(
    of state: StateDict, _ architecture: Architecture
  ) throws(WeightsError) -> (state: StateDict, remark: String?) {
    guard let key = architecture.family.stemKey(architecture), let stem = store[key],
      stem.shape.count == 4, let stored = state[key], stored.shape.count == 4,
      stored.shape[1] == 3, stem.shape[2] != 3
    else { return (state, nil) }
    let channels = stem.shape[2]
    guard let weights = try stored.tensor(layout: stem.layout).adaptedToInput(channels: channels)
    else { return (state, nil) }
    var state = state
    state[key] =
      StateDict(
        tensors: [StateDict.Entry(key, weights, layout: stem.layout)], file: state.file)[key]
    return (state, "\(key) from 3 to \(channels) channels")
  }
}
