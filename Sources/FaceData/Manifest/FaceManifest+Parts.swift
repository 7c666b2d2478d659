import Measures

extension FaceManifest {
  /// The part of each sample by the column `split`. A pseudo-labelled sample without a value there
  /// is for training.
  ///
  /// - Throws: `DatasetError.impossible` if another sample has no value there, or a sample has an
  ///   unknown one.
  package func parts() throws(DatasetError) -> [DatasetPart] {
    let parts = try knownParts()
    if let index = parts.indices.first(where: {
      parts[$0] == nil && !table.rows[$0].isPseudoLabelled
    }) {
      throw unknownPart(of: table.rows[index])
    }
    return parts.map { $0 ?? .training }
  }

  /// The part of each sample by the column `split`; nil for a sample without a value there.
  ///
  /// - Throws: `DatasetError.impossible` if a sample has an unknown value there.
  package func knownParts() throws(DatasetError) -> [DatasetPart?] {
    var known: [Int32: DatasetPart] = [:]
    var parts: [DatasetPart?] = []
    parts.reserveCapacity(count)
    for row in table.rows {
      guard let word = table.words[row.split] else {
        parts.append(nil)
        continue
      }
      guard let part = known[row.split] ?? DatasetPart(word) else { throw unknownPart(of: row) }
      known[row.split] = part
      parts.append(part)
    }
    return parts
  }

  private func unknownPart(of row: SampleTable.Row) -> DatasetError {
    .impossible(
      problem:
        "\(table.path(row)) has '\(table.words[row.split, default: ""])' in the column split; write"
        + " train, validation, test or unused in every row, or leave the column empty in all"
        + " rows")
  }
}

// MARK: Pseudo-labels

extension FaceManifest {
  /// The number of samples that a teacher labelled (the column `probability`).
  package var pseudoLabelledCount: Int { table.rows.count(where: \.isPseudoLabelled) }

  /// The samples whose labels are known: without those that a teacher labelled. Only these can tell
  /// how good a network is.
  package var withKnownLabels: FaceManifest {
    pseudoLabelledCount == 0
      ? self : subset(table.rows.indices.filter { !table.rows[$0].isPseudoLabelled })
  }

  /// The names of the teachers in the column `teacher`, sorted.
  package var teachers: [String] {
    Set(table.rows.filter(\.isPseudoLabelled).map(\.teacher)).compactMap { table.words[$0] }
      .sorted()
  }
}
