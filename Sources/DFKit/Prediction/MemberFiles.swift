import DeepfakeCore
import Foundation

/// Which weights each member of a recipe gets.
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
    /// The network of the recipe that is meant.
    public var member: Recipe.Member
    /// A file, or weights that ship.
    public var weights: WeightsSource
  }

  /// The recipe's members in order.
  public let entries: [Entry]

  /// Whether a member gets other weights than those that its recipe names, to whose scores a
  /// recipe's calibration belongs.
  public var replacesNamed: Bool {
    entries.contains { entry in
      entry.member.weights.map { !entry.weights.isSame(as: WeightsSource(argument: $0)) } ?? false
    }
  }

  /// Whether each member's weights have a calibration of their own. Weights that cannot be read
  /// have none.
  var areCalibrated: Bool {
    entries.allSatisfy { entry in
      guard let state = try? entry.weights.read() else { return false }
      return (try? ModelMetadata(state).calibration) != nil
    }
  }

  /// Matches what a command line gives with the members.
  ///
  /// - Parameter arguments: one file (for a recipe of one member), `MEMBER=FILE` for each member,
  ///   or one folder that holds `MEMBER.safetensors` for each; nothing, or nothing for some
  ///   members, where these name weights of their own (`Recipe.Member.weights`). For a file, the
  ///   name of weights that ship can stand too.
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
      guard own.isThere else { throw MemberFilesError.ownMissing(member.name, file: own.name) }
      sources[member.name] = own
    }
    let missing = names.filter { sources[$0] == nil }
    guard missing.isEmpty else { throw MemberFilesError.missing(missing) }
    entries = members.compactMap { member in
      sources[member.name].map { Entry(member: member, weights: $0) }
    }
  }

  /// The parts of `MEMBER=FILE`; nil if no member is called so.
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

/// Why the weights given do not suit a recipe.
public enum MemberFilesError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is no such file or folder.
  case notFound(String, members: [String])
  /// One file was given, but the recipe has several members.
  case oneFileForMany(String, members: [String])
  /// The argument names no member of the recipe.
  case unknownMember(String, members: [String])
  /// A member has two files.
  case givenTwice(String)
  /// Members have no file.
  case missing([String])
  /// The file that the recipe names for a member is not there.
  case ownMissing(String, file: String)
  /// The folder lacks files.
  case missingInFolder(String, files: [String])

  /// The message for people.
  public var description: String {
    switch self {
    case .notFound(let argument, let members):
      "--weights \(argument): no such file or folder, nor MEMBER=FILE with a member of the recipe"
        + " (\(members.joined(separator: ", ")))."
    case .oneFileForMany(let argument, let members):
      "--weights \(argument): one file cannot serve the recipe's \(members.count) members. Give"
        + " MEMBER=FILE for each (\(members.joined(separator: ", "))), a folder of"
        + " MEMBER.safetensors, or a recipe with one member."
    case .unknownMember(let argument, let members):
      "--weights \(argument): must be MEMBER=FILE, the members being"
        + " \(members.joined(separator: ", "))."
    case .givenTwice(let member): "--weights: \(member) is given twice."
    case .missing(let members):
      "--weights: nothing for \(members.joined(separator: ", ")); every member of the recipe"
        + " needs a"
        + " file: give a folder of MEMBER.safetensors, or MEMBER=FILE for each. The recipe"
        + " 'default' has"
        + " weights of its own."
    case .ownMissing(let member, let file):
      "the recipe names \(file) as the weights of \(member): there is no such file. Give --weights"
        + " \(member)=FILE, or correct the recipe."
    case .missingInFolder(let folder, let files):
      "--weights \(folder): the folder lacks \(files.joined(separator: ", ")), which the recipe's"
        + " members need; --recipe names another recipe."
    }
  }
}
