import Measures

/// How much there is in a manifest, by label.
package struct DataOutline: Sendable, Equatable {
  /// What there is of one label.
  package struct Counts: Sendable, Equatable {
    /// Face crops.
    package var samples = 0
    /// Videos; of a part of a `DataSplit`, groups of neighbouring files where the videos are not
    /// known.
    package var videos = 0
    /// Persons; 0 where they are not known.
    package var people = 0
  }

  /// Real faces.
  package var real = Counts()
  /// Fakes.
  package var fake = Counts()

  /// The outline of a manifest.
  package init(_ manifest: FaceManifest) {
    var videos: [Set<Int32>] = [[], []]
    var people: [Set<Int32>] = [[], []]
    var samples = [0, 0]
    for row in manifest.table.rows {
      let label = Int(row.label.rawValue)
      samples[label] += 1
      if row.video >= 0 { videos[label].insert(row.video) }
      if row.person >= 0 { people[label].insert(row.person) }
    }
    real = Counts(samples: samples[0], videos: videos[0].count, people: people[0].count)
    fake = Counts(samples: samples[1], videos: videos[1].count, people: people[1].count)
  }

  /// Both labels' samples.
  package var samples: Int { real.samples + fake.samples }
}

extension FaceManifest {
  /// Whether a column of the file says which samples are for training and which for validation.
  public var hasSplit: Bool {
    table.rows.contains { $0.split != SampleTable.Row.none }
  }
}
