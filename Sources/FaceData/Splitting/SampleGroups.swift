import DeepfakeCore
import FaceDetect
import Measures

/// Groups of samples that belong together: samples linked by group, person, video or original, and
/// neighbouring files if none of these is known.
struct SampleGroups {
  /// Each sample's group, numbered from 0 in the order of the samples, and the number of groups.
  struct Joined {
    var groups: [Int]
    var count: Int
    /// The links that join groups: without any one of them there would be more groups.
    var needed: [SampleLink] = []
  }

  /// Neighbouring files of one folder and label, sorted by name.
  private struct Run {
    var samples: ArraySlice<Int>
    /// Number of the block of the first `blockLength` files.
    var firstBlock: Int
    var blockLength: Int
  }

  private let table: SampleTable
  private var runs: [Run] = []
  /// The block of each unknown sample (without group, person, video and original); -1 for the
  /// others.
  private var blocks: [Int]
  private var blockCount = 0

  /// Groups unknown samples into blocks.
  ///
  /// - Parameter blockLength: Number of files in a block; nil makes every unknown sample a block of
  ///   its own.
  init(_ table: SampleTable, blockLength: Int?) {
    self.table = table
    blocks = Array(repeating: -1, count: table.rows.count)
    let none = SampleTable.Row.none
    let unknown = table.rows.indices.filter {
      let row = table.rows[$0]
      return row.group == none && row.person == none && row.video == none && row.original == none
    }
    let ordered = NaturalOrder(table).sorted(unknown)
    let small = table.rows.count / 20
    var start = 0
    while start < ordered.count {
      let first = table.rows[ordered[start]]
      var end = start + 1
      while end < ordered.count, Self.isSameFolder(first, table.rows[ordered[end]]) { end += 1 }
      let samples = ordered[start..<end]
      let length =
        blockLength.map {
          samples.count <= small ? samples.count : min($0, max(1, samples.count / 8))
        }
        ?? 1
      runs.append(Run(samples: samples, firstBlock: blockCount, blockLength: length))
      for (place, sample) in samples.enumerated() {
        blocks[sample] = blockCount + place / length
      }
      blockCount += samples.count.dividedRoundingUp(by: length)
      start = end
    }
  }

  private static func isSameFolder(_ a: SampleTable.Row, _ b: SampleTable.Row) -> Bool {
    a.root == b.root && a.folder == b.folder && a.label == b.label
  }

  /// The rule that groups the samples.
  var rule: DataSplit.Rule {
    let unknown = runs.reduce(0) { $0 + $1.samples.count }
    if unknown == 0 { return .identity }
    return unknown == table.rows.count ? .blocks : .mixed
  }

  /// The groups: connected components over group, person, video and original, blocks, and `links`.
  /// Earlier links are used first.
  ///
  /// - Parameter joinsFolders: Whether videos whose names begin with the same folder belong
  ///   together. For a sample without a video, the file's folder is used.
  func join(_ links: [SampleLink] = [], joinsFolders: Bool = false) -> Joined {
    // Persons, then videos (an original is a video), then groups, then folders, then blocks.
    let words = table.words.words.count
    var sets = DisjointSets(count: 4 * words + blockCount)
    let folders = joinsFolders ? FolderNumbers(table) : nil
    let anchors = table.rows.indices.map { index -> Int in
      let row = table.rows[index]
      let linked = [
        row.person >= 0 ? Int(row.person) : -1, row.video >= 0 ? words + Int(row.video) : -1,
        row.original >= 0 ? words + Int(row.original) : -1,
        row.group >= 0 ? 2 * words + Int(row.group) : -1,
        folders?.number(of: row).map { 3 * words + $0 } ?? -1,
        blocks[index] >= 0 ? 4 * words + blocks[index] : -1,
      ].filter { $0 >= 0 }
      for other in linked.dropFirst() { sets.join(linked[0], other) }
      return linked[0]
    }
    var needed: [SampleLink] = []
    for link in links {
      let (a, b) = (anchors[link.first], anchors[link.second])
      guard sets.root(of: a) != sets.root(of: b) else { continue }
      sets.join(a, b)
      needed.append(link)
    }
    var numbers: [Int: Int] = [:]
    let groups = anchors.map { anchor -> Int in
      let root = sets.root(of: anchor)
      if let number = numbers[root] { return number }
      numbers[root] = numbers.count
      return numbers.count - 1
    }
    return Joined(groups: groups, count: numbers.count, needed: needed)
  }

  /// Merges groups of only unknown samples into larger ones. Each such group goes to the block that
  /// most of its samples are in. No group is divided. If a group instead joined all blocks that it
  /// has samples in, nearly all blocks would soon be one.
  func gathered(_ joined: Joined) -> Joined {
    var votes = [[Int: Int]](repeating: [:], count: joined.count)
    var isKnown = [Bool](repeating: false, count: joined.count)
    for (index, group) in joined.groups.enumerated() {
      if blocks[index] >= 0 {
        votes[group][blocks[index], default: 0] += 1
      } else {
        isKnown[group] = true
      }
    }
    var numbers: [Int: Int] = [:]
    let places = joined.groups.indices.map { index -> Int in
      let group = joined.groups[index]
      guard !isKnown[group] else { return -1 - group }
      let most = votes[group].max { ($0.value, $1.key) < ($1.value, $0.key) }
      return most?.key ?? -1 - group
    }
    let groups = places.map { place -> Int in
      if let number = numbers[place] { return number }
      numbers[place] = numbers.count
      return numbers.count - 1
    }
    return Joined(groups: groups, count: numbers.count, needed: joined.needed)
  }

