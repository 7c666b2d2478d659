import Foundation
import Testing

/// The `dfkit` program that was built with these tests.
enum Tool {
  /// What a run left behind.
  struct Result {
    let status: Int32
    let output: String
    let errors: String

    /// Standard output as JSON.
    func json<T>(_ type: T.Type = T.self) throws -> T {
      try #require(
        try JSONSerialization.jsonObject(with: Data(output.utf8), options: .fragmentsAllowed) as? T,
        "\(output)\n\(errors)")
    }
  }

  /// The program: it lies beside the test bundle, or above it on macOS.
  static let url: URL = {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    for start in [Bundle.main.bundleURL, folder] {
      folder = start
      while folder.path != "/" {
        let program = folder.appendingPathComponent("dfkit")
        if FileManager.default.isExecutableFile(atPath: program.path) { return program }
        folder.deleteLastPathComponent()
      }
    }
    return URL(fileURLWithPath: "dfkit")
  }()

  /// Runs the program to its end.
  static func run(
    _ arguments: [String], in folder: URL? = nil, program: URL = url,
    environment: [String: String] = [:]
  ) throws -> Result {
    let running = try Running(arguments, in: folder, program: program, environment: environment)
    return try running.finish()
  }

  /// Runs the program with a terminal of so many columns as standard output and error; what it
  /// wrote there.
  static func runOnTerminal(
    _ arguments: [String], columns: UInt16, in folder: URL
  ) throws -> (status: Int32, output: String) {
    var (master, slave): (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    try #require(openpty(&master, &slave, nil, nil, &size) == 0)
    defer { close(master) }
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    let terminal = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
    process.standardOutput = terminal
    process.standardError = terminal
    process.environment = ProcessInfo.processInfo.environment
      .merging(["XDG_DATA_HOME": folder.path]) { $1 }.filter { $0.key != "COLUMNS" }
    try process.run()
    // The terminal ends when the program, which has it now, is at its end.
    close(slave)
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(master, &block, block.count)
      guard count > 0 else { break }
      bytes += block.prefix(count)
    }
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
    return (process.terminationStatus, text)
  }
}

/// A run of the program that goes on.
final class Running {
  private let process = Process()
  private let folder: URL
  private let outputFile: URL
  private let errorFile: URL

  /// Starts the program. Its output goes to files, which cannot fill up as pipes do.
  init(
    _ arguments: [String], in workingFolder: URL? = nil, program: URL = Tool.url,
    environment: [String: String] = [:]
  ) throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dfkit-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    outputFile = folder.appendingPathComponent("output")
    errorFile = folder.appendingPathComponent("errors")
    try Data().write(to: outputFile)
    try Data().write(to: errorFile)
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    if let workingFolder { process.currentDirectoryURL = workingFolder }
    // What the user has fetched must not change what tests see.
    process.environment = ProcessInfo.processInfo.environment
      .merging(["XDG_DATA_HOME": folder.path]) { $1 }.merging(environment) { $1 }
    try process.run()
  }

  /// What it has printed so far.
  var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }

  /// Whether it still runs.
  var isRunning: Bool { process.isRunning }

  /// Sends it Ctrl-C's signal.
  func interrupt() { process.interrupt() }

  /// Ends it, whatever it is doing.
  func kill() {
    // The gentler signals may be blocked: children inherit what the starting thread blocks.
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }

  /// Waits for its end.
  func finish() throws -> Tool.Result {
    defer { try? FileManager.default.removeItem(at: folder) }
    process.waitUntilExit()
    return Tool.Result(
      status: process.terminationStatus, output: output,
      errors: try String(contentsOf: errorFile, encoding: .utf8))
  }

  deinit {
    if process.isRunning { process.terminate() }
  }
}
