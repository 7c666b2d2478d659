import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// The ONNX nodes of every operation, run by dfkit's own reader of ONNX and, where it is installed,
/// by ONNX Runtime.
@Suite struct ONNXOperationTests {
  /// Operations that no network runs at inference: losses, and batch norm by a batch's statistics.
  private static func isForTraining(_ entry: CatalogueEntry) -> Bool {
    if let norm = entry.operation as? BatchNormalization { return norm.measured }
    return OperationCatalogue.losses.contains { $0.name == entry.name }
  }

  static let entries = OperationCatalogue.all.filter { !isForTraining($0) }

  /// The model of an entry, and the tensors to feed to it: with the channels first, the same ones
  /// with their axes moved.
  private func model(
    _ entry: CatalogueEntry, channelsFirst: Bool = false
  ) throws -> (model: ONNXModel, feed: [Tensor]) {
    let inputs = entry.makeInputs(seed: 5)
    var model = try ONNXModel(tracing: inputs, channelsFirst: channelsFirst) { entry.operation($0) }
    // A file without any weights is not taken for a network.
    model.tensors["unused"] = StateDict(tensors: [.init("unused", Tensor(scalar: 1))])["unused"]
    guard channelsFirst else { return (model, inputs) }
    return (
      model,
      inputs.map { x in
        x.rank < 3 ? x : x.transposed([0, x.rank - 1] + Array(1..<x.rank - 1))
      }
    )
  }

  @Test(arguments: entries, [false, true])
  func nodesComputeTheSame(_ entry: CatalogueEntry, channelsFirst: Bool) throws {
    let (model, inputs) = try model(entry, channelsFirst: channelsFirst)
    let expected = entry.operation.forward(entry.makeInputs(seed: 5)).output
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("operation.onnx")
      try model.write(to: file)
      let network = try ONNXNetwork(try StateDict.read(file))
      let named = Dictionary(
        uniqueKeysWithValues: inputs.enumerated().map { ("input\($0)", $1) })
      let output = try #require(try network(named)["output"])
      #expect(output.shape == expected.shape)
      expectClose(output, expected, tolerance: 1e-5, entry.name)
    }
  }

  @Test(arguments: OperationCatalogue.all.filter(isForTraining))
  func whatOnlyTrainingRunsIsRefused(_ entry: CatalogueEntry) {
    #expect(throws: ONNXExportError.self) { try model(entry) }
  }

  @Test(.enabled(if: ONNXRuntime.isInstalled))
  func nodesComputeTheSameInONNXRuntime() throws {
    try Paths.withTemporaryFolder { folder in
      let both = [false, true].flatMap { order in Self.entries.map { ($0, order) } }
      for (index, (entry, channelsFirst)) in both.enumerated() {
        let (model, inputs) = try model(entry, channelsFirst: channelsFirst)
        try model.write(to: folder.appendingPathComponent("\(index).onnx"))
        for (place, input) in inputs.enumerated() {
          try input.withUnsafeBuffer { Data(buffer: $0) }
            .write(to: folder.appendingPathComponent("\(index).in\(place)"))
        }
      }
      try ONNXRuntime.run(folder)
      for (index, (entry, _)) in both.enumerated() {
        let expected = entry.operation.forward(entry.makeInputs(seed: 5)).output
        let bytes = try Data(contentsOf: folder.appendingPathComponent("\(index).out"))
        try #require(bytes.count == 4 * expected.count, "\(entry.name): \(bytes.count) bytes")
        let output = Tensor(shape: expected.shape) { _ = bytes.copyBytes(to: $0) }
        expectClose(output, expected, tolerance: 1e-5, entry.name)
      }
    }
  }
}

/// ONNX Runtime, if a `python3` on the PATH has it.
enum ONNXRuntime {
  static let isInstalled = (try? run(["-c", "import onnx, onnxruntime"])) == 0

  /// Runs every model `N.onnx` of a folder on its inputs `N.in0` and so on, and writes `N.out`.
  static func run(_ folder: URL) throws {
    let script = """
      import glob, sys, numpy, onnx, onnxruntime
      options = onnxruntime.SessionOptions()
      options.log_severity_level = 3
      for path in glob.glob(sys.argv[1] + "/*.onnx"):
          onnx.checker.check_model(path, full_check=True)
          session = onnxruntime.InferenceSession(path, options)
          feed = {}
          for index, port in enumerate(session.get_inputs()):
              values = numpy.fromfile(path[:-4] + "in%d" % index, numpy.float32)
              feed[port.name] = values.reshape(port.shape)
          output = session.run(None, feed)[0]
          numpy.ascontiguousarray(output).tofile(path[:-4] + "out")
      """
    let status = try run(["-c", script, folder.path])
    #expect(status == 0)
  }

  private static func run(_ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
