import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct WeightsCatalogueTests {
  @Test func theBuiltInCatalogueIsWhole() throws {
    let catalogue = try WeightsCatalogue.builtIn()
    #expect(catalogue.entries.count > 20)
    let mtcnn = try catalogue.entry(named: "mtcnn")
    #expect(mtcnn.files.map(\.name) == ["pnet.pt", "rnet.pt", "onet.pt"])
    #expect(mtcnn.files.allSatisfy { $0.sha256?.count == 64 && $0.size != nil })
    for entry in catalogue.entries {
      #expect(
        !entry.about.isEmpty && entry.homepage?.hasPrefix("https://") == true, "\(entry.name)")
      #expect(entry.about.count <= 100 && entry.network != nil, "\(entry.name)")
      switch entry.source {
      case .address(let address): #expect(address.hasPrefix("https://"), "\(entry.name)")
      case .byHand(let page): #expect(page.hasPrefix("https://"), "\(entry.name)")
      case .pip(let wheel): #expect(wheel.file.sha256?.count == 64)
      }
      if entry.kind == .embedder {
        #expect(entry.network == InceptionResnetEmbedder.architecture, "\(entry.name)")
      } else if let network = entry.network, entry.kind != .detector {
        #expect(Architecture(rawValue: network) != nil, "\(entry.name)")
        #expect(Scheme(rawValue: entry.scheme ?? "") != nil, "\(entry.name)")
      }
    }
    for kind in [Recipe.Detector.Kind.retinaface, .mtcnn] {
      for name in kind.storeEntries { #expect(try catalogue.entry(named: name).kind == .detector) }
    }
  }

  @Test(.enabled(if: Paths.hasReference))
  func theReferenceFilesAreThoseOfTheCatalogue() throws {
    let catalogue = try WeightsCatalogue.builtIn()
    try Paths.withTemporaryFolder { folder in
      let fetcher = WeightsFetcher(store: WeightsStore(folder: folder))
      let weights = Paths.reference("weights").path
      let mtcnn = try fetcher.fetch(try catalogue.entry(named: "mtcnn"), from: weights)
      #expect(mtcnn.unverified.isEmpty && mtcnn.size == 1_990_986)
      let retina = try fetcher.fetch(
        try catalogue.entry(named: "retinaface-mobilenet0.25-biubug6"),
        from: weights + "/retinaface-mobilenet0.25.pth")
      #expect(retina.unverified.isEmpty && retina.size == 1_789_735)
      #expect(RetinaFaceBackbone(recognizing: try StateDict.read(retina.url)) == .mobileNet)
    }
  }

  @Test(arguments: [
    ("weights:\n  - kind: detector", "weights[0].name"),
    ("weights:\n  - name: ../x\n    kind: detector", "weights[0].name"),
    ("weights:\n  - name: x\n    kind: toy", "detector, classifier, imagenet, embedder"),
    ("weights:\n  - name: x\n    kind: detector", "weights[0].files"),
    (entry(""), "one of url, pip and byHand"),
    (entry("url: ftp://a/b"), "https://"),
    (entry("url: https://a/b\n    byHand: https://a/b"), "one of url, pip and byHand"),
    (entry("url: https://a/b\n    mirror: https://a/b"), "mirror"),
    (entry("url: https://a/b", file: "\n        sha256: ABCDEF01"), "lower case"),
    (entry("url: https://a/b", file: "\n        sha256: abc"), "8 to 64"),
    (entry("url: https://a/b", file: "\n        size: 0"), "size"),
    (entry("url: https://a/b", file: "\n        size: 99999999999999999999"), "size"),
    (entry("url: https://a/b", file: "\n      - name: b.pt"), "must be one"),
    (entry("pip:\n      requirement: a==1\n      wheel: a.whl"), "member"),
    (entry("url: https://a/b", file: "\n        literal: DATA"), "'size'"),
    (entry("pip:\n      requirement: -r x\n      wheel: a.whl"), "requirement"),
    (entry("url: https://a/b") + "\n" + entry("url: https://a/b").dropFirst(9), "another entry"),
  ])
  func wrongEntriesNameThePlace(_ yaml: String, _ hint: String) {
    let error = #expect(throws: RecipeError.self) {
      try WeightsCatalogue(yaml: yaml, file: "my.yaml")
    }
    #expect(error?.description.hasPrefix("my.yaml: ") == true)
    #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
  }

  private static func entry(_ source: String, file: String = "") -> String {
    """
    weights:
      - name: x
        kind: detector
        \(source)
        files:
          - name: a.pt\(file)
    """
  }

  @Test func unknownNamesAreAnsweredWithThoseThereAre() throws {
    let catalogue = try WeightsCatalogue.builtIn()
    let error = #expect(throws: FetchError.self) { try catalogue.entry(named: "mtcn") }
    #expect(error?.description.contains("mtcnn, retinaface-mobilenet0.25") == true)
  }

  @Test func listsSayWhatIsHere() throws {
    try Paths.withTemporaryFolder { folder in
      let store = WeightsStore(folder: folder)
      let catalogue = try WeightsCatalogue(
        yaml: Self.entry("url: https://host/files/b.pt", file: "\n        size: 4"), file: "my.yaml"
      )
      func line() -> String {
        catalogue.table(store).split(separator: "\n").dropFirst().first.map(String.init) ?? ""
      }
      #expect(line().hasSuffix("-     https://host/files/"))
      let narrow = catalogue.table(store, width: 50).split(separator: "\n")
      #expect(narrow[0] == "name  kind      network  licence     size  here")
      #expect(
        catalogue.table(store, width: 20).hasPrefix("name  kind      network     size  here\n"))
      #expect(catalogue.json(store).text.contains("\"path\": null"))
      let place = store.folder(of: "x")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      try Data("abc".utf8).write(to: place.appendingPathComponent("a.pt"))
      #expect(line().hasSuffix("-     https://host/files/"), "a file of another size is not it")
      try Data("abcd".utf8).write(to: place.appendingPathComponent("a.pt"))
      #expect(line().contains("4 bytes  yes   https://host/files/"))
      #expect(catalogue.json(store).text.contains("x/a.pt\""))
      let text = try catalogue.entry(named: "x").text(store)
      #expect(text.contains("source    https://host/files/b.pt"))
    }
  }
}
