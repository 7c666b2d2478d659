import DFKit
import Foundation
import MediaIO
import Synchronization
import TestSupport
import Testing

/// Fetching from a server that does what servers do.
@Suite struct DownloadTests {
  fileprivate static let data = Data(
    (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })

  /// A store, and an entry whose file lies on a server.
  private struct Setting {
    var fetcher: WeightsFetcher
    var entry: WeightsCatalogue.Entry
    let server: LoopbackServer

    var part: URL { fetcher.store.folder.appendingPathComponent("x.part") }
    var partSize: Int? { (try? Data(contentsOf: part))?.count }
    var offsets: [Int?] { server.requests.map(\.offset) }

    func leave(_ data: Data) throws {
      try FileManager.default.createDirectory(
        at: fetcher.store.folder, withIntermediateDirectories: true)
      try data.write(to: part)
    }

    /// Fetches, expecting the right contents and nothing left beside them.
    func fetch(sourceLocation: SourceLocation = #_sourceLocation) throws {
      let outcome = try fetcher.fetch(entry)
      #expect(
        try Data(contentsOf: outcome.url) == DownloadTests.data, sourceLocation: sourceLocation)
      #expect(try contents() == ["x"], sourceLocation: sourceLocation)
    }

    /// Fetches, expecting an error that says `hint`, and no entry.
    func fail(_ hint: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let error = #expect(throws: FetchError.self, sourceLocation: sourceLocation) {
        try fetcher.fetch(entry)
      }
      let text = error?.description ?? ""
      #expect(text.contains(hint), "\(text)", sourceLocation: sourceLocation)
      #expect(fetcher.store.url(of: entry) == nil, sourceLocation: sourceLocation)
      #expect(
        try contents().allSatisfy { $0 == "x.part" }, sourceLocation: sourceLocation)
    }

    /// What lies in the store, hidden files included.
    func contents() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: fetcher.store.folder.path)
    }
  }

  private func with(
    _ route: LoopbackServer.Route, size: Int? = data.count,
    sha256: String? = SHA256.digits(of: data), _ body: (inout Setting) throws -> Void
  ) throws {
    let server = try LoopbackServer(["/x.pt": route])
    defer { server.stop() }
    try Paths.withTemporaryFolder { folder in
      let fetcher = WeightsFetcher(
        store: WeightsStore(folder: folder.appendingPathComponent("store")))
      let file = WeightsCatalogue.File(name: "x.pt", size: size, sha256: sha256)
      var setting = Setting(
        fetcher: fetcher,
        entry: WeightsCatalogue.Entry(
          name: "x", kind: .classifier, source: .address(server.address("/x.pt")), files: [file]),
        server: server)
      try body(&setting)
    }
  }

  @Test func aFileIsFetchedOnce() throws {
    try with(.file(Self.data)) { setting in
      try setting.fetch()
      #expect(setting.server.requests.map(\.userAgent) == ["dfkit/\(dfkitVersion)"])
      #expect(try setting.fetcher.fetch(setting.entry).wasInstalled)
      #expect(setting.server.requests.count == 1)
      setting.fetcher.replaces = true
      try setting.fetch()
      #expect(setting.server.requests.count == 2)
    }
  }

  @Test func aFailedReplacementLeavesWhatWasThere() throws {
    try with(.file(Self.data)) { setting in
      let url = try setting.fetcher.fetch(setting.entry).url
      setting.fetcher.replaces = true
      setting.server.set("/x.pt", .file(Data(Self.data.reversed())))
      #expect(throws: FetchError.self) { try setting.fetcher.fetch(setting.entry) }
      #expect(try Data(contentsOf: url) == Self.data)
      #expect(try setting.contents() == ["x"])
    }
  }

  @Test(arguments: [LoopbackServer.Route.chunked(data), .file(data, ranges: false)])
  func lengthAndRangesAreNotNeeded(_ route: LoopbackServer.Route) throws {
    try with(route) { try $0.fetch() }
    try with(route, size: nil) { try $0.fetch() }
  }

  @Test func aPartIsGoneOnWith() throws {
    try with(.file(Self.data)) { setting in
      try setting.leave(Self.data.prefix(123_456))
      try setting.fetch()
      #expect(setting.offsets == [123_456])
    }
  }

  @Test func aWholePartNeedsNoServer() throws {
    try with(.status(500)) { setting in
      try setting.leave(Self.data)
      try setting.fetch()
      #expect(setting.offsets.isEmpty)
    }
  }

  @Test func aServerThatIgnoresRangesIsReadFromTheStart() throws {
    try with(.file(Self.data, ranges: false)) { setting in
      try setting.leave(Self.data.prefix(1000))
      try setting.fetch()
      #expect(setting.offsets == [1000, 0])
    }
  }

  @Test func aPartOfAnotherFileIsDropped() throws {
    try with(.file(Self.data)) { setting in
      try setting.leave(Data(repeating: 7, count: 1000))
      try setting.fetch()
      #expect(setting.offsets == [1000, 0])
      setting.fetcher.replaces = true
      try setting.leave(Data(repeating: 7, count: Self.data.count))
      try setting.fetch()
      try setting.leave(Self.data + Self.data)
      try setting.fetch()
    }
    // Without a known size only the server knows that the part is too long.
    try with(.file(Self.data), size: nil) { setting in
      try setting.leave(Self.data + Self.data)
      try setting.fetch()
      #expect(setting.offsets == [2 * Self.data.count, 0])
    }
  }

  @Test func withoutAHashEveryTryStartsAnew() throws {
    try with(.file(Self.data), sha256: nil) { setting in
      try setting.leave(Self.data.prefix(1000))
      // What comes is not weights, and no hash vouches for it.
      #expect(throws: WeightsError.self) { try setting.fetcher.fetch(setting.entry) }
      #expect(setting.offsets == [0])
      #expect(setting.fetcher.store.url(of: setting.entry) == nil)
    }
  }

  @Test func aConnectionThatBreaksIsMadeAgain() throws {
    try with(.cutOff(Self.data, after: 100_000)) { setting in
      try setting.fetch()
      #expect(setting.offsets == [0, 100_000, 200_000])
    }
  }

  @Test func aServerThatKeepsBreakingOffIsGivenUp() throws {
    try with(.cutOff(Self.data, after: 10_000)) { setting in
      try setting.fail("40.0 kB were downloaded; run the same command again to resume")
      #expect(setting.partSize == 40_000)
      setting.server.set("/x.pt", .file(Self.data))
      try setting.fetch()
      #expect(setting.offsets.last == 40_000)
    }
    try with(.cutOff(Self.data, after: 0)) { try $0.fail("was lost") }
    try with(.cutOff(Self.data, after: 1000, ranges: false), sha256: nil) { setting in
      try setting.fail("was lost")
      #expect(setting.offsets == [0])
    }
  }

  @Test func anotherFileIsNotInstalled() throws {
    try with(.file(Data(Self.data.reversed()))) { setting in
      try setting.fail("is not the published file: its SHA-256 is")
      #expect(setting.partSize == nil)
    }
    let digits = String(SHA256.digits(of: Self.data).prefix(8))
    try with(.file(Self.data), sha256: digits) { setting in
      // Eight digits of a hash do not say that these are weights.
      #expect(throws: WeightsError.self) { try setting.fetcher.fetch(setting.entry) }
    }
    try with(.file(Data(Self.data.reversed())), sha256: digits) { setting in
      try setting.fail("expected \(digits)...")
    }
  }

  @Test func anotherSizeIsRefusedBeforeAnythingIsRead() throws {
    try with(.file(Self.data + [1])) { setting in
      try setting.fail("has 300001 bytes, the published file has 300000")
    }
    try with(.chunked(Self.data + [1])) { try $0.fail("stopped after 300.0 kB") }
    try with(.chunked(Self.data.dropLast())) { setting in
      try setting.fail("was lost after 299999 of 300000 bytes")
    }
    try with(.page("<html>Sign in</html>")) { try $0.fail("has 20 bytes") }
    try with(.page("<html>Sign in</html>"), size: nil, sha256: nil) { setting in
      let error = #expect(throws: WeightsError.self) { try setting.fetcher.fetch(setting.entry) }
      #expect(error?.description.contains("a web page") == true)
    }
  }

  @Test(arguments: [
    (404, "has no such file (404)"), (403, "access denied"),
    (401, "access denied"), (410, "refused the request"), (500, "try again later"),
    (503, "try again later"),
  ])
  func theServersRefusalIsPassedOn(_ status: Int, _ hint: String) throws {
    try with(.status(status)) { setting in
      try setting.fail(hint)
      #expect(setting.partSize == nil)
    }
    // What has come is kept.
    try with(.status(status)) { setting in
      try setting.leave(Self.data.prefix(1000))
      try setting.fail(hint)
      #expect(setting.partSize == 1000)
    }
  }

  @Test func redirectsAreFollowedButNotInCircles() throws {
    try with(.redirect("/y.pt")) { setting in
      setting.server.set("/y.pt", .file(Self.data))
      try setting.leave(Self.data.prefix(1000))
      try setting.fetch()
      #expect(setting.server.requests.map(\.path) == ["/x.pt", "/y.pt"])
      #expect(setting.offsets == [1000, 1000])
    }
    try with(.redirect("/x.pt")) { try $0.fail("redirects in a loop") }
  }

  @Test func noServerNoNameNoNetwork() throws {
    try with(.silent) { setting in
      setting.entry.source = .address("http://127.0.0.1:\(try LoopbackServer.freePort())/x.pt")
      try setting.fail("the connection was refused")
      setting.entry.source = .address("http://no-such-host.invalid/x.pt")
      try setting.fail("is there a network?")
      setting.entry.source = .address("ftp://127.0.0.1/x.pt")
      try setting.fail("not an address")
    }
  }

  @Test func aServerThatHangsIsGivenUp() throws {
    try with(.silent) { setting in
      setting.fetcher.timeLimit = 1
      let start = ContinuousClock.now
      try setting.fail("no answer within 1 seconds")
      #expect(ContinuousClock.now - start < .seconds(20))
    }
    try with(.stalling(Self.data, after: 50_000)) { setting in
      setting.fetcher.timeLimit = 1
      try setting.fail("stopped sending")
      #expect(setting.offsets == [0, 50_000, 100_000, 150_000])
      #expect(setting.partSize == 200_000)
    }
  }

  @Test func theAddressIsShownWithoutSecrets() throws {
    try with(.status(404)) { setting in
      let port = setting.server.port
      setting.entry.source = .address("http://me:secret@127.0.0.1:\(port)/x.pt?token=secret")
      let error = #expect(throws: FetchError.self) { try setting.fetcher.fetch(setting.entry) }
      #expect(error?.description.hasPrefix("http://127.0.0.1:\(port)/x.pt: cannot") == true)
      #expect(error?.description.contains("secret") == false)
    }
  }

  @Test func cancellingKeepsWhatHasCome() async throws {
    let server = try LoopbackServer(["/x.pt": .stalling(Self.data, after: 50_000)])
    defer { server.stop() }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dfkit-tests-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var patient = WeightsFetcher(store: WeightsStore(folder: folder))
    patient.timeLimit = 600
    let fetcher = patient
    let file = WeightsCatalogue.File(
      name: "x.pt", size: Self.data.count, sha256: SHA256.digits(of: Self.data))
    let entry = WeightsCatalogue.Entry(
      name: "x", kind: .classifier, source: .address(server.address("/x.pt")), files: [file])
    let come = Mutex(0.0)
    let task = Task.detached {
      try fetcher.fetch(entry) { state in come.withLock { $0 = state.fraction } }
    }
    while come.withLock({ $0 }) < 50_000 / 300_000 - 1e-9 {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(throws: FolderLock.Failure.held("x")) { try fetcher.fetch(entry) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x.part"])
    server.set("/x.pt", .file(Self.data))
    #expect(try Data(contentsOf: try fetcher.fetch(entry).url) == Self.data)
    #expect(server.requests.map(\.offset) == [0, 50_000])
  }

  @Test func progressCountsFromWhatWasThere() throws {
    try with(.file(Self.data)) { setting in
      try setting.leave(Self.data.prefix(150_000))
      var states: [JobProgress] = []
      _ = try setting.fetcher.fetch(setting.entry) { states.append($0) }
      #expect(states.first?.fraction == 0.5 && states.last?.fraction == 1)
      #expect(states.allSatisfy { $0.before == 0.5 })
      #expect(states.last?.file == "x  300.0 kB of 300.0 kB")
      let state = JobProgress(done: 0, total: 1, file: "x", fraction: 0.75)
      var resumed = state
      resumed.before = 0.5
      // Half of what was to come has come in 10 s.
      #expect(ProgressLine.text(resumed, elapsed: 10, width: 80).contains("0:10 left"))
      #expect(ProgressLine.text(state, elapsed: 30, width: 80).contains("0:10 left"))
    }
  }

  @Test func aStoreThatCannotBeWrittenIsNamed() throws {
    try with(.file(Self.data)) { setting in
      let file = setting.fetcher.store.folder.deletingLastPathComponent()
        .appendingPathComponent("file")
      try Data("x".utf8).write(to: file)
      let fetcher = WeightsFetcher(
        store: WeightsStore(folder: file.appendingPathComponent("weights")))
      let entry = setting.entry
      let error = #expect(throws: FetchError.self) { try fetcher.fetch(entry) }
      #expect(error?.description.contains("/file/weights") == true)
      #expect(error?.description.contains("cannot be written") == true)
    }
  }

  @Test func filesFoldersAndAddressesServeInstead() throws {
    try with(.status(404)) { setting in
      let folder = setting.fetcher.store.folder.deletingLastPathComponent()
      let file = folder.appendingPathComponent("mine.bin")
      try Self.data.write(to: file)
      setting.fetcher.replaces = true
      for source in [file.path, "file://\(file.path)"] {
        let outcome = try setting.fetcher.fetch(setting.entry, from: source)
        #expect(try Data(contentsOf: outcome.url) == Self.data)
      }
      try Self.data.write(to: folder.appendingPathComponent("x.pt"))
      #expect(try !setting.fetcher.fetch(setting.entry, from: folder.path).wasInstalled)
      setting.server.set("/mirror", .file(Self.data))
      let mirror = setting.server.address("/mirror")
      #expect(try !setting.fetcher.fetch(setting.entry, from: mirror).wasInstalled)
      for (source, hint) in [
        ("/no/such/file", "no such file or folder"), ("ftp://host/x", "only http and https"),
        ("/dev/null", "not a regular file"), (Paths.package.path, "x.pt is missing"),
      ] {
        let (fetcher, entry) = (setting.fetcher, setting.entry)
        let error = #expect(throws: FetchError.self) { try fetcher.fetch(entry, from: source) }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
      }
      setting.entry.source = .byHand("https://host/page")
      setting.fetcher = WeightsFetcher(
        store: WeightsStore(folder: folder.appendingPathComponent("n")))
      try setting.fail("Download x.pt from https://host/page")
      #expect(!(try setting.fetcher.fetch(setting.entry, from: file.path)).wasInstalled)
    }
  }
}
