import Foundation

/// Which weights file each member of a recipe gets.
public struct MemberFiles: Sendable, Equatable {
  /// A member with its file.
  public struct Entry: Sendable, Equatable {
    /// The member.
    public var member: Recipe.Member
    /// Its weights.
    public var file: URL
  }

  /// The recipe's members in order.
  public let entries: [Entry]

  /// Matches what a command line gives with the members.
  ///
  /// - Parameter arguments: one file (for a recipe of one member), `MEMBER=FILE` for each member, or
  ///   one folder that holds `MEMBER.safetensors` for each.
  public init(_ arguments: [String], members: [Recipe.Member]) throws(MemberFilesError) {
    let names = members.map(\.name)
    if arguments.count == 1, let argument = arguments.first,
      Self.named(argument, names) == nil
    {
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
        entries = [Entry(member: members[0], file: url)]
      }
      return
    }
    var files: [String: URL] = [:]
    for argument in arguments {
      guard let (name, path) = Self.named(argument, names) else {
        throw MemberFilesError.unknownMember(argument, members: names)
      }
      guard files[name] == nil else { throw MemberFilesError.givenTwice(name) }
      files[name] = URL(fileURLWithPath: path)
    }
    let missing = names.filter { files[$0] == nil }
    guard missing.isEmpty else { throw MemberFilesError.missing(missing) }
    entries = members.compactMap { member in
      files[member.name].map { Entry(member: member, file: $0) }
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
    let entries = members.map { member in
      Entry(member: member, file: url.appendingPathComponent("\(member.name).safetensors"))
    }
    let missing = entries.filter { !FileManager.default.fileExists(atPath: $0.file.path) }
    guard missing.isEmpty else {
      throw MemberFilesError.missingInFolder(
        argument, files: missing.map(\.file.lastPathComponent))
    }
    return entries
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
      "--weights: no file for \(members.joined(separator: ", ")); every member needs one."
    case .missingInFolder(let folder, let files):
      "--weights \(folder): the folder lacks \(files.joined(separator: ", "))."
    }
  }
}
