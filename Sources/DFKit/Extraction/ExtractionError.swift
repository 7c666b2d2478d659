/// Why faces could not be extracted into a folder. The description names the file, the cause and a
/// remedy.
package enum ExtractionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A file or folder of the dataset cannot be written.
  case unwritable(file: String, reason: String)
  /// The folder holds a dataset that was extracted with other settings.
  case otherSettings(folder: String, differences: [String])
  /// The folder holds a manifest that was not written by an extraction.
  case foreign(folder: String)
  /// A file in the folder is not as the extraction wrote it.
  case damaged(file: String, reason: String)
  /// The options contradict each other.
  case impossible(problem: String)

  /// The error message, with a remedy.
  package var description: String {
    switch self {
    case .unwritable(let file, let reason):
      "\(file): cannot be written: \(reason). Finished videos are kept: solve the problem, then run"
        + " the same command again to continue"
    case .otherSettings(let folder, let differences):
      "\(folder) was started with other settings. Use the same, or name another folder (--out):\n  "
        + differences.joined(separator: "\n  ")
    case .foreign(let folder):
      "\(folder) holds a manifest.csv that 'dfkit extract' did not write; name another folder"
        + " (--out)"
    case .damaged(let file, let reason):
      "\(file): \(reason). Restore the file, or name another folder (--out)."
    case .impossible(let problem):
      problem
    }
  }
}
