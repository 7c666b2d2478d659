import Foundation
import Measures

/// Labels from folder names: `real/` and `fake/`, words with these meanings, or `0/` and `1/`
/// beside each other. The nearest such folder, among the three above a video, decides.
///
/// A video's name is its path without the extension, starting one level above that folder.
package struct FolderLabels: LabelSource {
  /// The name in messages.
  package let name = "the names of folders"

  private static let real: Set<String> = [
    "real", "reals", "original", "originals", "original_sequences", "genuine", "pristine",
    "authentic", "bonafide", "bona-fide",
  ]
  private static let fake: Set<String> = [
    "fake", "fakes", "manipulated", "manipulated_sequences", "deepfake", "deepfakes", "synthesis",
    "synthetic", "forged", "swap", "swapped", "swaps",
  ]
  /// Number of folders above a video that are considered.
  private static let height = 3

  /// Whether a folder has subfolders `0` and `1`.
  private var isNumbered: [String: Bool] = [:]

  /// A source that has not looked at any folder yet.
  package init() {}

  /// The label by the nearest folder with a known name; nil if there is none.
  package mutating func answer(for file: URL) -> LabelAnswer? {
    let path = VideoPath(file)
    for place in path.folders.indices.suffix(Self.height).reversed() {
      guard let label = label(path, place) else { continue }
      let start = max(0, place - 1)
      let whole = path.path(from: start)
      return .label(VideoLabel(label, video: VideoPath.stem(whole), file: whole))
    }
    return nil
  }

  private mutating func label(_ path: VideoPath, _ place: Int) -> FaceLabel? {
    let word = path.parts[place].lowercased()
    if Self.real.contains(word) { return .real }
    if Self.fake.contains(word) { return .fake }
    guard word == "0" || word == "1" else { return nil }
    let parent = "/" + path.parts[..<place].joined(separator: "/")
    let numbered =
      isNumbered[parent]
      ?? ["0", "1"].allSatisfy { name in
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(
          atPath: "\(parent)/\(name)", isDirectory: &isFolder) && isFolder.boolValue
      }
    isNumbered[parent] = numbered
    return numbered ? FaceLabel(word) : nil
  }
}
