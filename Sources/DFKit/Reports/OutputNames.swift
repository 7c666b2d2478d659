import Foundation
import MediaIO

/// Names for files that are derived from input files in several folders. No name is given twice,
/// and no input is overwritten.
package struct OutputNames: Sendable {
  private let inputs: Set<String>
  private var used: Set<String> = []

  /// - Parameter inputs: Files that must never be overwritten.
  package init(sparing inputs: [URL] = []) {
    self.inputs = Set(inputs.map { $0.resolvingSymlinksInPath().path })
  }

  /// The name `base`. If it was already given, a number from 2 is appended, as `base-2`.
  package mutating func unused(_ base: String) -> String {
    var name = base
    var number = 2
    while !used.insert(name).inserted {
      name = "\(base)-\(number)"
      number += 1
    }
    return name
  }

  /// The file with this name in a folder.
  ///
  /// - Throws: `MediaError.unwritable` if that file is an input.
  package func file(_ name: String, in folder: URL) throws(MediaError) -> URL {
    let url = folder.appendingPathComponent(name)
    guard !inputs.contains(url.resolvingSymlinksInPath().path) else {
      throw .unwritable(
        file: url.relativePath, reason: "it is an input. Draw into another folder.")
    }
    return url
  }
}
