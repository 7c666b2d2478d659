import Foundation
import Measures

/// The label of a video and what else its dataset says about it.
package struct VideoLabel: Sendable, Equatable {
  /// Real or fake.
  package var label: FaceLabel
  /// The video's name in the dataset; its fakes have this name as `original`.
  package var video: String
  /// The version of the video, such as its compression; nil if there is only one version.
  package var variant: String?
  /// Name of the real video that a fake was made from.
  package var original: String?
  /// The person seen in the video.
  package var person: String?
  /// The dataset's own part, such as train, that the video is in.
  package var split: String?
  /// Name of the collection, such as celeb-df.
  package var origin: String?
  /// Path of the file within the dataset.
  package var file: String

  /// A label whose other properties are nil.
  package init(_ label: FaceLabel, video: String, file: String) {
    self.label = label
    self.video = video
    self.file = file
  }

  /// A name that is unique in the dataset: the video's name and its variant.
  package var key: String { variant.map { "\(video)@\($0)" } ?? video }
}

/// A source of video labels: a file that lists the videos, or the names of their folders.
package protocol LabelSource: Sendable {
  /// The name in messages.
  var name: String { get }

  /// The label of a video file, or why it is left out; nil if the source does not know it.
  ///
  /// - Throws: `DatasetError` if a list cannot be read.
  mutating func answer(for file: URL) throws(DatasetError) -> LabelAnswer?

  /// Entries of the lists read so far whose video was not asked for and does not exist.
  func entriesWithoutFile() -> [LabelEntry]
}

extension LabelSource {
  /// Empty: a source without lists has no entries.
  package func entriesWithoutFile() -> [LabelEntry] { [] }
}

/// An entry of a list of labels.
package struct LabelEntry: Sendable, Equatable {
  /// Path of the list's file.
  package var list: String
  /// Line number in the list, from 1.
  package var line: Int
  /// The video's file, as written in the list.
  package var file: String
}

extension [LabelEntry] {
  /// A message with the number of these entries and the first three of them; nil if there are none.
  public var textOfMissing: String? {
    guard let first else { return nil }
    let names = prefix(3).map { entry in
      entry.file + " (\(entry.list == first.list ? "" : entry.list + ", ")line \(entry.line))"
    }
    let more = count > names.count ? " and \(count - names.count) more" : ""
    return
      "\(first.list): \(count)"
      + " \(count == 1 ? "row names a file that does" : "rows name files that do")"
      + " not exist: \(names.joined(separator: ", "))\(more)"
  }
}

/// A `LabelSource`'s answer about a file.
package enum LabelAnswer: Sendable, Equatable {
  case label(VideoLabel)
  /// The file belongs to the dataset but has no faces to learn from. The text is the reason.
  case leftOut(String)
}

/// The path of a video file, in components.
struct VideoPath {
  /// The folders from the root down, then the file's name.
  let parts: [String]

  init(_ file: URL) {
    parts = file.standardizedFileURL.path.split(separator: "/").map(String.init)
  }

  /// The file's name without its extension.
  var stem: String { Self.stem(parts.last ?? "") }

  /// The folders from the root down.
  var folders: ArraySlice<String> { parts.dropLast() }

  /// The path that starts at one of its components.
  func path(from part: Int) -> String { parts[part...].joined(separator: "/") }

  /// A path without its extension, if that has at most five characters, as media files have.
  static func stem(_ path: String) -> String {
    let url = URL(fileURLWithPath: "/" + path, isDirectory: false)
    let isMedia = !url.pathExtension.isEmpty && url.pathExtension.count <= 5
    return isMedia ? String(path.dropLast(url.pathExtension.count + 1)) : path
  }
}
