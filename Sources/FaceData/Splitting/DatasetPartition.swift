import Measures

/// A dataset divided into parts.
package struct DatasetPartition: Sendable {
  /// The samples.
  package let manifest: FaceManifest
  /// Each sample's part.
  package let parts: [DatasetPart]
  /// The fold in which each sample is held out, from 1; nil for samples of the test part. The whole
  /// array is nil if there are no folds.
  package let folds: [Int?]?
  /// Each sample's group, from 0.
  package let groups: [Int]
  /// The number of groups.
  package let groupCount: Int
  /// The links that join groups: without any one of them there would be more groups.
  package let links: [SampleLink]
  /// The strata of which every part has its share, as far as groups allow.
  package let strata: DatasetSplitter.Strata
  /// The rule that grouped the samples in addition to `links`; nil if each sample was drawn alone.
  package let rule: DataSplit.Rule?
  /// Whether the pictures were compared.
  package let sawPictures: Bool

  init(
    manifest: FaceManifest, parts: [DatasetPart], folds: [Int?]?, groups: SampleGroups.Joined,
    strata: DatasetSplitter.Strata, rule: DataSplit.Rule?, sawPictures: Bool
  ) {
    self.manifest = manifest
    self.parts = parts
    self.folds = folds
    self.groups = groups.groups
    groupCount = groups.count
    links = groups.needed
    self.strata = strata
    self.rule = rule
    self.sawPictures = sawPictures
  }

  /// Stores the split, the fold and the group of the sample at `index` in `sample`. The group is
  /// set only if the pictures were compared.
  package func mark(_ sample: inout FaceSample, at index: Int) {
    let isGrouped = rule != nil && sawPictures
    sample.split = parts[index].rawValue
    sample.fold = folds?[index]
    sample.group = isGrouped ? "g\(groups[index] + 1)-\(manifest.digest.prefix(6))" : nil
  }

  /// The samples that a part has of one label and collection.
  package struct Share: Sendable, Equatable {
    package var part: DatasetPart
    package var label: FaceLabel
    /// The collection; nil if the manifest does not name one.
    package var origin: String?
    package var samples = 0
    /// Number of groups that these samples are in.
    package var groups = 0
    /// Number of known videos.
    package var videos = 0
  }

  /// The shares of all parts, ordered by part, collection and label, without empty ones.
  package var shares: [Share] {
    struct Key: Hashable {
      var part: DatasetPart
      var label: FaceLabel
      var origin: Int32
    }
    var samples: [Key: Int] = [:]
    var members: [Key: (groups: Set<Int>, videos: Set<Int32>)] = [:]
    for (index, row) in manifest.table.rows.enumerated() {
      let key = Key(part: parts[index], label: row.label, origin: row.origin)
      samples[key, default: 0] += 1
      members[key, default: ([], [])].groups.insert(groups[index])
      if row.video >= 0 { members[key]?.videos.insert(row.video) }
    }
    let order = Dictionary(
      uniqueKeysWithValues: DatasetPart.allCases.enumerated().map { ($0.element, $0.offset) })
    return samples.keys.sorted { a, b in
      if a.part != b.part { return (order[a.part] ?? 0) < (order[b.part] ?? 0) }
      if a.origin != b.origin { return a.origin < b.origin }
      return a.label.rawValue < b.label.rawValue
    }.map { key in
      Share(
        part: key.part, label: key.label, origin: manifest.table.words[key.origin],
        samples: samples[key] ?? 0, groups: members[key]?.groups.count ?? 0,
        videos: members[key]?.videos.count ?? 0)
    }
  }

  /// A group and the links that hold it together.
  package struct Group: Sendable, Equatable {
    package var samples = 0
    /// Number of videos, including originals, that the manifest names for these samples.
    package var videos = 0
    /// Number of persons that the manifest names for these samples.
    package var people = 0
    /// Number of joining links of each kind, in the order of kinds.
    package var links: [(kind: LinkKind, count: Int)] = []
    /// At most five links by similar looks, the weakest first. Doubt these if the group is too
    /// large.
    package var weakest: [SampleLink] = []

    /// Written out, since an array of tuples is not `Equatable`.
    package static func == (a: Group, b: Group) -> Bool {
      a.samples == b.samples && a.videos == b.videos && a.people == b.people
        && a.links.elementsEqual(b.links, by: ==) && a.weakest == b.weakest
    }
  }

  /// The group with the most samples; of equal ones the first.
  package var largestGroup: Group {
    var sizes = [Int](repeating: 0, count: groupCount)
    for group in groups { sizes[group] += 1 }
    guard let largest = sizes.indices.max(by: { (sizes[$0], $1) < (sizes[$1], $0) }) else {
      return Group()
    }
    var result = Group(samples: sizes[largest])
    var videos: Set<Int32> = []
    var people: Set<Int32> = []
    for (index, row) in manifest.table.rows.enumerated() where groups[index] == largest {
      videos.formUnion([row.video, row.original].filter { $0 >= 0 })
      if row.person >= 0 { people.insert(row.person) }
    }
    (result.videos, result.people) = (videos.count, people.count)
    let inside = links.filter { groups[$0.first] == largest }
    result.links = LinkKind.allCases.compactMap { kind in
      let count = inside.count { $0.kind == kind }
      return count > 0 ? (kind, count) : nil
    }
    let doubtful = inside.filter { $0.kind == .lookAlike || $0.kind == .nearCopy }
    result.weakest = Array(
      doubtful.sorted { ($0.similarity, $0.first) < ($1.similarity, $1.first) }.prefix(5))
    return result
  }
}
