import FaceData
import Foundation

/// Splits samples into parts (training, validation, test) that share no person, video or copied
/// picture, and writes the parts into a manifest.
package struct SplitJob: Sendable {
  /// The manifests to split.
  package var input: DatasetInput
  /// The sizes of the parts, the random seed and the rules for groups.
  package var splitter = DatasetSplitter()
  /// Finds by their pictures which samples belong together; nil: only the manifest decides.
  package var search: LinkSearch? = LinkSearch()

  package init(_ input: DatasetInput) {
    self.input = input
  }

  /// The parts, and remarks about the split.
  package struct Result: Sendable {
    /// The part, fold and group of each sample.
    package var partition: DatasetPartition
    /// The row of each sample, from 0, counted over all manifests and all their samples.
    var rows: [Int]
    /// Pictures that could not be read. Only the manifest decides which samples they belong to.
    package var unreadable: [FingerprintTable.Unreadable] = []
    /// Remarks for people, such as a cache that could not be used.
    package var notes: [String] = []
  }

  /// Measures the pictures if `search` is set and the split is not random, then splits the samples.
  ///
  /// - Throws: `DatasetError` if a manifest cannot be read, pictures are missing or the split is
  ///   impossible; `CancellationError` in a cancelled task; the errors of the embedder.
  package func run(progress: (JobProgress) -> Void = { _ in }) throws -> Result {
    let samples = try input.read()
    var links: [SampleLink]?
    var notes: [String] = []
    var unreadable: [FingerprintTable.Unreadable] = []
    if let search, !splitter.isRandom {
      try samples.manifest.checkFiles()
      let table = try input.measure(samples, progress: progress)
      unreadable = table.unreadable
      if let problem = table.cacheProblem { notes.append(problem) }
      progress(.stage("comparing \(table.count) pictures"))
      links = search.links(samples.manifest, table)
      try Task.checkCancellation()
    }
    let partition = try splitter.split(samples.manifest, links: links)
    return Result(
      partition: partition, rows: samples.rows, unreadable: unreadable, notes: notes)
  }

  /// Writes the split into one file, which may be one of the manifests. It holds the chosen rows of
  /// all manifests with the columns `split`, `group` and, if there are folds, `fold`. Rows that
  /// `input` did not choose are left out.
  ///
  /// - Throws: `DatasetError` if a manifest cannot be read or the file cannot be written.
  package func write(_ result: Result, to output: URL) throws(DatasetError) {
    let hasFolds = result.partition.folds != nil
    let columns = ManifestColumns(hasFolds ? [\.split, \.fold, \.group] : [\.split, \.group])
    var place = 0
    try columns.write(input.manifests, to: output, dropping: [\.fold]) { row, sample in
      guard place < result.rows.count, result.rows[place] == row else { return false }
      result.partition.mark(&sample, at: place)
      place += 1
      return true
    }
  }
}

extension JobProgress {
  /// The progress of a stage of unknown length: nearly done.
  static func stage(_ name: String) -> JobProgress {
    JobProgress(name, part: 0.999)
  }
}
