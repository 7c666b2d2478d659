import MediaIO

/// An error in a dataset. The description names the file, the cause and the remedy.
public enum DatasetError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A manifest or another file does not exist or cannot be read.
  case unreadable(file: String, reason: String)
  /// A file cannot be written.
  case unwritable(file: String, reason: String)
  /// A line of a file is invalid; `column` is the name of a column, or empty.
  case malformed(file: String, line: Int, column: String, problem: String)
  /// A file as a whole cannot be used.
  case unusable(file: String, problem: String)
  /// Pictures that the manifest names do not exist; `first` lists at most ten of them.
  case missingFiles(count: Int, first: [String])
  /// The data cannot be split, ordered or filtered as asked.
  case impossible(problem: String)
  /// A picture cannot be used.
  case picture(MediaError)

  /// The message for the user.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      return "\(file): cannot be read: \(reason)"
    case .unwritable(let file, let reason):
      return "\(file): cannot be written: \(reason)"
    case .malformed(let file, let line, let column, let problem):
      let place = column.isEmpty ? "line \(line)" : "line \(line), column \(column)"
      return "\(file): \(place): \(problem)"
    case .unusable(let file, let problem):
      return "\(file): \(problem)"
    case .missingFiles(let count, let first):
      let rest = count > first.count ? " and \(count - first.count) more" : ""
      return "\(count) \(count == 1 ? "picture is" : "pictures are") missing: "
        + first.joined(separator: ", ") + rest
        + ". Add them, or remove their lines from the manifest."
    case .impossible(let problem):
      return problem
    case .picture(let error):
      return error.description
    }
  }
}
