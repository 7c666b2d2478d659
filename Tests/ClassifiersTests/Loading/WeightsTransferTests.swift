import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

@Suite struct WeightsTransferTests {
  private func network(
    _ norm: Norm, classes: Int = 1, seed: UInt64
  ) -> ClassifierNetwork {
    let network = ClassifierSettings(.efficientNetB0, norm: norm, classCount: classes).makeNetwork()
    network.store.initialize(seed: seed)
    return network
  }

  @Test(arguments: [Scheme.timm, .torchvision, .lukemelas, .sbi])
  func fromBatchNormToGroupNormScalesAndShiftsGoOver(_ scheme: Scheme) throws {
    let source = network(.batch, classes: 7, seed: 1)
    let state = source.stateDict(scheme, .efficientNetB0)
    #expect(Scheme.recognised(in: state) == scheme)
    let target = network(.group, seed: 2)
    let head = try #require(target.store["classifier.weight"]).value.scalars
    let transfer = try target.transferWeights(state, architecture: .efficientNetB0)
    #expect(transfer.scheme == scheme)
    #expect(transfer.new == ["classifier.weight", "classifier.bias"])
    #expect(transfer.taken.count == target.store.parameters.count - 2)
    // Two statistics of each of 49 norms, and the classifier.
    #expect(transfer.dropped.count == 2 * 49 + 2)
    #expect(transfer.summary.count == 2)
    #expect(transfer.summary[1].contains("49 of running_mean"))
    for parameter in target.store.parameters where !parameter.key.hasPrefix("classifier") {
      #expect(
        parameter.value.scalars == source.store[parameter.key]?.value.scalars, "\(parameter.key)")
    }
    #expect(target.store["classifier.weight"]?.value.scalars == head)
  }

  @Test func aHeadThatFitsIsKeptUnlessAskedOtherwise() throws {
    let source = network(.group, seed: 1)
    let state = source.store.stateDict()
    for keeps in [true, false] {
      let target = network(.group, seed: 2)
      let transfer = try target.transferWeights(
        state, architecture: .efficientNetB0, keepsHead: keeps)
      #expect(transfer.new.isEmpty == keeps)
      #expect(
        (target.store["classifier.weight"]?.value.scalars
          == source.store["classifier.weight"]?.value.scalars) == keeps)
    }
  }

  @Test func batchNormFromGroupNormMeasuresAnew() throws {
    let target = network(.batch, seed: 2)
    let transfer = try target.transferWeights(
      network(.group, seed: 1).store.stateDict(), architecture: .efficientNetB0)
    #expect(transfer.dropped.isEmpty)
    #expect(transfer.new.count == 98 && transfer.new.allSatisfy { $0.contains("running_") })
  }

  @Test func otherNetworksAreRefused() throws {
    let state = network(.group, seed: 1).store.stateDict()
    let b1 = ClassifierSettings(.efficientNetB1, norm: .group).makeNetwork()
    b1.store.initialize(seed: 1)
    let error = #expect(throws: ClassifierError.self) {
      try b1.transferWeights(state, architecture: .efficientNetB1)
    }
    #expect(error?.description.contains("efficientnet-b0") == true)
    var part = state
    part["blocks.3.0.conv_pw.weight"] = nil
    let target = network(.group, seed: 2)
    let missing = #expect(throws: WeightsError.self) {
      try target.transferWeights(part, architecture: .efficientNetB0)
    }
    #expect(missing?.description.contains("blocks.3.0.conv_pw.weight") == true)
  }
}
