import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Measures
import MediaIO
import Training

/// Two convolutions with norms, dropout and a classifier: enough to train in milliseconds.
struct TinyNetwork: ClassifierNetwork {
  enum Kind { case group, batch }

  let store = ParameterStore()
  let stem: Conv2d
  let groupNorm: GroupNorm?
  let batchNorm: BatchNorm2d?
  let body: Conv2d
  let dropout: Dropout
  let classifier: Linear
  /// What is done to the logit.
  let lastStep: @Sendable (Tensor) -> Tensor

  init(
    _ kind: Kind = .group, dropout rate: Float = 0,
    lastStep: @escaping @Sendable (Tensor) -> Tensor = { $0 }
  ) {
    self.lastStep = lastStep
    let scope = store.root
    stem = Conv2d(scope / "stem", 3, 8, kernel: 3, stride: 2, padding: .symmetric(1), bias: false)
    groupNorm = kind == .group ? GroupNorm(scope / "norm", 8, groups: 2) : nil
    batchNorm = kind == .batch ? BatchNorm2d(scope / "norm", 8) : nil
    body = Conv2d(scope / "body", 8, 16, kernel: 3, stride: 2, padding: .symmetric(1))
    dropout = Dropout(scope / "dropout", rate)
    classifier = Linear(scope / "classifier", 16, 1)
  }

  var classCount: Int { 1 }

  func maps(_ x: Tensor, _ mode: Mode) -> [Tensor] { [features(x, mode)] }

  func features(_ x: Tensor, _ mode: Mode) -> Tensor {
    var y = stem(x, mode)
    y = groupNorm?(y, mode) ?? batchNorm?(y, mode) ?? y
    return body(y.relu(), mode).relu()
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    logits(fromMap: features(x, mode), at: 0, mode)
  }

  func logits(fromMap map: Tensor, at depth: Int, _ mode: Mode) -> Tensor {
    lastStep(classifier(dropout(map.globalAveragePool(), mode), mode))
  }

  func packed() -> any PackedClassifier { Packed(network: self) }

  private struct Packed: PackedClassifier {
    let network: TinyNetwork
    var classCount: Int { 1 }
    func maps(_ x: Tensor) -> [Tensor] { network.maps(x, .inference) }
    func features(_ x: Tensor) -> Tensor { network.features(x, .inference) }
    func logits(pooled: Tensor) -> Tensor {
      network.lastStep(network.classifier(pooled, .inference))
    }
  }

  /// The network to be trained on pictures of 16 pixels.
  static func trainable(_ kind: Kind = .group, dropout: Float = 0) -> TrainableNetwork {
    TrainableNetwork(input: InputSpec(size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])) {
      TinyNetwork(kind, dropout: dropout)
    }
  }
}

/// Made-up crops: noise, smooth for fakes.
enum MadeUpFaces {
  /// Writes `count` pictures of each label and a manifest with a video for every four of them; every
  /// fourth video is for validation.
  static func write(_ folder: URL, count: Int = 16, size: Int = 16) throws -> FaceManifest {
    var lines = ["path,label,video,split"]
    for label in FaceLabel.allCases {
      for index in 0..<count {
        let name = "\(label.word.lowercased())\(index).png"
        var generator = SeededGenerator(seed: 7, label: name)
        let image = Image(width: size, height: size) { pixels in
          for i in pixels.indices {
            let noise = UInt8(truncatingIfNeeded: generator.next())
            pixels[i] = label == .fake ? 100 + noise / 8 : noise
          }
        }
        try ImageFile.write(image, to: folder.appendingPathComponent(name))
        let video = index / 4
        lines.append(
          "\(name),\(label.word),\(label.word)\(video),\(video % 4 == 3 ? "validation" : "train")")
      }
    }
    let text = lines.joined(separator: "\n") + "\n"
    try Data(text.utf8).write(to: folder.appendingPathComponent("manifest.csv"))
    return try FaceManifest.read(folder)
  }
}
