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

  /// Every block of Swift in the doc comments of a file, as its lines without the slashes.
  private func examples(in text: String) -> [[String]] {
    var blocks: [[String]] = []
    var block: [String]?
    for line in text.components(separatedBy: "\n") {
      let comment = line.drop { $0 == " " }
      guard comment.hasPrefix("///") else {
        block = nil
        continue
      }
      let words = comment.dropFirst(comment.hasPrefix("/// ") ? 4 : 3)
      if words == "```swift" {
        block = []
      } else if words == "```" {
        if let block { blocks.append(block) }
        block = nil
      } else {
        block?.append(String(words))
      }
    }
    return blocks
  }

  /// Whether `block` stands in a text, all of it moved to the right by the same number of spaces.
  private func holds(_ lines: [String], _ block: [String]) -> Bool {
    guard let first = block.first, block.count <= lines.count else { return false }
    return (0...lines.count - block.count).contains { start in
      guard lines[start].hasSuffix(first) else { return false }
      let margin = lines[start].dropLast(first.count)
      return margin.allSatisfy { $0 == " " }
        && zip(lines[start...], block).allSatisfy { $0 == ($1.isEmpty ? "" : margin + $1) }
    }
  }

  /// A block of a doc comment is in a file of `Examples`, which this target compiles, or in an
  /// example that is a package of its own.
  @Test func everyExampleInADocCommentIsCompiledAsPrinted() throws {
    let compiled = try ["Tests/DFKitTests/Documentation", "Examples"].flatMap { folder in
      try sources(folder).values.map { $0.components(separatedBy: "\n") }
    }
    var count = 0
    for (name, text) in try sources("Sources") {
      for block in examples(in: text) {
        count += 1
        #expect(
          compiled.contains { holds($0, block) },
          "the example that begins with '\(block.first ?? "")' in \(name) is compiled nowhere")
      }
    }
    #expect(count >= 60)
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
