import ArgumentParser
import DFKit
import Foundation

/// The files that a command works on.
struct InputOptions: ParsableArguments {
  @Argument(
    help: "Files, folders (searched for media with all their subfolders), or quoted glob patterns.",
    completion: .file())
  var inputs: [String]

  func validate() throws {
    if inputs.isEmpty {
      throw ValidationError("Give at least one file, folder or glob pattern.")
    }
  }

  /// The media files that the arguments name. Skipped files in folders are reported on standard
  /// error.
  func files(_ kinds: Set<MediaKind>) -> MediaFiles {
    Self.files(inputs, kinds)
  }

  /// The media files that `inputs` name. Skipped files in folders are reported on standard error.
  static func files(_ inputs: [String], _ kinds: Set<MediaKind>) -> MediaFiles {
    let files = MediaFiles.expand(inputs, kinds: kinds)
    if let text = files.passedOverText { Output.note(text) }
    return files
  }
}

/// The format in which results are printed.
enum OutputForm {
  case table, json, csv
}

/// A recipe and the weights of its networks.
struct RecipeOptions: ParsableArguments {
  @Option(help: "The recipe: the name of a built-in one or a YAML file.", completion: .file())
  var recipe = Recipe.defaultName

  @Option(
    help: """
      The networks' weights: a folder with MEMBER.safetensors for each member, MEMBER=FILE for \
      each member, or one file for a recipe with one member. If not given, those that the recipe \
      names. A recipe's calibration and undecided range are used only with the weights that it \
      names.
      """, completion: .file())
  var weights: [String] = []

  /// The given recipe and its weights. Ends the command if they do not fit together.
  func loaded() throws -> (recipe: Recipe, weights: MemberFiles) {
    try Self.loaded(recipe, weights)
  }

  /// A recipe and its weights. Ends the command if they do not fit together. Unless `quiet`,
  /// reports the chosen states and schemes of the weights, see `Output.remark`.
  static func loaded(
    _ name: String, _ weights: [String], quiet: Bool = false
  ) throws -> (recipe: Recipe, weights: MemberFiles) {
    var recipe = try Recipe.named(name)
    let files = try MemberFiles.given(weights, members: recipe.members)
    if !quiet {
      for entry in files.entries { Output.remark(on: entry.weights, entry.member.network) }
    }
    if files.replacesNamed { recipe.forgetCalibration() }
    recipe.noteCalibration(of: files)
    return (recipe, files)
  }
}

/// The option `--cache`: the folder where scores of networks are kept between calls.
struct CacheOptions: ParsableArguments {
  @Option(
    help: """
      The folder in which the networks' scores are kept; 'none' to keep nothing. \
      ~/.cache/dfkit/scores if not given.
      """, completion: .directory)
  var cache: String?

  /// The folder; nil with `none`, which keeps nothing.
  var folder: URL? {
    switch cache {
    case "none": nil
    case let folder?: URL(fileURLWithPath: folder)
    case nil: EvaluationJob.defaultCache()
    }
  }
}

extension MemberFiles {
  /// The weights files given by `--weights`. Ends the command if they do not match the members.
  static func given(_ arguments: [String], members: [Recipe.Member]) throws -> MemberFiles {
    do {
      return try MemberFiles(arguments, members: members)
    } catch {
      Output.note(error.description)
      throw ExitCode.validationFailure
    }
  }
}
