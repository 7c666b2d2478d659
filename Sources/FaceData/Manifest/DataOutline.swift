import Measures

/// Numbers of samples, videos and persons in a manifest, by label.
package struct DataOutline: Sendable, Equatable {
  /// Numbers for one label.
  package struct Counts: Sendable, Equatable {
    /// Number of face crops.
    package var samples = 0
    /// Number of videos. In a part of a `DataSplit`, a group of neighbouring files counts as a
    /// video if the videos are unknown.
    package var videos = 0
    /// Number of persons; 0 if they are unknown.
    package var people = 0
  }

  /// Numbers of real faces.
  package var real = Counts()
  /// Numbers of fake faces.
  package var fake = Counts()

  /// Counts the samples of a manifest.
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

  /// Number of samples of both labels.
  package var samples: Int { real.samples + fake.samples }
}

extension FaceManifest {
  /// Whether at least one sample has a value in the column `split`.
  public var hasSplit: Bool {
    table.rows.contains { $0.split != SampleTable.Row.none }
  }
}
