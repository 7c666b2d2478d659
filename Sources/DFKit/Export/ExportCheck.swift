import DeepfakeCore
import Foundation

/// Runs an exported file in another program and compares the results with dfkit's.
package enum ExportCheck {
  /// The outcome of a comparison.
  package struct Result: Sendable, Equatable {
    /// The program that ran the file, with its version.
    package var program: String
    /// The largest difference of an element, relative to the largest element of its output, or to
    /// 1 if that is smaller.
    package var difference: Double
    /// Whether the difference is as small as the file's precision allows.
    package var isClose: Bool

    package var text: String {
      "\(program): largest difference \(String(format: "%.1e", difference))"
        + (isClose ? "" : ", which is too large")
    }

    package var json: JSON {
      [
        "program": .string(program), "difference": .double(difference),
        "isClose": .bool(isClose),
      ]
    }
  }

  /// The allowed difference of files with 32 and with 16 bits.
  package static let tolerances = (f32: 1e-4, f16: 3e-2)

  /// Runs a file on two images of random numbers.
  ///
  /// - Throws: `ExportError.checkFailed` if the file does not run.
  package static func run(_ report: ExportReport) throws -> Result {
    let model = report.model
    let images = images(for: model.inputs[0])
    let expected = model.outputs(for: images)
    let (program, found) = try results(report.files[0], images, expected.map(\.shape))
    let difference = zip(found, expected).map { found, expected in
      let scale = max(1, expected.abs().max().item)
      return Double((found - expected).abs().max().item / scale)
    }.max { $1.isNaN || $0 < $1 }
    let limit = report.dtype == .f16 ? tolerances.f16 : tolerances.f32
    return Result(
      program: program, difference: difference ?? 0, isClose: (difference ?? 0) <= limit)
  }

  /// Two images of random numbers for an input, [2, height, width, channels].
  private static func images(for input: ONNXModel.Port) -> Tensor {
    // An open size gets one that no power of two divides.
    let sizes = zip(input.shape, [2, 3, 135, 202]).map { extent, other in
      if case .fixed(let extent) = extent { extent } else { other }
    }
    var generator = SeededGenerator(seed: 1, label: "export")
    return .uniform(
      shape: [sizes[0], sizes[2], sizes[3], sizes[1]], in: -2..<2, using: &generator)
  }

  /// Runs the file, and returns its outputs in the file's order of axes.
  private static func results(
    _ model: URL, _ images: Tensor, _ shapes: [[Int]]
  ) throws -> (program: String, outputs: [Tensor]) {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dfkit-check-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = images.transposed([0, 3, 1, 2])
    if let version = try runPython(model, input, in: folder) {
      let outputs = try shapes.enumerated().map { index, shape in
        try read(folder.appendingPathComponent("\(index)"), shape: shape)
      }
      return ("ONNX Runtime \(version)", outputs)
    }
    let network = try ONNXNetwork(try StateDict.read(model))
    let found = try network.run(images: images)
    return ("dfkit's own reader (no ONNX Runtime found)", found.map(\.value))
  }

  /// Runs the file in ONNX Runtime.
  ///
  /// - Returns: The version of ONNX Runtime; nil if there is none.
  private static func runPython(_ model: URL, _ input: Tensor, in folder: URL) throws -> String? {
    guard let python = ChildProcess.program("python3") else { return nil }
    let log = folder.appendingPathComponent("log")
    try input.withUnsafeBuffer { Data(buffer: $0) }.write(to: folder.appendingPathComponent("x"))
    let process = ChildProcess(
      program: python,
      arguments: [
        "-c", script, model.standardizedFileURL.path,
        input.shape.map(String.init).joined(separator: ","),
      ], folder: folder, environment: ProcessInfo.processInfo.environment, log: log)
    let status = try process.run()
    let output = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    let last = output.split(separator: "\n").last.map(String.init) ?? ""
    if status == 3 { return nil }
    guard status == 0 else { throw ExportError.checkFailed(model.relativePath, reason: last) }
    return last
  }

  /// Reads `x`, writes the outputs as `0`, `1` and so on, and prints the version. Ends with 3 if
  /// there is no ONNX Runtime.
  private static let script = """
    import sys
    try:
        import numpy, onnxruntime
    except ImportError:
        sys.exit(3)
    try:
        import onnx
        onnx.checker.check_model(sys.argv[1], full_check=True)
    except ImportError:
        pass
    shape = [int(extent) for extent in sys.argv[2].split(",")]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        sys.argv[1], options, providers=["CPUExecutionProvider"])
    images = numpy.fromfile("x", numpy.float32).reshape(shape)
    for index, value in enumerate(session.run(None, {session.get_inputs()[0].name: images})):
        numpy.ascontiguousarray(value, numpy.float32).tofile(str(index))
    print(onnxruntime.__version__)
    """

  private static func read(_ file: URL, shape: [Int]) throws -> Tensor {
    let data = try Data(contentsOf: file)
    let count = Tensor.elementCount(of: shape)
    guard data.count == count * MemoryLayout<Float>.size else {
      throw ExportError.checkFailed(
        file.lastPathComponent, reason: "an output has \(data.count / 4) elements, not \(count)")
    }
    return Tensor(shape: shape) { _ = data.copyBytes(to: $0) }
  }
}
