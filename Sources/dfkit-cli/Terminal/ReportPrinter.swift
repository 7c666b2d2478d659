import DFKit
import Foundation

/// Prints a job's reports: JSON entries at once, or one table at the end. Errors go to standard
/// error at once.
struct ReportPrinter<Report> {
  private let bar: ProgressBar
  private let table: ([Report]) -> String
  private var array: JSONArrayPrinter?
  private var reports: [Report] = []

  init(json: Bool, _ bar: ProgressBar, table: @escaping ([Report]) -> String) throws {
    self.bar = bar
    self.table = table
    array = json ? try JSONArrayPrinter() : nil
  }

  /// Prints a report, or keeps it for the table. `json` holds its entries of the JSON array.
  mutating func print(_ report: Report, json: some Collection<JSON>, error: String?) throws {
    if let error {
      bar.clear()
      Output.note(error, inTable: array == nil)
    }
    if array == nil {
      reports.append(report)
    } else {
      bar.clear()
      for entry in json { try array?.print(entry) }
    }
  }

  func end() throws {
    bar.clear()
    if let array {
      try array.end()
    } else {
      try Output.show(table(reports))
    }
  }
}
