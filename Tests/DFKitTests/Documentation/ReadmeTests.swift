import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct ReadmeTests {
  private func text(_ path: String) throws -> String {
    try String(contentsOf: Paths.package.appendingPathComponent(path), encoding: .utf8)
  }

  /// Every block of Swift in the documents, with where it stands.
  private func blocks() throws -> [(place: String, text: String)] {
    let folder = Paths.package.appendingPathComponent("Docs")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".md") }.map { "Docs/\($0)" }
    return try (["README.md"] + names.sorted()).flatMap { path in
      try text(path).components(separatedBy: "```swift\n").dropFirst().enumerated().map {
        ("\(path), block \($0 + 1)", $1.components(separatedBy: "```")[0])
      }
    }
  }

  /// The Swift files under a folder of the package, by their paths.
  private func sources(_ path: String) throws -> [String: String] {
    let folder = Paths.package.appendingPathComponent(path)
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".swift") && !$0.contains(".build") }
    return try Dictionary(
      uniqueKeysWithValues: files.map { ($0, try text("\(path)/\($0)")) })
  }

  /// A block is a file of `Blocks`, which this target compiles, or lines of an example.
  @Test func everyBlockOfSwiftIsCompiledAsPrinted() throws {
    let compiled = try sources("Tests/DFKitTests/Documentation/Blocks")
    let examples = try sources("Examples")
    let blocks = try blocks()
    #expect(blocks.count >= 9)
    for block in blocks {
      #expect(
        compiled.values.contains(block.text)
          || examples.values.contains { "\n\($0)".contains("\n\(block.text)") },
        "\(block.place) is compiled nowhere")
    }
    for (name, text) in compiled {
      #expect(blocks.contains { $0.text == text }, "\(name) is in no document")
    }
  }

  @Test func blocksRun() throws {
    #expect(throws: MediaError.self) { try screen(URL(fileURLWithPath: "/nowhere/a.mp4")) }
    let sample = Paths.package.appendingPathComponent("Examples/sample.mp4")
    #expect(try screen(sample).people.contains { $0.framesJudged > 20 })
    let nowhere = URL(fileURLWithPath: "/nowhere")
    #expect(throws: DatasetError.self) { try train(on: nowhere, output: nowhere) }
    #expect(throws: DatasetError.self) { try makeFakes(outOf: nowhere) }
    let grey = Image(width: 4, height: 4) { pixels in
      for i in pixels.indices { pixels[i] = 100 }
    }
    let embeddings = try MeanColorEmbedder().embeddings([grey, grey])
    #expect(embeddings.shape == [2, 3])
    #expect(embeddings.scalars.allSatisfy { abs($0 - 1 / Float(3).squareRoot()) < 1e-6 })
  }

  @Test func stepsOfAugmentationAreDocumented() throws {
    let formats = try text("Docs/Formats.md")
    for name in Augmentation.operationNames { #expect(formats.contains("`\(name)`"), "\(name)") }
  }
}
