import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct WeightsStoreTests {
  @Test func theDataFolderFollowsTheSpecification() throws {
    func folder(_ environment: [String: String]) throws -> String {
      try WeightsStore(environment: environment).folder.path
    }
    #expect(try folder(["XDG_DATA_HOME": "/data", "HOME": "/home/a"]) == "/data/dfkit/weights")
    #expect(try folder(["HOME": "/home/a"]) == "/home/a/.local/share/dfkit/weights")
    for useless in ["", "data", "./data"] {
      #expect(
        try folder(["XDG_DATA_HOME": useless, "HOME": "/home/a"])
          == "/home/a/.local/share/dfkit/weights")
    }
    for environment in [[:], ["HOME": ""], ["HOME": "a", "XDG_DATA_HOME": "b"]] {
      #expect(throws: WeightsStoreError.noHome) { try WeightsStore(environment: environment) }
    }
    #expect(WeightsStoreError.noHome.description.contains("XDG_DATA_HOME"))
  }

  @Test func anEntryIsItsFileOrItsFolder() throws {
    try Paths.withTemporaryFolder { folder in
      let store = WeightsStore(folder: folder)
      #expect(store.url(of: "one") == nil)
      let one = store.folder(of: "one")
      try FileManager.default.createDirectory(at: one, withIntermediateDirectories: true)
      #expect(store.url(of: "one") == nil)
      try Data("x".utf8).write(to: one.appendingPathComponent("a.pt"))
      try Data("x".utf8).write(to: one.appendingPathComponent(".hidden"))
      #expect(store.url(of: "one")?.lastPathComponent == "a.pt")
      try Data("x".utf8).write(to: one.appendingPathComponent("b.pt"))
      #expect(store.url(of: "one")?.lastPathComponent == "one")
      #expect(store.url(of: "../\(folder.lastPathComponent)/one") == nil)
    }
  }
}
