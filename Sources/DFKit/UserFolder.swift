import Foundation

/// The user's folders for files that dfkit keeps (XDG Base Directory Specification 0.8). Relative
/// paths in the environment are ignored, as the specification requires.
enum UserFolder {
  /// `$XDG_CACHE_HOME/dfkit/name`, by default `~/.cache/dfkit/name`. Nil if the environment names
  /// no home folder.
  static func cache(_ name: String, _ environment: [String: String]) -> URL? {
    let folder =
      absolute("XDG_CACHE_HOME", environment)
      ?? absolute("HOME", environment)?.appendingPathComponent(".cache")
    return folder?.appendingPathComponent("dfkit/\(name)")
  }

  /// `$XDG_DATA_HOME/dfkit/name`, by default `~/.local/share/dfkit/name`. Nil if the environment
  /// names no home folder.
  static func data(_ name: String, _ environment: [String: String]) -> URL? {
    let folder =
      absolute("XDG_DATA_HOME", environment)
      ?? absolute("HOME", environment)?.appendingPathComponent(".local/share")
    return folder?.appendingPathComponent("dfkit/\(name)")
  }

  private static func absolute(_ name: String, _ environment: [String: String]) -> URL? {
    environment[name].flatMap { $0.hasPrefix("/") ? URL(fileURLWithPath: $0) : nil }
  }
}
