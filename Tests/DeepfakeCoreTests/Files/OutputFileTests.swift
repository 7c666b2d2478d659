import DeepfakeCore
import Foundation
import TestSupport
import Testing

@Suite struct OutputFileTests {
  private enum Failure: Error, Equatable {
    case unwritable(file: String, reason: String)
  }

  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func aFileIsThereWholeOrNotAtAll() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.txt")
      try Data("before".utf8).write(to: url)
      var file: OutputFile<Failure>? = try OutputFile(url, failure: Failure.unwritable)
      try file?.write("after".utf8)
      try file?.flush()
      #expect(try Data(contentsOf: url) == Data("before".utf8))
      #expect(try names(folder).count == 2)
      // Dropped, as by an error.
      file = nil
      #expect(try names(folder) == ["a.txt"])
      #expect(try Data(contentsOf: url) == Data("before".utf8))
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
      try OutputFiles.write(bytes, to: url, failure: Failure.unwritable)
      #expect(try Data(contentsOf: url) == Data(bytes))
      #expect(try names(folder) == ["a.txt"])
    }
  }

  @Test func bytesAreAddedAtTheEnd() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("log")
      for (mode, text) in [(OutputFile<Failure>.Mode.anew, "a"), (.appending, "b")] {
        let file = try OutputFile(url, mode, failure: Failure.unwritable)
        try file.write(text.utf8)
        try file.close()
      }
      #expect(try Data(contentsOf: url) == Data("ab".utf8))
    }
  }

  @Test func whatGoesWrongIsTheCallersError() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("no/a.txt")
      #expect(
        throws: Failure.unwritable(
          file: url.relativePath, reason: "there is no folder \(folder.path)/no")
      ) { try OutputFiles.write("a".utf8, to: url, failure: Failure.unwritable) }
    }
  }

  @Test func leftoversOfKilledProcessesGo() throws {
    try Paths.withTemporaryFolder { folder in
      for name in [".part-1-2", ".part-manifest.csv", "manifest.csv"] {
        try Data().write(to: folder.appendingPathComponent(name))
      }
      OutputFiles.removeParts(in: folder)
      #expect(try names(folder) == ["manifest.csv"])
    }
  }
}
