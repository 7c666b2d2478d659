import DeepfakeCore
import Foundation

/// The weights of each member of a recipe.
///
/// ```swift
/// let recipe = try Recipe.named("dfdc-silver")
/// // A folder of b6-200.safetensors and so on; or ["b6-200=first.pt", ...], a file a member.
/// let weights = try MemberFiles(["networks/"], members: recipe.members)
/// let predictor = try VideoPredictor(
///   recipe: recipe, weights: weights, detectorWeights: detectorFile)
/// ```
public struct MemberFiles: Sendable, Equatable {
  /// A member with its weights.
  public struct Entry: Sendable, Equatable {
    /// The member of the recipe.
    public var member: Recipe.Member
    /// A weights file, or weights that ship.
    public var weights: WeightsSource
  }

  /// One entry for each member, in the recipe's order.
  public let entries: [Entry]

  /// Whether any member gets other weights than those that its recipe names. A recipe's calibration
  /// was fitted to the scores of the named weights only.
  public var replacesNamed: Bool {
    entries.contains { entry in
      entry.member.weights.map { !entry.weights.isSame(as: WeightsSource(argument: $0)) } ?? false
    }
  }

  /// Whether the weights of every member have a calibration of their own. Weights that cannot be
  /// read count as not calibrated.
  var areCalibrated: Bool {
    entries.allSatisfy { entry in
      guard let state = try? entry.weights.read() else { return false }
      return (try? ModelMetadata(state).calibration) != nil
    }
  }

  /// Assigns the weights in a command's arguments to the members.
  ///
  /// - Parameter arguments: One file (for a recipe with one member), `MEMBER=FILE` for each member,
  ///   or one folder with `MEMBER.safetensors` for each. Instead of a file, the name of weights
  ///   that ship can be given. Members without an argument use the weights that the recipe names
  ///   (`Recipe.Member.weights`).
  /// - Throws: `MemberFilesError` if an argument fits no member or a member has no weights.
  public init(_ arguments: [String], members: [Recipe.Member]) throws(MemberFilesError) {
    let names = members.map(\.name)
    if arguments.count == 1, let argument = arguments.first,
      Self.named(argument, names) == nil
    {
      if let shipped = ShippedWeights.named(argument), members.count == 1 {
        entries = [Entry(member: members[0], weights: .shipped(shipped))]
        return
      }
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder)
      guard exists else { throw MemberFilesError.notFound(argument, members: names) }
      let url = URL(fileURLWithPath: argument)
      if isFolder.boolValue {
        entries = try Self.folder(url, argument, members)
      } else {
        guard members.count == 1 else {
          throw MemberFilesError.oneFileForMany(argument, members: names)
        }
        entries = [Entry(member: members[0], weights: .file(url))]
      }
      return
    }
    var sources: [String: WeightsSource] = [:]
    for argument in arguments {
      guard let (name, path) = Self.named(argument, names) else {
        throw MemberFilesError.unknownMember(argument, members: names)
      }
      guard sources[name] == nil else { throw MemberFilesError.givenTwice(name) }
      sources[name] = WeightsSource(argument: path)
    }
    for member in members where sources[member.name] == nil {
      guard let own = member.weights.map({ WeightsSource(argument: $0) }) else { continue }
      guard own.exists else { throw MemberFilesError.ownMissing(member.name, file: own.name) }
      sources[member.name] = own
    }
    let missing = names.filter { sources[$0] == nil }
    guard missing.isEmpty else { throw MemberFilesError.missing(missing) }
    entries = members.compactMap { member in
      sources[member.name].map { Entry(member: member, weights: $0) }
    }
  }

  /// The parts of `MEMBER=FILE`; nil if there is no such member or no file.
  private static func named(_ argument: String, _ names: [String]) -> (name: String, path: String)?
  {
    guard let equals = argument.firstIndex(of: "=") else { return nil }
    let name = String(argument[..<equals])
    let path = String(argument[argument.index(after: equals)...])
    return names.contains(name) && !path.isEmpty ? (name, path) : nil
  }

  private static func folder(
    _ url: URL, _ argument: String, _ members: [Recipe.Member]
  ) throws(MemberFilesError) -> [Entry] {
    let files = members.map { url.appendingPathComponent("\($0.name).safetensors") }
    let missing = files.filter { !FileManager.default.fileExists(atPath: $0.path) }
    guard missing.isEmpty else {
      throw MemberFilesError.missingInFolder(argument, files: missing.map(\.lastPathComponent))
    }
    return zip(members, files).map { Entry(member: $0, weights: .file($1)) }
  }
}

/// Why the given weights do not fit a recipe.
public enum MemberFilesError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is no such file or folder.
  case notFound(String, members: [String])
  /// One file was given, but the recipe has several members.
  case oneFileForMany(String, members: [String])
  /// The argument names no member of the recipe.
  case unknownMember(String, members: [String])
  /// A member was given two files.
  case givenTwice(String)
  /// These members have no weights.
  case missing([String])
  /// The file that the recipe names for a member does not exist.
  case ownMissing(String, file: String)
  /// Files for some members are missing in the folder.
  case missingInFolder(String, files: [String])

  /// The error message, with a remedy.
  public var description: String {
    switch self {
    case .notFound(let argument, let members):
      "--weights \(argument): no such file or folder, nor MEMBER=FILE with a member of the recipe"
        + " (\(members.joined(separator: ", ")))."
    case .oneFileForMany(let argument, let members):
      "--weights \(argument): one file is not enough for the recipe's \(members.count) members."
        + " Give MEMBER=FILE for each (\(members.joined(separator: ", "))), a folder of"
        + " MEMBER.safetensors, or a recipe with one member."
    case .unknownMember(let argument, let members):
      "--weights \(argument): must be MEMBER=FILE; the members are"
        + " \(members.joined(separator: ", "))."
    case .givenTwice(let member): "--weights: \(member) is given twice."
    case .missing(let members):
      "--weights: no file for \(members.joined(separator: ", ")). Every member of the recipe needs"
        + " a file: give a folder of MEMBER.safetensors, or MEMBER=FILE for each. The recipe"
        + " 'default' needs no --weights."
    case .ownMissing(let member, let file):
      "the recipe names \(file) as the weights of \(member): there is no such file. Give --weights"
        + " \(member)=FILE, or correct the recipe."
    case .missingInFolder(let folder, let files):
      "--weights \(folder): the folder lacks \(files.joined(separator: ", ")), which the recipe's"
        + " members need. Add the files, or choose another recipe with --recipe."
    }
  }
}
