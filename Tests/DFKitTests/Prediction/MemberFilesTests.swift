import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct MemberFilesTests {
  private let members = ["a", "b"].map {
    Recipe.Member(name: $0, architecture: .efficientNetB0)
  }

  private func error(_ arguments: [String], _ members: [Recipe.Member]) -> MemberFilesError? {
    do {
      _ = try MemberFiles(arguments, members: members)
      return nil
    } catch {
      return error
    }
  }

  @Test func eachMemberCanBeGivenAFile() throws {
    let files = try MemberFiles(["b=x/two=2.pth", "a=one.safetensors"], members: members)
    #expect(files.entries.map(\.member.name) == ["a", "b"])
    #expect(
      files.entries.map(\.weights.file?.lastPathComponent) == ["one.safetensors", "two=2.pth"])
  }

  @Test func aFolderHoldsAFileForEach() throws {
    try Paths.withTemporaryFolder { folder in
      try Data().write(to: folder.appendingPathComponent("a.safetensors"))
      #expect(
        error([folder.path], members)
          == .missingInFolder(folder.path, files: ["b.safetensors"]))
      try Data().write(to: folder.appendingPathComponent("b.safetensors"))
      let files = try MemberFiles([folder.path], members: members)
      #expect(
        files.entries.map(\.weights.file?.lastPathComponent) == ["a.safetensors", "b.safetensors"])
    }
  }

  @Test func oneFileServesOneMember() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("any=name.pth").path
      try Data().write(to: URL(fileURLWithPath: file))
      let files = try MemberFiles([file], members: [members[0]])
      #expect(files.entries.map(\.weights.file?.path) == [file])
      #expect(error([file], members) == .oneFileForMany(file, members: ["a", "b"]))
    }
  }

  @Test func whatShipsNeedsNoFile() throws {
    let shipped = try #require(ShippedWeights.named("default"))
    var named = members
    named[1].weights = "default"
    #expect(error([], named) == .missing(["a"]))
    let both = try MemberFiles(["a=one.safetensors"], members: named)
    #expect(
      both.entries.map(\.weights)
        == [.file(URL(fileURLWithPath: "one.safetensors")), .shipped(shipped)])
    #expect(try MemberFiles([], members: [named[1]]).entries.map(\.weights) == [.shipped(shipped)])
    #expect(!both.replacesNamed)
    #expect(try MemberFiles(["a=x", "b=y"], members: named).replacesNamed)
    #expect(try !MemberFiles(["a=x", "b=y"], members: members).replacesNamed)
    // What is given takes the place of what ships, and names of what ships can be given.
    #expect(
      try MemberFiles(["a=default", "b=two.pth"], members: named).entries.map(\.weights)
        == [.shipped(shipped), .file(URL(fileURLWithPath: "two.pth"))])
    #expect(
      try MemberFiles(["default"], members: [members[0]]).entries.map(\.weights)
        == [.shipped(shipped)])
  }

  @Test func mistakesAreNamed() {
    #expect(error(["a=x"], members) == .missing(["b"]))
    #expect(error(["a=x", "c=y"], members) == .unknownMember("c=y", members: ["a", "b"]))
    #expect(error(["a=x", "a=y", "b=z"], members) == .givenTwice("a"))
    #expect(error(["/nowhere/w"], members) == .notFound("/nowhere/w", members: ["a", "b"]))
    #expect(error(["c=x"], members) == .notFound("c=x", members: ["a", "b"]))
    #expect(error([], members) == .missing(["a", "b"]))
    for mistake in [
      MemberFilesError.missing(["b"]), .notFound("w", members: ["a"]), .givenTwice("a"),
      .oneFileForMany("w", members: ["a", "b"]), .missingInFolder("f", files: ["b.safetensors"]),
    ] {
      #expect(mistake.description.hasPrefix("--weights"))
    }
  }
}
