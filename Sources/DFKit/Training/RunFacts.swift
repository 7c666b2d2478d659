import DeepfakeCore
import Foundation
import Training

/// What a run was begun with: `run.json` in its folder. `--resume` takes from it what is not given
/// again.
package struct RunFacts: Codable, Sendable, Equatable {
  /// Weights that training started from.
  package struct InitialWeights: Codable, Sendable, Equatable {
    /// The path of their file.
    package var file: String
    /// The SHA-256 of the file's bytes.
    package var sha256: String
    /// The key scheme that was given for the file; nil: told from its keys.
    package var scheme: String?
    /// The entry that was chosen of a checkpoint with several states.
    package var state: String?
    /// Whether the last layer was taken over where its shape fitted.
    package var keepsHead = true

    /// Weights of a file, which is read to find its hash.
    init(_ file: URL) throws(WeightsError) {
      self.file = file.standardizedFileURL.path
      sha256 = try WeightsSource.file(file, state: nil).digest()
    }

    /// The weights in messages: the beginning of their hash.
    var text: String { Self.text(sha256) }

    static func text(_ sha256: String) -> String { "SHA-256 \(sha256.prefix(16))" }
  }

  /// dfkit's version.
  package var version = dfkitVersion
  /// The kind of network, `detector` or `identity`; nil: a classifier.
  package var network: String?
  /// The recipe's name, of a classifier's run.
  package var recipe: String?
  /// The name of the recipe's member.
  package var member: String?
  /// The settings of a network without a recipe, as texts.
  package var settings: [String: String]?
  /// The paths of the manifests.
  package var data: [String]
  /// The beginning of the paths of samples that were used; nil: all.
  package var pathPrefix: String?
  /// The collection of the samples that were used; nil: all.
  package var origin: String?
  /// The fold that is held out; nil where folds were not used.
  package var fold: Int?
  /// The hash of the manifests.
  package var dataDigest: String
  /// Weights that training started from; nil: random ones from the seed.
  package var initialWeights: InitialWeights?
  /// Whether pictures that cannot be decoded are left out.
  package var skipsBroken = false
  /// The number of threads at the start; a run may be resumed with another number.
  package var threads = Parallel.threadCount
  /// The number of values that the network learns.
  package var parameters: Int
  /// The time at which the run began, in ISO 8601.
  package var began = Date().formatted(.iso8601)

  init(data: [URL], digest: String, parameters: Int) {
    self.data = data.map { $0.standardizedFileURL.path }
    dataDigest = digest
    self.parameters = parameters
  }

  /// Reads the facts of a run.
  ///
  /// - Throws: `TrainingError`.
  package init(_ folder: RunFolder) throws(TrainingError) {
    guard FileManager.default.fileExists(atPath: folder.facts.path) else {
      throw .nothingToResume(folder: folder.url.relativePath)
    }
    do {
      self = try JSONDecoder().decode(RunFacts.self, from: Data(contentsOf: folder.facts))
    } catch {
      throw .damaged(
        file: folder.facts.relativePath, reason: "its content was changed after dfkit wrote it")
    }
  }

  /// The text of the file.
  var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self) + Data("\n".utf8)
    }
  }

  /// Throws where the run trains another kind of network; nil is a classifier.
  func require(network expected: String?, in folder: RunFolder) throws(TrainingError) {
    guard network != expected else { return }
    let command = network.map { "\($0) train" } ?? "train"
    throw .unusable(
      problem: "\(folder.url.relativePath): is a run of 'dfkit \(command)'; resume it with that"
        + " command.")
  }
}

extension TrainingJob {
  /// The job that a run's folder tells, to go on with it.
  ///
  /// - Throws: `TrainingError` where there is no run, `RecipeError` where its recipe was damaged.
  public init(resuming folder: RunFolder) throws {
    let facts = try RunFacts(folder)
    try facts.require(network: nil, in: folder)
    let recipe = try Recipe(contentsOf: folder.recipe)
    self.init(
      recipe: recipe, member: recipe.members[0],
      data: facts.data.map { URL(fileURLWithPath: $0) }, folder: folder)
    pathPrefix = facts.pathPrefix
    origin = facts.origin
    fold = facts.fold
    skipsBroken = facts.skipsBroken
    isResuming = true
    begunWith = "\(facts.recipe ?? "")/\(facts.member ?? "")"
    initialDigest = facts.initialWeights?.sha256
  }

  /// Goes on with another recipe, or with the run's own as a file has it now.
  ///
  /// - Throws: `RecipeError` where the recipe has no such member.
  package mutating func take(_ other: Recipe, member name: String?) throws(RecipeError) {
    let found = try other.member(name)
    if (other.name, found.name) != (recipe.name, member.name) { begunWith = nil }
    (recipe, member, options) = (other, found, other.training(of: found))
  }
}
