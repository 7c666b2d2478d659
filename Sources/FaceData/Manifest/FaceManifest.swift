import FaceDetect
import Foundation
import Measures
import MediaIO

/// The list of a dataset's face crops, in the order of its file.
///
/// Samples are stored compactly, so millions fit into memory. `samples` makes each on access.
///
/// ```swift
/// let manifest = try FaceManifest.read(folder)  // the folder with manifest.csv, or the file
/// print(manifest.count(.real), manifest.count(.fake))
/// for sample in manifest.samples.prefix(5) { print(sample.path, sample.label) }
/// ```
public struct FaceManifest: Sendable {
  /// The SHA-256 of the manifest's file, before any filter. For joined manifests, the SHA-256 of
  /// their digests, one in each line. Empty for samples made in code.
  public internal(set) var digest: String
  /// Names of the file's columns that are not used, in order.
  public internal(set) var ignoredColumns: [String] = []
  package var table: SampleTable

  init(digest: String, table: SampleTable) {
    self.digest = digest
    self.table = table
  }

  /// A manifest of samples made in code.
  public init(_ samples: some Sequence<FaceSample>) {
    digest = ""
    table = SampleTable()
    for sample in samples { add(sample) }
  }

  private mutating func add(_ sample: FaceSample) {
    // If the file's path ends with the sample's path, that path is kept. Otherwise the file's full
    // path is.
    let full = sample.file.path
    let shown = full.hasSuffix(sample.path) ? sample.path : full
    let (folder, name) = Self.parts(shown)
    guard let name = table.add(name: name.utf8) else {
      preconditionFailure("FaceManifest: names of more than 4 GiB, or one of more than 64 KiB")
    }
    func number(_ word: String?) -> Int32 {
      word.map { table.words.number(of: $0) } ?? SampleTable.Row.none
    }
    var row = SampleTable.Row(
      root: number(String(full.dropLast(shown.count))), folder: number(String(folder)),
      nameStart: name.start, nameCount: name.count, label: sample.label)
    row.isMade = sample.isMade
    for column in ManifestColumn.all { column.write(sample, into: &row, of: &table) }
    table.rows.append(row)
  }

  /// Divides a path into its folder, with the last slash, and its name.
  static func parts(_ path: String) -> (folder: Substring, name: Substring) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path[...]) }
    let start = path.utf8.index(after: slash)
    return (path[..<start], path[start...])
  }

  /// The number of samples.
  public var count: Int { table.rows.count }

  /// Whether there is no sample.
  public var isEmpty: Bool { table.rows.isEmpty }

  /// The samples in order. Each is made on access.
  public var samples: Samples { Samples(table: table) }

  /// The samples of a manifest.
  public struct Samples: RandomAccessCollection, Sendable {
    let table: SampleTable
    /// The first sample's index.
    public var startIndex: Int { 0 }
    /// The number of samples.
    public var endIndex: Int { table.rows.count }
    /// The sample at an index.
    public subscript(index: Int) -> FaceSample { table.sample(table.rows[index]) }
  }

  /// A sample's label. Does not make the sample.
  public func label(_ index: Int) -> FaceLabel { table.rows[index].label }

  /// A number that identifies a sample's video; nil if the video is unknown. Does not make the
  /// sample.
  public func videoNumber(_ index: Int) -> Int? {
    let number = table.rows[index].video
    return number < 0 ? nil : Int(number)
  }

  /// The number of samples with a label.
  public func count(_ label: FaceLabel) -> Int {
    table.rows.count { $0.label == label }
  }

  /// The samples at some indices, in their order.
  public func subset(_ indices: some Sequence<Int>) -> FaceManifest {
    var result = self
    result.table.rows = indices.map { table.rows[$0] }
    return result
  }

  /// The samples whose pictures `other` lists too, in the order of this manifest.
  package func subset(having other: FaceManifest) -> FaceManifest {
    let paths = Set(other.table.rows.map { other.table.fullPath($0) })
    return subset(table.rows.indices.filter { paths.contains(table.fullPath(table.rows[$0])) })
  }

  /// The samples with a path prefix and an origin; nil means any.
  public func filtered(pathPrefix: String? = nil, origin: String? = nil) -> FaceManifest {
    subset(indices(pathPrefix: pathPrefix, origin: origin))
  }

  /// Indices of the samples with a path prefix and an origin; nil means any.
  public func indices(pathPrefix: String? = nil, origin: String? = nil) -> [Int] {
    let wanted = origin.map { table.words.find($0) ?? -2 }
    return table.rows.indices.filter { index in
      let row = table.rows[index]
      if let wanted, row.origin != wanted { return false }
      return pathPrefix.map { table.path(row).hasPrefix($0) } ?? true
    }
  }

  /// The samples of several manifests, one manifest after the other. Persons and videos with the
  /// same name count as the same.
  ///
  /// - Throws: `DatasetError` if a picture is in the data twice.
  public static func joined(_ manifests: [FaceManifest]) throws(DatasetError) -> FaceManifest {
    guard manifests.count != 1 else { return manifests[0] }
    var result = FaceManifest(digest: "", table: SampleTable())
    var seen: Set<String> = []
    for manifest in manifests {
      let table = manifest.table
      for row in table.rows {
        let path = table.fullPath(row)
        guard seen.insert(path).inserted else {
          throw .impossible(
            problem:
              "\(path) is in the data twice; give each manifest and list each picture once"
          )
        }
        result.append(row, of: table)
      }
      for column in manifest.ignoredColumns where !result.ignoredColumns.contains(column) {
        result.ignoredColumns.append(column)
      }
    }
    let lines = manifests.map { $0.digest + "\n" }.joined()
    result.digest = SHA256.digits(of: Data(lines.utf8))
    return result
  }

  private mutating func append(_ row: SampleTable.Row, of other: SampleTable) {
    guard let name = table.add(name: other.name(row)) else {
      preconditionFailure("FaceManifest: the names take more than 4 GiB")
    }
    var row = row
    (row.nameStart, row.nameCount) = (name.start, name.count)
    row.root = table.words.number(of: other.words[row.root, default: ""])
    row.folder = table.words.number(of: other.words[row.folder, default: ""])
    for column in ManifestColumn.all { column.move(&row, of: other, into: &table) }
    table.rows.append(row)
  }
}

extension FaceManifest {
  /// The deepest folder that contains all pictures, directly or in subfolders.
  public var commonFolder: String {
    var seen: Set<Int64> = []
    var common: [String]?
    for row in table.rows where seen.insert(Int64(row.root) << 32 | Int64(row.folder)).inserted {
      let path = URL(fileURLWithPath: table.fullPath(row)).standardizedFileURL
      let parts = path.deletingLastPathComponent().pathComponents
      common = common.map { zip($0, parts).prefix { $0 == $1 }.map(\.0) } ?? parts
    }
    return (common ?? []).joined(separator: "/")
  }
}

extension [Point] {
  /// x and y of each point in turn.
  package var numbers: [Float] { flatMap { [$0.x, $0.y] } }
}

extension Box {
  /// The coordinates x1, y1, x2, y2 of the corners.
  package var numbers: [Float] { [x1, y1, x2, y2] }
}
