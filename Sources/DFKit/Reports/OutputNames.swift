import Foundation
import MediaIO

/// Names for files that are made of other files, which may lie in several folders: no name is given
/// twice, and no input is overwritten.
package struct OutputNames: Sendable {
  private let inputs: Set<String>
  private var used: Set<String> = []

  /// - Parameter inputs: files that are never overwritten.
  package init(sparing inputs: [URL] = []) {
    self.inputs = Set(inputs.map { $0.resolvingSymlinksInPath().path })
  }

  /// The name `base`, numbered from 2 where it was given before.
  package mutating func unused(_ base: String) -> String {
    var name = base
    var number = 2
    while !used.insert(name).inserted {
      name = "\(base)-\(number)"
      number += 1
    }
    return name
  }

  /// The file of a name in a folder.
  ///
  /// - Throws: `MediaError.unwritable` where it is an input.
  package func file(_ name: String, in folder: URL) throws(MediaError) -> URL {
    let url = folder.appendingPathComponent(name)
    guard !inputs.contains(url.resolvingSymlinksInPath().path) else {
      throw .unwritable(
        file: url.relativePath, reason: "it is an input. Draw into another folder.")
    }
    return url
  }
}
