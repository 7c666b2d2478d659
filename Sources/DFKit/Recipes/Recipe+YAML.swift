import DeepfakeCore
import Foundation
import Settings

extension Recipe {
  /// Reads a recipe from a file. Paths in it are relative to the file's folder.
  ///
  /// - Throws: `RecipeError` if the file cannot be read or the recipe is invalid.
  public init(contentsOf url: URL) throws(RecipeError) {
    try self.init(
      yaml: try Self.readText(url), file: url.relativePath,
      folder: url.deletingLastPathComponent())
  }

  /// Reads a recipe from YAML text.
  ///
  /// - Parameters:
  ///   - file: The name of the text in errors.
  ///   - folder: The folder that paths are relative to; nil: the current folder.
  /// - Throws: `RecipeError` if the recipe is invalid.
  public init(yaml: String, file: String, folder: URL? = nil) throws(RecipeError) {
    self.init(name: "", members: [])
    var fields = SettingFields(.reading, try YAMLText.read(yaml, file: file), folder: folder)
    do throws(SettingError) {
      try fields.pass(over: &self)
    } catch {
      throw RecipeError(file: file, error)
    }
    do throws(RecipeError) {
      _ = try combination()
    } catch {
      throw RecipeError(file: file, key: error.key, problem: error.problem)
    }
  }

  /// The recipe as YAML that reads back as the same recipe.
  public var yaml: String { YAMLText.write(sections) }

  /// Reads the text of a recipe file. Reads at most one byte more than `YAMLText` accepts.
  ///
  /// - Throws: `RecipeError` if the file cannot be read or is not UTF-8.
  static func readText(_ url: URL) throws(RecipeError) -> String {
    let data: Data
    do {
      let handle = try FileHandle(forReadingFrom: url)
      defer { try? handle.close() }
      data = try handle.read(upToCount: YAMLText.sizeLimit + 1) ?? Data()
    } catch {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      let reason = isFolder.boolValue ? "it is a folder" : error.reason
      throw RecipeError(file: url.relativePath, problem: "cannot be read: \(reason)")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw RecipeError(file: url.relativePath, problem: "is not UTF-8 text")
    }
    // Some Windows editors begin files with a byte order mark, which the parser would read as text.
    let mark: Unicode.Scalar = "\u{FEFF}"
    return text.unicodeScalars.first == mark ? String(text.unicodeScalars.dropFirst()) : text
  }

  /// Whether a text is a valid name: 1 to 100 ASCII letters, digits, `.`, `_` and `-`, not starting
  /// with `.` or `-`. Names become file names and parts of `MEMBER=FILE` arguments.
  static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 100 && !text.hasPrefix(".") && !text.hasPrefix("-")
      && text.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || $0.properties.numericType != nil
            || "._-".unicodeScalars.contains($0))
      }
  }
}
