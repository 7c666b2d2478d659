import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct WeightsStoreTests {
  @Test func theDataFolderFollowsTheSpecification() throws {
    func folder(_ environment: [String: String]) throws -> String {
      try WeightsStore(environment: environment).folder.path
    }
    #expect(try folder(["XDG_DATA_HOME": "/data", "HOME": "/home/a"]) == "/data/dfkit/weights")
    #expect(try folder(["HOME": "/home/a"]) == "/home/a/.local/share/dfkit/weights")
    for useless in ["", "data", "./data"] {
      #expect(
        try folder(["XDG_DATA_HOME": useless, "HOME": "/home/a"])
          == "/home/a/.local/share/dfkit/weights")
    }
    for environment in [[:], ["HOME": ""], ["HOME": "a", "XDG_DATA_HOME": "b"]] {
      #expect(throws: WeightsStoreError.noHome) { try WeightsStore(environment: environment) }
    }
    #expect(WeightsStoreError.noHome.description.contains("XDG_DATA_HOME"))
  }

  @Test func anEntryIsItsFileOrItsFolder() throws {
    try Paths.withTemporaryFolder { folder in
      let store = WeightsStore(folder: folder)
      #expect(store.url(of: "one") == nil)
      let one = store.folder(of: "one")
      try FileManager.default.createDirectory(at: one, withIntermediateDirectories: true)
      #expect(store.url(of: "one") == nil)
      try Data("x".utf8).write(to: one.appendingPathComponent("a.pt"))
      try Data("x".utf8).write(to: one.appendingPathComponent(".hidden"))
      #expect(store.url(of: "one")?.lastPathComponent == "a.pt")
      try Data("x".utf8).write(to: one.appendingPathComponent("b.pt"))
      #expect(store.url(of: "one")?.lastPathComponent == "one")
      #expect(store.url(of: "../\(folder.lastPathComponent)/one") == nil)
    }
  }

  @Test func theDetectorAtHandIsTheFirstThatWasFetched() throws {
    try Paths.withTemporaryFolder { folder in
      let store = WeightsStore(folder: folder)
      let shipped = Recipe.Detector.Kind.allCases.first { $0.shippedWeights != nil }
      #expect(store.detector == shipped)
      for (name, kind) in [("mtcnn", .mtcnn), ("retinaface-resnet50", .retinaface)]
        as [(String, Recipe.Detector.Kind)]
      {
        let entry = store.folder(of: name)
        try FileManager.default.createDirectory(at: entry, withIntermediateDirectories: true)
        #expect(store.url(of: name) == nil, "an empty folder is no entry")
        try Data("x".utf8).write(to: entry.appendingPathComponent("a.pt"))
        #expect(store.detector == kind)
      }
      var mtcnn = Recipe.Detector()
      mtcnn.kind = .mtcnn
      #expect(try mtcnn.weights(given: nil, in: store).file?.path.hasSuffix("mtcnn/a.pt") == true)
      try FileManager.default.removeItem(at: store.folder(of: "mtcnn"))
      let error = #expect(throws: WeightsStoreError.self) {
        try mtcnn.weights(given: nil, in: store)
      }
      #expect(error?.description.contains("dfkit weights fetch mtcnn'") == true)
      #expect(error?.description.contains("--detector retinaface takes them") == true)
    }
  }

  @Test func whatShipsTakesThePlaceOfWhatWasNotFetched() throws {
    try Paths.withTemporaryFolder { folder in
      let store = WeightsStore(folder: folder)
      var mtcnn = Recipe.Detector()
      mtcnn.kind = .mtcnn
      mtcnn.frameScale = 0.75
      for place in [store, nil] {
        let found = mtcnn.atHand(in: place)
        #expect(found.kind == .retinaface && found.weights == "face-detector")
        #expect(found.frameScale == 0.75 && found.threshold == Recipe.Detector().threshold)
      }
      let entry = store.folder(of: "mtcnn")
      try FileManager.default.createDirectory(at: entry, withIntermediateDirectories: true)
      try Data("x".utf8).write(to: entry.appendingPathComponent("a.pt"))
      #expect(mtcnn.atHand(in: store) == mtcnn)
    }
  }

  @Test func aDetectorTakesWhatWasGivenThenWhatIsThere() throws {
    try Paths.withTemporaryFolder { folder in
      let store = WeightsStore(folder: folder)
      let detector = Recipe.Detector()
      let given = WeightsSource.file(URL(fileURLWithPath: "/some/file.pth"))
      #expect(try detector.weights(given: given, in: store) == given)
      if let shipped = detector.kind.shippedWeights {
        #expect(try detector.weights(given: nil, in: store) == .shipped(shipped))
      } else {
        let error = #expect(throws: WeightsStoreError.self) {
          try detector.weights(given: nil, in: store)
        }
        #expect(
          error?.description.contains("dfkit weights fetch retinaface-mobilenet0.25") == true)
      }
      for name in ["retinaface-resnet50", "retinaface-mobilenet0.25"] {
        let entry = store.folder(of: name)
        try FileManager.default.createDirectory(at: entry, withIntermediateDirectories: true)
        try Data("x".utf8).write(to: entry.appendingPathComponent("\(name).pth"))
        #expect(
          try detector.weights(given: nil, in: store).file?.lastPathComponent == "\(name).pth")
      }
    }
  }
}
