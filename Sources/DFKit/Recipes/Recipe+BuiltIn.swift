import CDFResources
import Foundation

extension Recipe {
  /// The recipe that commands use by default. Its weights ship with dfkit.
  public static let defaultName = "default"

  /// The names of the recipes that ship inside the program.
  public static var builtInNames: [String] {
    (0..<df_recipe_count()).map { String(cString: df_recipe($0).name) }
  }

  /// The YAML text of a built-in recipe; nil if there is none with this name.
  public static func builtInText(_ name: String) -> String? {
    for index in 0..<df_recipe_count() {
      let resource = df_recipe(index)
      if String(cString: resource.name) == name {
        let bytes = UnsafeBufferPointer(start: resource.bytes, count: resource.count)
        return String(decoding: bytes, as: UTF8.self)
      }
    }
    return nil
  }

  /// The recipe that a command's argument names: a built-in recipe, or the path of a YAML file.
  ///
  /// - Throws: `RecipeError` if it is neither, or if the recipe is invalid.
  public static func named(_ name: String) throws(RecipeError) -> Recipe {
    if let text = builtInText(name) { return try Recipe(yaml: text, file: name) }
    guard FileManager.default.fileExists(atPath: name) else {
      throw RecipeError(
        file: name,
        problem: "is neither a built-in recipe (\(builtInNames.joined(separator: ", ")))"
          + " nor a file")
    }
    return try Recipe(contentsOf: URL(fileURLWithPath: name))
  }

  /// The YAML text that `named` would read, with its comments.
  ///
  /// - Throws: `RecipeError` if the file cannot be read.
  public static func text(named name: String) throws(RecipeError) -> String {
    if let text = builtInText(name) { return text }
    return try readText(URL(fileURLWithPath: name))
  }
}
