import Foundation
import Measures

/// What a dataset says of one of its videos.
package struct VideoLabel: Sendable, Equatable {
  /// What it shows.
  package var label: FaceLabel
  /// The video's name in the dataset, which its fakes have as `original`.
  package var video: String
  /// Which of several copies of the video this is, such as a compression; nil for an only one.
  package var variant: String?
  /// The video that a fake was made from.
  package var original: String?
  /// The person whose face is seen.
  package var person: String?
  /// The part of the data that the dataset puts the video in.
  package var split: String?
  /// The collection.
  package var origin: String?
  /// Where the file is in the dataset.
  package var file: String

  /// A label of which nothing else is known.
  package init(_ label: FaceLabel, video: String, file: String) {
    self.label = label
    self.video = video
    self.file = file
  }

  /// What tells the video from all others of the dataset, its own copies included.
  package var key: String { variant.map { "\(video)@\($0)" } ?? video }
}

/// Something that knows what videos show: a file that lists them, or the folders that they lie in.
package protocol LabelSource: Sendable {
  /// What messages call it.
  var name: String { get }

  /// What is known of a video file; nil where nothing is.
  ///
  /// - Throws: `DatasetError` where a list cannot be read.
  mutating func answer(for file: URL) throws(DatasetError) -> LabelAnswer?

  /// Entries of lists that were read, whose file nobody asked about and which is not where the list
  /// says.
  func entriesWithoutFile() -> [LabelEntry]
}

extension LabelSource {
  /// None: folders' names list nothing.
  package func entriesWithoutFile() -> [LabelEntry] { [] }
}

/// A row or entry of a list of labels.
package struct LabelEntry: Sendable, Equatable {
  /// The list's file.
  package var list: String
  /// The line in it, from 1.
  package var line: Int
  /// The video's file, as the list names it.
  package var file: String
}

extension [LabelEntry] {
  /// How many rows name no file, and the first of them, in words; nil where all do.
  public var textOfMissing: String? {
    guard let first else { return nil }
    let names = prefix(3).map { entry in
      entry.file + " (\(entry.list == first.list ? "" : entry.list + ", ")line \(entry.line))"
    }
    let more = count > names.count ? " and \(count - names.count) more" : ""
    return
      "\(first.list): \(count)"
      + " \(count == 1 ? "row names a file that is" : "rows name files that are")"
      + " not there: \(names.joined(separator: ", "))\(more)"
  }
}

/// What a `LabelSource` says of a file.
package enum LabelAnswer: Sendable, Equatable {
  case label(VideoLabel)
  /// The file belongs to the dataset and shows no faces to learn from, with the reason.
  case leftOut(String)
}

/// A file's place, in words of a path.
struct VideoPath {
  /// The folders from the root on, and the file's name.
  let parts: [String]

  init(_ file: URL) {
    parts = file.standardizedFileURL.path.split(separator: "/").map(String.init)
  }

  /// The file's name without its extension.
  var stem: String { Self.stem(parts.last ?? "") }

  /// The folders, the nearest last.
  var folders: ArraySlice<String> { parts.dropLast() }

  /// The path from one of its parts on.
  func path(from part: Int) -> String { parts[part...].joined(separator: "/") }

  /// A path without the extension that media have, if it has one.
  static func stem(_ path: String) -> String {
    let url = URL(fileURLWithPath: "/" + path, isDirectory: false)
    let isMedia = !url.pathExtension.isEmpty && url.pathExtension.count <= 5
    return isMedia ? String(path.dropLast(url.pathExtension.count + 1)) : path
  }
}
