import Foundation
import TestSupport

/// A CSV file with some text, for the time that `body` runs.
func withCSV<R>(_ text: String, _ body: (URL) throws -> R) throws -> R {
  try withCSV(Data(text.utf8), body)
}

/// A CSV file with some bytes, likewise.
func withCSV<R>(_ bytes: Data, _ body: (URL) throws -> R) throws -> R {
  try Paths.withTemporaryFolder { folder in
    let file = folder.appendingPathComponent("faces.csv")
    try bytes.write(to: file)
    return try body(file)
  }
}
