import Classifiers
import DeepfakeCore
import Testing

/// A checkpoint with the right keys and nothing in it but the widths that architectures are told
/// by: the outputs of convolutions, and the inputs of 3x3 ones, which may have groups.
private func skeleton(
  _ scheme: Scheme, _ architecture: Architecture, stages: Int? = nil
) -> StateDict {
  var settings = ClassifierSettings(architecture, scheme: scheme)
  settings.stages = stages
  let mapping = KeyMapping(scheme, architecture) { _ in false }
  let keys = settings.makeNetwork().store.parameters
  return StateDict(
    tensors: keys.map { parameter in
      let shape = parameter.shape
      let isConvolution = shape.count == 4
      let inputs = isConvolution && shape[0] > 1 ? shape[2] : 1
      let kept = isConvolution ? [shape[3], inputs, 1, 1] : shape.count == 1 ? shape : [1, 1]
      return StateDict.Entry(mapping.published(parameter.key), Tensor(zeros: kept))
    })
}

/// What a checkpoint of that scheme is recognised as: the first of those with the same keys.
private func recognisable(_ scheme: Scheme, _ architecture: Architecture) -> Scheme {
  let family = architecture.family
  let keys = family.identifyingKeys.first { $0.scheme == scheme }?.keys
  return family.identifyingKeys.first { $0.keys == keys }?.scheme ?? scheme
}

@Suite struct RecognitionTests {
  @Test(arguments: Scheme.allCases) func everyArchitectureIsRecognised(_ scheme: Scheme) {
    for architecture in Architecture.allCases where scheme.covers(architecture) {
      let state = skeleton(scheme, architecture)
      #expect(Scheme.recognised(in: state) == recognisable(scheme, architecture))
      #expect(Architecture.recognised(in: state, scheme) == architecture)
    }
  }

  @Test(arguments: 1...6) func networksWithoutTheirLastStagesAreRecognised(_ stages: Int) throws {
    // B0 and B1 have the same widths, and their first stages differ in the number of blocks.
    for architecture in [
      Architecture.efficientNetB0, .efficientNetB1, .efficientNetB4, .efficientNetLite0,
    ] {
      let state = skeleton(.timm, architecture, stages: stages)
      #expect(Architecture.recognised(in: state, .timm) == architecture)
      #expect(try ClassifierSettings.resolve(state).stages == stages)
    }
  }

  @Test(arguments: [
    ("tf_efficientnet_b0", true), ("tf_efficientnet_b0.ns_jft_in1k", true),
    ("tf_efficientnet_b0_ns", true), ("timm/tf_efficientnet_b0.in1k", true),
    ("hf-hub:timm/TF_EfficientNet_B0_AP", true), ("efficientnet_b0", false),
    ("efficientnet_b0.ra_in1k", false), ("timm/efficientnet_b0_gn", false),
  ])
  func timmsTwoKindsAreToldByName(_ name: String, _ isTensorFlow: Bool) throws {
    for key in ["arch", "model", "args.model", "config.model.name", "model_name"] {
      var state = skeleton(.timm, .efficientNetB0)
      state.metadata = [key: name, "epoch": "3"]
      let scheme = isTensorFlow ? Scheme.timmTF : .timm
      #expect(Scheme.recognised(in: state) == scheme)
      #expect(Scheme.warning(in: state) == nil)
      #expect(try ClassifierSettings.resolve(state).scheme == scheme)
      #expect(try ClassifierSettings.resolve(state, .init(scheme: .timm)).scheme == .timm)
    }
  }

