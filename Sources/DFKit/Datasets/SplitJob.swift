import Foundation
import Training

/// Puts the samples of manifests into parts that share nothing, and writes that into a manifest.
package struct SplitJob: Sendable {
  /// What is split.
  package var input: DatasetInput
  /// How.
  package var splitter = DatasetSplitter()
  /// What holds samples together by their pictures; nil to go by the manifest alone.
  package var search: LinkSearch? = LinkSearch()

  package init(_ input: DatasetInput) {
    self.input = input
  }

  /// What came out.
  package struct Result: Sendable {
    /// The parts.
    package var partition: DatasetPartition
    /// The row of each sample, counted over all manifests.
    var rows: [Int]
    /// Pictures that could not be used; they are joined to others by the manifest alone.
    package var unreadable: [FingerprintTable.Unreadable] = []
    /// What there is to know beside that.
    package var notes: [String] = []
  }

  /// Splits.
  ///
  /// - Throws: `DatasetError`, `CancellationError`, what the embedder throws.
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

  /// Writes the manifests' rows with the columns `split`, `fold` (where there are folds) and
  /// `group` into one file, which may be one of them.
  ///
  /// - Throws: `DatasetError`.
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
  /// A stage whose length is not known.
  static func stage(_ name: String) -> JobProgress {
    JobProgress(name, part: 0.999)
  }
}
