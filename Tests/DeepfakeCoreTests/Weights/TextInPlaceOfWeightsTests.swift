import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Files that a download or a clone left in the place of weights.
@Suite("Weights: text in place of weights")
struct TextInPlaceOfWeightsTests {
  static let cases: [(text: String, words: [String])] = [
    (
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
      ["Git LFS pointer", "12345 bytes", "sha256:4d7a2146", "git lfs pull"]
    ),
    (
      "<!DOCTYPE html><html><head><title>Virus scan\n warning</title></head></html>",
      ["web page", "(\"Virus scan warning\")", "Download the file again"]
    ),
    ("\n\n  <html>\n<body>Sign in</body>", ["web page"]),
    ("\u{FEFF}<!-- moved --><html></html>", ["web page"]),
    (
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>"
        + "<Message>Access Denied</Message></Error>",
      ["XML answer", "AccessDenied: Access Denied"]
    ),
    ("<?xml version=\"1.0\"?><!DOCTYPE html><html></html>", ["web page"]),
    ("{\"error\": \"Repository not found\"}", ["JSON", "Repository not found"]),
    ("{\"metadata\": {}, \"weight_map\": {}}", ["several files"]),
    ("Entry not found", ["text (\"Entry not found\")"]),
  ]

  @Test(arguments: cases.indices, ["safetensors", "pth", "onnx", "bin"])
  func itIsSaidWhatTheFileIs(_ index: Int, _ suffix: String) throws {
    let (text, words) = Self.cases[index]
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("weights.\(suffix)")
      try Data(text.utf8).write(to: file)
      for word in words { expectUnreadable(word) { try StateDict.read(file) } }
      // Cut anywhere, even in the middle of a character, it stays an error.
      for length in 0..<text.utf8.count {
        try Data(text.utf8.prefix(length)).write(to: file)
        #expect(throws: WeightsError.self) { try StateDict.read(file) }
      }
    }
  }

  @Test func longTextIsCutShort() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("page.pth")
      let text = "{\"error\": \"" + String(repeating: "ä ", count: 50_000)
      try Data(text.utf8).write(to: file)
      let error = #expect(throws: WeightsError.self) { try StateDict.read(file) }
      #expect(error?.description.contains("JSON") == true)
      #expect((error?.description.count ?? 0) < 500)
    }
  }
}
