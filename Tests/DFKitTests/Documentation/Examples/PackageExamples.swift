import DFKit
import Foundation
import Settings

// The examples in the doc comments of what dfkit's own targets alone see.

enum PackageExamples {
  static func familiarity(_ file: URL, _ crop: Image) throws {
    let model = try ClassifierModel(StateDict.read(file))
    if let familiarity = model.familiarity, let face = try model.judge([crop]).first {
      print(familiarity.limits.traitsBeyond(face.measures).map(\.words))
    }
  }

  static func detectorChoice() throws -> any FaceDetector {
    let choice = try Recipe.Detector().choice(in: WeightsStore())
    let detector = try choice.load()
    print("faces are found by", choice.name)
    return detector
  }

  static func scoreTable(_ predictor: VideoPredictor, _ file: URL) throws {
    let table = try predictor.predict(file).scores
    for face in table.faces { print(face.time, face.person, face.scores) }
  }

  struct Options: Described {
    var epochs = 20
    var clip: Float?

    mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
      try fields.value("epochs", &epochs, .whole(in: 1...100_000), "Passes over the data.")
      try fields.optional("clip", &clip, .number(in: 1e-6...1e6), "The gradient's longest norm.")
    }
  }
}