  @Test func whatDoesNotNameTheNetworkTellsNothing() throws {
    let texts: [[String: String]] = [
      [:], ["arch": "efficientnet"], ["arch": "EfficientNet"], ["arch": "resnet50"],
      ["arch": "tf_efficientnet_b4"], ["arch": "tf_efficientnetv2_s"], ["arch": "efficientnet-b0"],
      ["note": "tf_efficientnet_b0"], ["arch": "tf_efficientnet_b0, fine-tuned"],
    ]
    for metadata in texts {
      var state = skeleton(.timm, .efficientNetB0)
      state.metadata = metadata
      #expect(Scheme.recognised(in: state) == .timm, "\(metadata)")
      #expect(Scheme.warning(in: state) != nil, "\(metadata)")
    }
    // What the file itself is comes before what it was trained with.
    var state = skeleton(.timm, .efficientNetB0)
    state.metadata = ["args.model": "efficientnet_b0", "arch": "tf_efficientnet_b0"]
    #expect(Scheme.recognised(in: state) == .timmTF)
    for (scheme, architecture) in [
      (Scheme.torchvision, Architecture.efficientNetB0), (.timm, .xception),
    ] {
      var other = skeleton(scheme, architecture)
      #expect(Scheme.warning(in: other) == nil)
      other.metadata = ["arch": "tf_efficientnet_b0"]
      #expect(Scheme.recognised(in: other) == scheme)
    }
  }

  @Test(arguments: Scheme.allCases, ["model.", "model.net.", "student.", "net.encoder."])
  func whatAllKeysBeginWithDoesNotMatter(_ scheme: Scheme, _ prefix: String) throws {
    let architectures = [Architecture.efficientNetB0, .xception, .resNet50]
    for architecture in architectures where scheme.covers(architecture) {
      // Behind `net.`, these are the keys of self-blended images' networks.
      if scheme == .lukemelas, prefix == "model.net." { continue }
      let inner = skeleton(scheme, architecture)
      let state = try inner.renamingKeys { prefix + $0 }
      let expected = recognisable(scheme, architecture)
      #expect(Scheme.recognised(in: state) == expected, "\(prefix)")
      #expect(Architecture.recognised(in: state, scheme) == architecture, "\(prefix)")
      #expect(state.unwrapped(scheme).keys == inner.keys)
      #expect(try ClassifierSettings.resolve(state) == ClassifierSettings.resolve(inner))
    }
  }

  @Test func strangersAreNot() throws {
    let stranger = StateDict(
      tensors: [.init("layer1.weight", Tensor(zeros: [1]))], file: "stranger.pth")
    #expect(Scheme.recognised(in: stranger) == nil)
    #expect {
      try ClassifierModel(stranger)
    } throws: { error in
      let text = "\(error)"
      return text.contains("stranger.pth") && text.contains("scheme") && text.contains("lukemelas")
    }
    #expect {
      try ClassifierModel(stranger, ClassifierOptions(scheme: .timm))
    } throws: { error in
      "\(error)".contains("architecture") && "\(error)".contains("efficientnet-b8")
    }
  }

  @Test func everySchemeSaysWhatItsNetworksExpect() {
    let b4 = Scheme.timm.input(.efficientNetB4)
    #expect(b4 == InputSpec(size: 380, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]))
    #expect(Scheme.torchvision.input(.efficientNetB0).size == 224)
    #expect(
      Scheme.timm.input(.xception)
        == InputSpec(size: 299, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]))
    #expect(Scheme.icpr2020dfdc.input(.xception) == InputSpec(size: 224))
    #expect(Scheme.selimsef.input(.efficientNetB7) == InputSpec(size: 380, fit: .letterbox))
    #expect(
      Scheme.sbi.input(.efficientNetB4)
        == InputSpec(size: 380, mean: [0, 0, 0], std: [1, 1, 1]))
    #expect(Scheme.torchvision.batchNormEpsilon(.efficientNetB4) == 1e-5)
    #expect(Scheme.torchvision.batchNormEpsilon(.efficientNetB5) == 1e-3)
    #expect(Scheme.icpr2020dfdc.batchNormEpsilon(.xception) == 1e-5)
    #expect(!Scheme.lukemelas.covers(.xception))
  }
}
