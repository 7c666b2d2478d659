import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Models whose tensors are in other files.
@Suite("ONNX: external data")
struct ONNXExternalDataTests {
  private func error(
    _ places: [String: String], prepare: (URL) throws -> Void = { _ in },
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    try Paths.withTemporaryFolder { folder in
      let model = folder.appendingPathComponent("model")
      try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
      try Data(count: 64).write(to: folder.appendingPathComponent("outside.bin"))
      try Data(count: 64).write(to: model.appendingPathComponent("weights.bin"))
      try prepare(model)
      var bytes = ONNXBytes()
      bytes.external("far", [2, 3], places)
      let file = model.appendingPathComponent("model.onnx")
      try bytes.data.write(to: file)
      let error = #expect(throws: WeightsError.self, sourceLocation: sourceLocation) {
        try StateDict.read(file)
      }
      let text = error?.description ?? ""
      #expect(
        text.contains("model.onnx") && text.contains("tensor far"), "\(text)",
        sourceLocation: sourceLocation)
      return text
    }
  }

  @Test func aPlaceOutsideTheFileIsRefused() throws {
    let place = ["location": "weights.bin"]
    #expect(try error(place.merging(["offset": "41"]) { $1 }).contains("from 41 to 65"))
    #expect(try error(place.merging(["offset": "9223372036854775807"]) { $1 }).contains("only 64"))
    for offset in ["-1", "x", "99999999999999999999", ""] {
      #expect(try error(place.merging(["offset": offset]) { $1 }).contains("invalid offset"))
    }
    #expect(try error(place.merging(["length": "23"]) { $1 }).contains("needs 24 bytes"))
    #expect(
      try error(place) { try Data(count: 23).write(to: $0.appendingPathComponent("weights.bin")) }
        .contains("only 23"))
    #expect(
      try error(place) { try Data().write(to: $0.appendingPathComponent("weights.bin")) }
        .contains("empty"))
  }

  @Test func aPathOutOfTheFolderIsRefused() throws {
    for location in [
      "../outside.bin", "sub/../../outside.bin", "/etc/passwd", "", "weights.bin/", "a//b",
      "weights.bin\u{0}", "..",
    ] {
      #expect(try error(["location": location]).contains("is not the path of a file"))
    }
    #expect(try error([:]).contains("does not name the file"))
    #expect(try error(["location": "missing.bin"]).contains("missing.bin cannot be found"))
    #expect(
      try error(["location": "folder"]) {
        try FileManager.default.createDirectory(
          at: $0.appendingPathComponent("folder"), withIntermediateDirectories: true)
      }.contains("folder"))
  }

  @Test func aLinkOutOfTheFolderIsRefused() throws {
    for (link, location) in [("link.bin", "link.bin"), ("up", "up/outside.bin")] {
      let message = try error(["location": location]) { model in
        try FileManager.default.createSymbolicLink(
          atPath: model.appendingPathComponent(link).path,
          withDestinationPath: link == "up" ? ".." : "../outside.bin")
      }
      #expect(message.contains("leads out of the model's folder"))
    }
  }

  @Test func aLinkInTheFolderIsFollowed() throws {
    try Paths.withTemporaryFolder { folder in
      let values: [Float] = [1, 2, 3, 4, 5, 6]
      try Data(values.withUnsafeBytes { Array($0) })
        .write(to: folder.appendingPathComponent("weights.bin"))
      try FileManager.default.createSymbolicLink(
        atPath: folder.appendingPathComponent("link.bin").path,
        withDestinationPath: "weights.bin")
      var bytes = ONNXBytes()
      bytes.external("far", [2, 3], ["location": "link.bin"])
      bytes.external("near", [2], ["location": "./weights.bin", "offset": "8", "length": "8"])
      let file = folder.appendingPathComponent("model.onnx")
      try bytes.data.write(to: file)
      let state = try StateDict.read(file)
      #expect(try state["far"]?.tensor().scalars == values)
      #expect(try state["near"]?.tensor().scalars == [3, 4])
    }
  }
}

/// Damaged models: reading, planning and running must return or throw.
@Suite("ONNX: damaged networks")
struct ONNXDamagedNetworkTests {
  private static let names = [
    "matrices.onnx", "network.onnx", "shapes.onnx", "selection.onnx", "resize.onnx",
  ]

  /// Runs a file on small inputs. Whether it could be run.
  private func runs(_ file: URL) -> Bool {
    do throws(WeightsError) {
      let network = try ONNXNetwork(StateDict.read(file))
      var inputs: [String: Tensor] = [:]
      for input in network.inputs {
        let shape = (input.shape ?? [1]).map { min($0 ?? 9, 64) }
        guard shape.reduce(1, *) < 1 << 20 else { return false }
        inputs[input.name] = Tensor(repeating: 0.5, shape: shape)
      }
      _ = try network(inputs)
      return true
    } catch {
      if !error.description.contains(file.lastPathComponent) {
        Issue.record("the message does not name the file: \(error)")
      }
      return false
    }
  }

  @Test func shortenedFilesAreErrors() throws {
    let name = "matrices.onnx"
    let data = try Data(contentsOf: Paths.fixture("onnx_run/\(name)"))
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("copy.onnx")
      try data.write(to: file)
      let handle = try FileHandle(forUpdating: file)
      defer { try? handle.close() }
      for length in (0..<data.count).reversed() {
        try handle.truncate(atOffset: UInt64(length))
        if runs(file) { Issue.record("\(name) cut to \(length) bytes was run") }
      }
    }
  }

  @Test(arguments: names)
  func aChangedByteNeverCrashes(_ name: String) throws {
    let data = try Data(contentsOf: Paths.fixture("onnx_run/\(name)"))
    var generator = SeededGenerator(seed: 5, label: name)
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("copy.onnx")
      try data.write(to: file)
      let handle = try FileHandle(forUpdating: file)
      defer { try? handle.close() }
      var (ran, tried) = (0, 0)
      // Every byte of the smallest file, and of the others as many as a test has time for.
      for place in stride(from: 0, to: data.count, by: name == Self.names[0] ? 1 : 7) {
        var byte = data[place]
        while byte == data[place] { byte = UInt8.random(in: 0...255, using: &generator) }
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: [byte])
        tried += 1
        ran += runs(file) ? 1 : 0
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: [data[place]])
      }
      #expect(ran > 0 && ran < tried)
    }
  }
}
