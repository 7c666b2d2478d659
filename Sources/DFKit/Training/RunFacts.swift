import DeepfakeCore
import Foundation
import MediaIO
import Training

/// The settings with which a run began, stored as `run.json` in its folder. They suffice to resume
/// the run without any other argument.
package struct RunFacts: Codable, Sendable, Equatable {
  /// The weights that training started from.
  package struct InitialWeights: Codable, Sendable, Equatable {
    package var file: String
    /// The SHA-256 hash of the file's bytes.
    package var sha256: String
    /// The scheme that was given for the checkpoint's keys; nil if it was recognised from the file.
    package var scheme: String?
    /// The entry of the checkpoint that was chosen, if any.
    package var state: String?
    /// Whether the weights of the last layer were to be kept.
    package var keepsHead: Bool
  }

  /// The version of dfkit.
  package var version: String
  package var recipe: String
  package var member: String
  /// The paths of the manifests.
  package var data: [String]
  /// Only samples whose path begins with this were used; nil: all.
  package var pathPrefix: String?
  /// Only samples of this collection were used; nil: all.
  package var origin: String?
  /// The fold that is held out; nil if folds are not used.
  package var fold: Int?
  /// The hash of the manifests.
  package var dataDigest: String
  /// The weights that training started from; nil: random weights from the seed.
  package var initialWeights: InitialWeights?
  /// Whether pictures that cannot be decoded are left out.
  package var skipsBroken: Bool
  /// The number of threads at the beginning. A resumed run may use another number.
  package var threads: Int
  /// The number of parameters that are trained.
  package var parameters: Int
  /// The date and time of the beginning, in ISO 8601.
  package var began: String

  /// The content of `run.json`.
  var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self) + Data("\n".utf8)
    }
  }

  /// Reads the `run.json` of a run.
  ///
  /// - Throws: `TrainingError.nothingToResume` if there is no such file, `TrainingError.damaged` if
  ///   it cannot be decoded.
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
  /// A job that resumes the run in a folder, with the settings stored there.
  ///
  /// - Throws: `TrainingError` if there is no run or its facts are damaged, `RecipeError` if its
  ///   recipe cannot be read.
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

  /// Replaces the recipe of a resumed run with another one, or with a changed version of its own.
  ///
  /// - Parameter name: The member to train.
  /// - Throws: `RecipeError` if the recipe has no such member.
  package mutating func take(_ other: Recipe, member name: String?) throws(RecipeError) {
    let found = try other.member(name)
    if (other.name, found.name) != (recipe.name, member.name) { begunWith = nil }
    (recipe, member, options) = (other, found, other.training(of: found))
  }

  /// The SHA-256 hash of a weights file's bytes.
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
