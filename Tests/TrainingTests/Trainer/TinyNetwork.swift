import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Measures
import MediaIO
import Training

/// Two convolutions with norms, dropout and a last layer: enough to train in milliseconds.
enum TinyNetwork {
  /// A network without weights. `lastStep` is done to the maps before they are pooled.
  static func make(
    _ kind: Norm.Kind = .group, inputs: Int = 3, dropout rate: Float = 0,
    lastStep: @escaping @Sendable (Tensor) -> Tensor = { $0 }
  ) -> ClassifierNetwork {
    let store = ParameterStore()
    let scope = store.root
    let stem = Conv2d(
      scope / "stem", inputs, 8, kernel: 3, stride: 2, padding: .symmetric(1), bias: false)
    let norm = NormLayer(scope / "norm", 8, kind == .group ? .group(groups: 2) : .batch)
    let body = Conv2d(scope / "body", 8, 16, kernel: 3, stride: 2, padding: .symmetric(1))
    let relu = FunctionLayer { $0.relu() }
    return ClassifierNetwork(
      store: store, stages: [[stem, norm, relu, body, relu, FunctionLayer(lastStep)]],
      dropout: Dropout(scope / "dropout", rate), last: Linear(scope / "classifier", 16, 1))
  }

  /// The network to be trained on pictures of 16 pixels.
  static func trainable(_ kind: Norm.Kind = .group, dropout: Float = 0) -> TrainableNetwork {
    TrainableNetwork(input: InputSpec(size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])) {
      make(kind, dropout: dropout)
    }
  }
}

/// Made-up crops: noise, smooth for fakes.
enum MadeUpFaces {
  /// Writes `count` pictures of each label and a manifest with a video for every four of them;
  /// every fourth video is for validation.
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
