import ArgumentParser
import DFKit
import Foundation

/// The files that a command works on.
struct InputOptions: ParsableArguments {
  @Argument(
    help: "Files, folders (searched for media with all their subfolders), or quoted globs.",
    completion: .file())
  var inputs: [String]

  func validate() throws {
    if inputs.isEmpty {
      throw ValidationError("Give at least one file, folder or glob.")
    }
  }

  /// The files that the arguments stand for.
  func files(_ kinds: Set<MediaKind>) -> MediaFiles {
    MediaFiles.expand(inputs, kinds: kinds)
  }
}

/// How results are printed.
enum OutputForm {
  case table, json, csv
}

extension MemberFiles {
  /// The files of `--weights`; ends the command where they do not fit the members.
  static func given(_ arguments: [String], members: [Recipe.Member]) throws -> MemberFiles {
    do {
      return try MemberFiles(arguments, members: members)
    } catch {
      Output.complain(error.description)
      throw ExitCode.validationFailure
    }
  }
}
