import DeepfakeCore
import Foundation
import MediaIO
import Training

/// What a run was begun with, as `run.json` in its folder has it: enough to go on without being
/// told again.
package struct RunFacts: Codable, Sendable, Equatable {
  /// Weights that training started from.
  package struct InitialWeights: Codable, Sendable, Equatable {
    package var file: String
    /// The hash of its bytes.
    package var sha256: String
    /// Whose checkpoint it was said to be.
    package var scheme: String?
    /// The state of the checkpoint, where one was named.
    package var state: String?
    /// Whether the last layer was to be kept.
    package var keepsHead: Bool
  }

  /// dfkit's version.
  package var version: String
  /// The recipe's name.
  package var recipe: String
  /// The member's name.
  package var member: String
  /// The manifests.
  package var data: [String]
  /// What paths had to begin with.
  package var pathPrefix: String?
  /// The collection that samples had to be from.
  package var origin: String?
  /// The fold that is held out, where folds matter.
  package var fold: Int?
  /// The hash of the manifests.
  package var dataDigest: String
  /// Weights that training started from.
  package var initialWeights: InitialWeights?
  /// Whether broken pictures are left out.
  package var skipsBroken: Bool
  /// Threads that the run began with; it may go on with others.
  package var threads: Int
  /// Numbers that the network has to learn.
  package var parameters: Int
  /// When the run began.
  package var began: String

  /// The text of the file.
  var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self) + Data("\n".utf8)
    }
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
      throw .damaged(file: folder.facts.relativePath, reason: "it is not what dfkit wrote there")
    }
  }

  init(
    version: String, recipe: String, member: String, data: [String], pathPrefix: String?,
    origin: String?, fold: Int?, dataDigest: String, initialWeights: InitialWeights?,
    skipsBroken: Bool, threads: Int, parameters: Int, began: String
  ) {
    self.version = version
    self.recipe = recipe
    self.member = member
    self.data = data
    self.pathPrefix = pathPrefix
    self.origin = origin
    self.fold = fold
    self.dataDigest = dataDigest
    self.initialWeights = initialWeights
    self.skipsBroken = skipsBroken
    self.threads = threads
    self.parameters = parameters
    self.began = began
  }
}

extension TrainingJob {
  /// The job that a run's folder tells, to go on with it.
  ///
  /// - Throws: `TrainingError` where there is no run, `RecipeError` where its recipe was damaged.
  public init(resuming folder: RunFolder) throws {
    let facts = try RunFacts(folder)
    let recipe = try Recipe(contentsOf: folder.recipe)
    self.init(
      recipe: recipe, member: recipe.members[0],
      data: facts.data.map { URL(fileURLWithPath: $0) }, folder: folder)
    pathPrefix = facts.pathPrefix
    origin = facts.origin
    fold = facts.fold
    skipsBroken = facts.skipsBroken
    isResuming = true
    begunWith = "\(facts.recipe)/\(facts.member)"
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

  /// The hash of a weights file's bytes.
  static func digest(_ file: URL) throws(WeightsError) -> String {
    do {
      return try SHA256.digits(ofFile: file).digits
    } catch MediaError.unreadable(_, let reason) {
      throw .unreadable(file: file.relativePath, reason: reason)
    } catch {
      throw .unreadable(file: file.relativePath, reason: error.reason)
    }
  }
}
