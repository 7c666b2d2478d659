import Settings

/// Why a recipe could not be used: the file, the place in it, and what is allowed there.
public struct RecipeError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, or the name of a built-in recipe.
  public var file: String
  /// Where in the file, as in `members[2].size`; empty when it is about the file as a whole.
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

  /// The message for people.
  public var description: String {
    key.isEmpty ? "\(file): \(problem)" : "\(file): \(key): \(problem)"
  }
}
