import DeepfakeCore

extension Scheme {
  /// The scheme whose keys the checkpoint has, whatever else they all begin with (`model.`); nil if
  /// none.
  ///
  /// timm's two kinds have the same keys. The file's metadata tells them apart where it names the
  /// network (`arch: tf_efficientnet_b0`); where it does not, this answers `timm`, and
  /// `isGuessed(in:)` says so.
  public static func recognised(in state: StateDict) -> Scheme? {
    for prefix in state.wrappers {
      guard let scheme = marks.first(where: { state.has($0.keys, prefix) })?.scheme else {
        continue
      }
      guard scheme == .timm, let name = TimmName(saidBy: state.metadata) else { return scheme }
      let found = Architecture.recognised(in: state, name.scheme)
      return found == name.architecture ? name.scheme : scheme
    }
    return nil
  }

  /// Whether `recognised(in:)` says `timm` of an EfficientNet that might be one with TensorFlow's
  /// padding as well.
  public static func isGuessed(in state: StateDict) -> Bool {
    guard recognised(in: state) == .timm else { return false }
    let found = Architecture.recognised(in: state, .timm)
    return found?.efficientNet != nil
      && TimmName(saidBy: state.metadata)?.architecture != found
  }

  /// Keys that are in every file of a scheme and in none of another.
  private static let marks: [(scheme: Scheme, keys: [String])] = [
    (.selimsef, ["encoder.conv_stem.weight", "fc.weight"]),
    (.icpr2020dfdc, ["efficientnet._conv_stem.weight", "classifier.weight"]),
    (.icpr2020dfdc, ["xception.conv1.weight", "xception.last_linear.weight"]),
    (.sbi, ["net._conv_stem.weight", "net._fc.weight"]),
    (.lukemelas, ["_conv_stem.weight", "_fc.weight"]),
    (.torchvision, ["features.0.0.weight", "features.8.0.weight", "classifier.1.weight"]),
    (.timm, ["conv_stem.weight", "blocks.0.0.conv_dw.weight"]),
    (.timm, ["conv1.weight", "block1.rep.0.conv1.weight"]),
  ]

  /// What the checkpoint's keys all have before those of the scheme: "" as a rule, or `model.`.
  func wrapper(in state: StateDict) -> String {
    let own = Self.marks.filter { $0.scheme == (self == .timmTF ? .timm : self) }
    return state.wrappers.first { prefix in own.contains { state.has($0.keys, prefix) } } ?? ""
  }
}

extension StateDict {
  /// What may stand before the keys of a network.
  fileprivate var wrappers: [String] { commonPrefixes(others: Familiarity.tensorKeys) }

  fileprivate func has(_ keys: [String], _ prefix: String) -> Bool {
    keys.allSatisfy { self[prefix + $0] != nil }
  }

  /// The tensors under the keys of the scheme, without what they all have before these.
  public func unwrapped(_ scheme: Scheme) -> StateDict {
    strippingCommonPrefix(scheme.wrapper(in: self), others: Familiarity.tensorKeys)
  }
}

extension Architecture {
  /// The architecture whose layers the checkpoint of that scheme has, nil if none: told by the widths of
  /// the last convolution and of the stages, by their numbers of blocks, and by whether these
  /// squeeze and excite.
  public static func recognised(in state: StateDict, _ scheme: Scheme) -> Architecture? {
    let wrapper = scheme.wrapper(in: state)
    return allCases.first { architecture in
      guard scheme.covers(architecture) else { return false }
      let mapping = KeyMapping(scheme, architecture, wrapper: wrapper) { state[$0] != nil }
      func shape(_ key: String) -> [Int]? { state[mapping.published(key)]?.shape }
      guard let variant = architecture.efficientNet else {
        return shape("block12.rep.4.pointwise.weight") != nil
      }
      guard
        shape("conv_head.weight")?.first
          == variant.headChannels,
        (shape("blocks.0.0.se.conv_reduce.weight") == nil) == variant.isLite
      else { return false }
      let present = EfficientNetVariant.stages.prefix(state.stageCount(mapping))
      guard !present.isEmpty else { return false }
      return present.enumerated().allSatisfy { index, stage in
        // The width of a stage is that of its blocks' last norms.
        let count = variant.blockCount(ofStage: index)
        let after = mapping.published("blocks.\(index).\(count).conv_dw.weight")
        // Where blocks are numbered through, the next stage begins there.
        let next = mapping.published("blocks.\(index + 1).0.conv_dw.weight")
        let goesOn = index + 1 < present.count && after == next
        return (goesOn || state[after] == nil)
          && shape("blocks.\(index).\(count - 1).\(index == 0 ? "bn2" : "bn3").weight")
            == [variant.scaledChannels(stage.channels)]
      }
    }
  }
}

extension StateDict {
  /// The stages of an EfficientNet that the checkpoint has, from the first.
  func stageCount(_ mapping: KeyMapping) -> Int {
    EfficientNetVariant.stages.indices.prefix {
      self[mapping.published("blocks.\($0).0.conv_dw.weight")] != nil
    }.count
  }
}
