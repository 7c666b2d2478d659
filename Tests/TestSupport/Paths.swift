import Foundation

/// Where tests find files: the package itself, and the reference material that may lie beside it.
public enum Paths {
  /// The package's root folder.
  public static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// `../shared/reference`, or nil where it does not exist; tests that need it are then skipped.
  public static let reference: URL? = {
    let folder = package.appendingPathComponent("../shared/reference").standardizedFileURL
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// Whether `../shared/reference` is there, for `.enabled(if:)`.
  public static var hasReference: Bool { reference != nil }

  /// A file of the reference material; only for tests that `hasReference` enables.
  public static func reference(_ path: String) -> URL {
    (reference ?? package).appendingPathComponent(path)
  }

  /// A committed fixture: `Tests/Fixtures/<path>`.
  public static func fixture(_ path: String) -> URL {
    package.appendingPathComponent("Tests/Fixtures/\(path)")
  }

  /// Calls `body` with a new empty folder and removes it afterwards.
  public static func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dfkit-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
