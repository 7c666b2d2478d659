import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Every small checkpoint, shortened and with bytes changed: reading must return or throw.
@Suite("Weights: corrupted files")
struct CorruptedFileTests {
  private static let names = [
    "zip.pth", "legacy.pth", "plain.safetensors", "kinds.pth", "kinds.safetensors",
    "legacy-protocol4.pth", "legacy-view.pth", "training.pth", "zip-protocol5.pth",
    "refuse-code.pth", "refuse-code-legacy.pth", "module-state.pth", "kinds.onnx",
  ]

  /// Reads a file and converts everything in it. Whether it could be read.
  private func survives(_ file: URL) -> Bool {
    do throws(WeightsError) {
      let state = try StateDict.read(file)
      for key in state.keys {
        guard let tensor = try state[key]?.tensor() else { continue }
        _ = tensor.withUnsafeBuffer { $0.reduce(0, +) }
      }
      return true
    } catch {
      if !error.description.contains(file.lastPathComponent) {
        Issue.record("the message does not name the file: \(error)")
      }
      return false
    }
  }

  /// Calls `body` with the fixture's bytes and a copy to change in place, which is much faster than
  /// a new file each time.
  private func withCopy(
    _ name: String, _ body: (Data, URL, FileHandle) throws -> Void
  ) throws {
    let data = try Data(contentsOf: Paths.fixture("checkpoints/\(name)"))
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("copy.\(name.split(separator: ".")[1])")
      try data.write(to: file)
      let handle = try FileHandle(forUpdating: file)
      defer { try? handle.close() }
      try body(data, file, handle)
    }
  }

  @Test(arguments: names)
  func shortenedFilesAreErrors(_ name: String) throws {
    try withCopy(name) { data, file, handle in
      for length in (0..<data.count).reversed() {
        try handle.truncate(atOffset: UInt64(length))
        if survives(file) { Issue.record("\(name) cut to \(length) bytes was read") }
      }
    }
  }

  @Test(arguments: names)
  func changedBytesNeverCrash(_ name: String) throws {
    var generator = SeededGenerator(seed: 3, label: name)
    try withCopy(name) { data, file, handle in
      var read = 0
      for _ in 0..<600 {
        var changed = data
        for _ in 0...Int.random(in: 0..<4, using: &generator) {
          let place = Int.random(in: 0..<data.count, using: &generator)
          changed[place] = UInt8.random(in: 0...255, using: &generator)
        }
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: changed)
        read += survives(file) ? 1 : 0
      }
      // Bytes that fall on values leave a file readable; some must, or nothing deep was tried.
      #expect(read > 0 || name.hasPrefix("refuse"), "\(name)")
      #expect(read < 600, "\(name)")
    }
  }
}
