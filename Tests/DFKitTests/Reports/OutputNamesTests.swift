import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct OutputNamesTests {
  @Test func noNameIsGivenTwice() {
    var names = OutputNames()
    let given = ["a", "b", "a", "a", "a-2"].map { names.unused($0) }
    #expect(given == ["a", "b", "a-2", "a-3", "a-2-2"])
  }

  @Test func inputsAreNotOverwritten() throws {
    try Paths.withTemporaryFolder { folder in
      let input = folder.appendingPathComponent("a.png")
      try Data().write(to: input)
      let names = OutputNames(sparing: [input])
      #expect(throws: MediaError.self) { try names.file("a.png", in: folder) }
      #expect(try names.file("b.png", in: folder).lastPathComponent == "b.png")
    }
  }
}
