import Settings

/// Why a recipe could not be used. Names the file, the key and the allowed values.
public struct RecipeError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, or the name of a built-in recipe.
  public var file: String
  /// The key in the file, such as `members[2].size`; empty if the error concerns the whole file.
  public var key: String
  /// What is wrong and what is allowed.
  public var problem: String

  /// An error about `key` of `file`.
  public init(file: String, key: String = "", problem: String) {
    self.file = file
    self.key = key
    self.problem = problem
  }

  init(file: String, _ error: SettingError) {
    self.init(file: file, key: error.key, problem: error.problem)
  }

  /// The error message: file, key and problem.
  public var description: String {
    key.isEmpty ? "\(file): \(problem)" : "\(file): \(key): \(problem)"
  }
}
