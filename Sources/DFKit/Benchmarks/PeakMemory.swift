import Foundation

/// The most memory that this process had in RAM.
enum PeakMemory {
  /// Bytes since `restart`; nil where there is no Linux to tell.
  static var bytes: Int? {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 }
  }

  static func restart() {
    // Linux: 5 resets the peak. Where that is not possible the peak stays what it was.
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
  }
}
