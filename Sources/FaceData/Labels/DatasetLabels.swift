import Foundation
import MediaIO

/// The labels of a dataset's videos, from one chosen source or from the first that knows a video.
///
/// The automatic choice tries these sources in order: a `metadata.json` beside the video, the
/// folders of FaceForensics++ and of Celeb-DF, a `labels.csv` beside the video or one folder up
/// that lists it, and the names of its folders.
package struct DatasetLabels: Sendable {
  /// The source of labels.
  package enum Choice: Sendable, Equatable {
    /// All sources in turn.
    case automatic
    /// `DFDCLabels`.
    case dfdc
    /// `FaceForensicsLabels`.
    case faceForensics
    /// `CelebDFLabels`.
    case celebDF
    /// `FolderLabels`.
    case folders
    /// `TableLabels` of a CSV file.
    case table(URL)

    /// The choices by their names on the command line.
    package static let words: [(word: String, choice: Choice)] = [
      ("auto", .automatic), ("dfdc", .dfdc), ("faceforensics", .faceForensics),
      ("celeb-df", .celebDF), ("folders", .folders),
    ]
  }

  private var sources: [any LabelSource]
  private let choice: Choice
  /// Number of videos labelled by each source, by the source's name.
  package private(set) var counts: [String: Int] = [:]
  /// Number of files that were left out, by the reason.
  package private(set) var leftOut: [String: Int] = [:]

  /// Opens the chosen source.
  ///
  /// - Throws: `DatasetError` if the CSV file of `table` cannot be used.
  package init(_ choice: Choice = .automatic) throws(DatasetError) {
    self.choice = choice
    switch choice {
    case .automatic:
      sources = [
        DFDCLabels(), FaceForensicsLabels(), CelebDFLabels(), NearbyTableLabels(), FolderLabels(),
      ]
    case .dfdc: sources = [DFDCLabels()]
    case .faceForensics: sources = [FaceForensicsLabels()]
    case .celebDF: sources = [CelebDFLabels()]
    case .folders: sources = [FolderLabels()]
    case .table(let file): sources = [try TableLabels(file)]
    }
  }

  /// The label of a video, or why it is left out.
  ///
  /// - Throws: `DatasetError` if no source knows the video or a list cannot be read.
  package mutating func answer(for file: URL) throws(DatasetError) -> LabelAnswer {
    for index in sources.indices {
      guard let answer = try sources[index].answer(for: file) else { continue }
      switch answer {
      case .label: counts[sources[index].name, default: 0] += 1
      case .leftOut(let reason): leftOut[reason, default: 0] += 1
      }
      return answer
    }
    let problem: String
    switch choice {
    case .automatic:
      problem =
        "has no label: no metadata.json in its folder and no labels.csv in its folder or the folder"
        + " above lists it, and its folders are not named real or fake. Give the labels with"
        + " --labels FILE.csv"
    default:
      problem =
        "has no label in \(sources[0].name). Add it there, or give other labels with --labels"
    }
    throw .unusable(file: file.relativePath, problem: problem)
  }

  /// Entries of the lists read so far whose video was not asked for and does not exist.
  package func entriesWithoutFile() -> [LabelEntry] { sources.flatMap { $0.entriesWithoutFile() } }

  /// Ends an error message about entries without a file, where these are an error.
  package static let strictAdvice =
    ". Add the files, or remove the rows from the list; without --strict they are ignored."

  /// Number of videos from each source, in words; empty before the first label.
  package var text: String {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.key): \($0.value) \($0.value == 1 ? "video" : "videos")" }
      .joined(separator: "; ")
  }
}

/// Labels from the `labels.csv` in a video's folder, or in the folder above, if it lists the video.
private struct NearbyTableLabels: LabelSource {
  let name = "labels.csv"
  private var tables: [String: Result<TableLabels?, DatasetError>] = [:]

  mutating func answer(for file: URL) throws(DatasetError) -> LabelAnswer? {
    var folder = file.standardizedFileURL
    for _ in 0..<2 {
      folder.deleteLastPathComponent()
      guard var table = try table(in: folder) else { continue }
      // Removed while it is changed, or the table would be copied.
      tables[folder.path] = nil
      let answer = table.answer(for: file, elsewhere: false)
      tables[folder.path] = .success(table)
      if let answer { return answer }
    }
    return nil
  }

  func entriesWithoutFile() -> [LabelEntry] {
    tables.sorted { $0.key < $1.key }
      .flatMap { (try? $0.value.get())?.entriesWithoutFile() ?? [] }
  }

  private mutating func table(in folder: URL) throws(DatasetError) -> TableLabels? {
    if let known = tables[folder.path] { return try known.get() }
    let file = folder.appendingPathComponent(name, isDirectory: false)
    let read: Result<TableLabels?, DatasetError>
    if FileManager.default.fileExists(atPath: file.path) {
      do throws(DatasetError) { read = .success(try TableLabels(file)) } catch {
        read = .failure(error)
      }
    } else {
      read = .success(nil)
    }
    tables[folder.path] = read
    return try read.get()
  }
}
