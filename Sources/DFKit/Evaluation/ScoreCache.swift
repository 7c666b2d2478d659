import Classifiers
import FaceDetect
import Foundation
import MediaIO

/// Caches the scores of files between calls, so that other figures from the same scores need no run
/// of the networks.
///
/// There is one cache file for each combination of frame choice, detector, crop, networks and
/// weights. It has one line of JSON for each scored file. A line that is damaged or incomplete,
/// because the process was killed, is ignored. If the cache cannot be read or written, work
/// continues without it and `problem` says why.
package struct ScoreCache {
  /// Why the cache is not used; nil if it works.
  package private(set) var problem: String?
  private var records: [String: Record] = [:]
  private var handle: FileHandle?

  /// A cache in memory only.
  package init() {}

  /// The cache file in a folder for the given settings. `settings` must contain everything that the
  /// scores depend on.
  package init(folder: URL, settings: String) {
    let name = SHA256.digits(of: Data("dfkit scores 1\n\(settings)".utf8))
    let file = folder.appendingPathComponent("\(name).jsonl", isDirectory: false)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      if !FileManager.default.fileExists(atPath: file.path) {
        try Data().write(to: file, options: .withoutOverwriting)
      }
      let data = try Data(contentsOf: file, options: .mappedIfSafe)
      for line in data.split(separator: UInt8(ascii: "\n")) {
        if let record = try? JSONDecoder().decode(Record.self, from: line) {
          records[record.key] = record
        }
      }
      let handle = try FileHandle(forWritingTo: file)
      try handle.seekToEnd()
      // End an incomplete last line, which a killed process may have left, so that the next line is
      // valid.
      if let last = data.last, last != UInt8(ascii: "\n") {
        try handle.write(contentsOf: Data("\n".utf8))
      }
      self.handle = handle
    } catch {
      problem = "\(file.relativePath): \(error.reason)"
    }
  }

  /// The cache key of files: a hash of their paths, sizes and times of change. Nil if a file's
  /// attributes cannot be read.
  package static func key(_ files: [URL]) -> String? {
    var text = ""
    for file in files {
      let path = file.standardizedFileURL.path
      guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
        let size = facts[.size] as? Int, let time = facts[.modificationDate] as? Date
      else { return nil }
      text += "\(path)\n\(size) \(time.timeIntervalSince1970)\n"
    }
    return SHA256.digits(of: Data(text.utf8))
  }

  /// The cached report of a file, without verdicts; nil if it is not cached.
  package func report(_ key: String, file: String) -> VideoReport? {
    records[key]?.report(file: file)
  }

  /// Stores the report of a file. Later write errors set `problem`.
  package mutating func add(_ report: VideoReport, key: String) {
    let record = Record(key, report)
    records[key] = record
    guard let handle, problem == nil else { return }
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      // A single write, so that two processes that append to the same file do not mix their lines.
      try handle.seekToEnd()
      try handle.write(contentsOf: try encoder.encode(record) + Data("\n".utf8))
    } catch {
      problem = "scores are not kept: \(error.reason)"
    }
  }
}

extension ScoreCache {
  /// A report as it is stored: scores and people, but no verdicts.
  private struct Record: Codable {
    struct Person: Codable {
      var id: Int
      var seen: Int
      var judged: Int
      var first: Double
      var last: Double
      var time: Double
      var box: [Float]
      var score: Float
    }

    struct Face: Codable {
      /// Missing in records of older versions. There, faces with the same time belong to one frame.
      var frame: Int?
      var time: Double
      var person: Int
      var box: [Float]
      var scores: [Float]
      /// The measures of each member in `familiar`; missing if there are none.
      var measures: [[String: Float]]?
    }

    /// A member with limits for the traits that it is familiar with.
    struct Familiar: Codable {
      var name: String
      var limits: [String: Float]
    }

    var key: String
    var frames: Int
    var found: Int
    var warnings: [String]
    var members: [String]
    var people: [Person]
    var faces: [Face]
    /// Missing if no member has such limits.
    var familiar: [Familiar]?

    init(_ key: String, _ report: VideoReport) {
      self.key = key
      frames = report.frames
      found = report.facesFound
      warnings = report.warnings
      members = report.scores.members.map(\.name)
      people = report.people.map {
        Person(
          id: $0.id, seen: $0.framesSeen, judged: $0.framesJudged, first: $0.firstTime,
          last: $0.lastTime, time: $0.surest.time, box: $0.surest.box.edges, score: $0.surest.score)
      }
      let known = report.scores.members.filter { $0.limits != nil }
      faces = report.scores.faces.map { face in
        Face(
          frame: face.frame, time: face.time, person: face.person, box: face.box.edges,
          scores: face.scores,
          measures: known.isEmpty
            ? nil : face.measures.compactMap { $0?.entries })
      }
      familiar =
        known.isEmpty
        ? nil : known.map { Familiar(name: $0.name, limits: $0.limits?.entries ?? [:]) }
    }

    /// The report, with no verdicts made yet. Nil if the record is invalid.
    func report(file: String) -> VideoReport? {
      var report = VideoReport(file: file, verdict: .undecided(.noFaces))
      report.frames = frames
      report.facesFound = found
      report.warnings = warnings
      for person in people {
        guard let box = Box(edges: person.box) else { return nil }
        report.people.append(
          VideoReport.Person(
            id: person.id, verdict: .undecided(.noFaces), framesSeen: person.seen,
            framesJudged: person.judged, firstTime: person.first, lastTime: person.last,
            surest: .init(time: person.time, box: box, score: person.score)))
      }
      guard let table else { return nil }
      report.scores = table
      return report
    }

    /// The faces with their scores; nil if the record is invalid.
    private var table: ScoreTable? {
      let familiar = familiar ?? []
      var table = ScoreTable(
        members: members.map { name in
          let known = familiar.first { $0.name == name }
          return .init(name, limits: known.map { TraitValues($0.limits) })
        })
      for face in faces {
        guard let box = Box(edges: face.box), face.scores.count == members.count,
          face.scores.allSatisfy({ $0 >= 0 && $0 <= 1 }),
          face.measures.map({ $0.count == familiar.count }) ?? true
        else { return nil }
        let measures = face.measures.map { lists in
          members.map { name in
            familiar.firstIndex { $0.name == name }.map { TraitValues(lists[$0]) }
          }
        }
        let last = table.faces.last
        let next = last.map { $0.time == face.time ? $0.frame : $0.frame + 1 } ?? 0
        table.faces.append(
          .init(
            frame: face.frame ?? next, time: face.time, person: face.person, box: box,
            scores: face.scores, measures: measures))
      }
      return table
    }
  }
}

extension TraitValues {
  fileprivate init(_ entries: [String: Float]) {
    self.init()
    self.entries = entries
  }
}

extension Box {
  fileprivate var edges: [Float] { [x1, y1, x2, y2] }

  fileprivate init?(edges: [Float]) {
    guard edges.count == 4, edges.allSatisfy(\.isFinite) else { return nil }
    self.init(x1: edges[0], y1: edges[1], x2: edges[2], y2: edges[3])
  }
}