  /// For each sample, whether it is unknown and more than half of its block is in `chosen`.
  func blocksMostly(_ chosen: [Bool]) -> [Bool] {
    var balance = [Int](repeating: 0, count: blockCount)
    for (index, block) in blocks.enumerated() where block >= 0 {
      balance[block] += chosen[index] ? 1 : -1
    }
    return blocks.map { $0 >= 0 && balance[$0] > 0 }
  }

  /// Pairs of unknown samples of one folder and label that are at most `distance` files apart.
  func neighbours(within distance: Int) -> [(first: Int, second: Int)] {
    runs.flatMap { run -> [(first: Int, second: Int)] in
      let samples = Array(run.samples)
      return samples.indices.flatMap { place in
        samples[place...].dropFirst().prefix(distance).map { (samples[place], $0) }
      }
    }
  }

  /// The training samples that are at most `margin` files, and at most a quarter of a block, away
  /// from a held-out sample.
  func border(_ isHeldOut: [Bool], margin: Int) -> Set<Int> {
    var border: Set<Int> = []
    for run in runs {
      let samples = Array(run.samples)
      let margin = min(margin, run.blockLength / 4)
      for place in samples.indices.dropFirst()
      where isHeldOut[samples[place]] != isHeldOut[samples[place - 1]] {
        let training =
          isHeldOut[samples[place]]
          ? max(0, place - margin)..<place : place..<min(samples.count, place + margin)
        for index in training where !isHeldOut[samples[index]] { border.insert(samples[index]) }
      }
    }
    return border
  }

  /// The manifest with a group name as the video of each sample without a video. A block is named
  /// by its folder and first file, other samples by their group, person or original. These names
  /// are in parentheses, to differ from the manifest's own.
  func named(_ manifest: FaceManifest) -> FaceManifest {
    var manifest = manifest
    var blockNames: [Int: Int32] = [:]
    for run in runs {
      for (place, sample) in run.samples.enumerated() where place % run.blockLength == 0 {
        let path = table.fullPath(table.rows[sample])
        blockNames[run.firstBlock + place / run.blockLength] =
          manifest.table.words.number(of: "(from \(path))")
      }
    }
    for index in manifest.table.rows.indices where manifest.table.rows[index].video < 0 {
      let row = manifest.table.rows[index]
      if let name = blockNames[blocks[index]] {
        manifest.table.rows[index].video = name
      } else {
        let known = [("group", row.group), ("person", row.person), ("fake of", row.original)]
        let (kind, word) = known.first { $0.1 >= 0 } ?? ("", SampleTable.Row.none)
        manifest.table.rows[index].video = manifest.table.words.number(
          of: "(\(kind) \(manifest.table.words[word, default: ""]))")
      }
    }
    return manifest
  }
}

/// Numbers of folders: of a video's name, or of the file if the video is unknown.
private struct FolderNumbers {
  private var numbers: [String: Int] = [:]
  private var ofWord: [Int32: Int] = [:]

  init(_ table: SampleTable) {
    for row in table.rows {
      let word = row.video >= 0 ? row.video : row.folder
      guard ofWord[word] == nil else { continue }
      let (folder, _) = FaceManifest.parts(table.words[word, default: ""])
      guard !folder.isEmpty else { continue }
      let number = numbers[String(folder), default: numbers.count]
      numbers[String(folder)] = number
      ofWord[word] = number
    }
  }

  func number(of row: SampleTable.Row) -> Int? {
    ofWord[row.video >= 0 ? row.video : row.folder]
  }
}

/// Sorts files by folder and name so that `frame2` comes before `frame10`.
private struct NaturalOrder {
  private let table: SampleTable
  /// The rank of each word in alphabetical order.
  private let places: [Int32]

  init(_ table: SampleTable) {
    self.table = table
    let words = table.words.words
    var places = Array(repeating: Int32(0), count: words.count)
    for (place, word) in words.indices.sorted(by: { words[$0] < words[$1] }).enumerated() {
      places[word] = Int32(clamping: place)
    }
    self.places = places
  }

  /// Indices sorted by root, folder, label and name.
  func sorted(_ indices: [Int]) -> [Int] {
    indices.sorted { first, second in
      let (a, b) = (table.rows[first], table.rows[second])
      if a.root != b.root { return places[Int(a.root)] < places[Int(b.root)] }
      if a.folder != b.folder { return places[Int(a.folder)] < places[Int(b.folder)] }
      if a.label != b.label { return a.label.rawValue < b.label.rawValue }
      return Self.precedes(table.name(a), table.name(b))
    }
  }

  /// Whether one name comes before another. Runs of digits are compared as numbers.
  private static func precedes(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
    var (i, j) = (a.startIndex, b.startIndex)
    while i < a.endIndex, j < b.endIndex {
      if isDigit(a[i]), isDigit(b[j]) {
        let (first, second) = (number(a, &i), number(b, &j))
        if first.count != second.count { return first.count < second.count }
        if !first.elementsEqual(second) { return first.lexicographicallyPrecedes(second) }
      } else {
        if a[i] != b[j] { return a[i] < b[j] }
        i += 1
        j += 1
      }
    }
    let rest = (a.endIndex - i, b.endIndex - j)
    return rest.0 != rest.1 ? rest.0 < rest.1 : a.lexicographicallyPrecedes(b)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  /// Reads the digits at `place` and moves past them. Leading zeros are dropped.
  private static func number(_ bytes: ArraySlice<UInt8>, _ place: inout Int) -> ArraySlice<UInt8> {
    let start = place
    while place < bytes.endIndex, isDigit(bytes[place]) { place += 1 }
    return bytes[start..<place].drop { $0 == 48 }
  }
}
