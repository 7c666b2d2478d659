import Foundation

/// What a dataset says of one of its videos.
public struct VideoLabel: Sendable, Equatable {
  /// What it shows.
  public var label: FaceLabel
  /// The video's name in the dataset, which its fakes have as `original`.
  public var video: String
  /// Which of several copies of the video this is, such as a compression; nil for an only one.
  public var variant: String?
  /// The video that a fake was made from.
  public var original: String?
  /// The person whose face is seen.
  public var person: String?
  /// The part of the data that the dataset puts the video in.
  public var split: String?
  /// The collection.
  public var origin: String?
  /// Where the file is in the dataset.
  public var file: String

  /// A label of which nothing else is known.
  public init(_ label: FaceLabel, video: String, file: String) {
    self.label = label
    self.video = video
    self.file = file
  }

  /// What tells the video from all others of the dataset, its own copies included.
  public var key: String { variant.map { "\(video)@\($0)" } ?? video }
}

/// Something that knows what videos show: a file that lists them, or the folders that they lie in.
public protocol LabelSource: Sendable {
  /// What messages call it.
  var name: String { get }

  /// What is known of a video file; nil where nothing is.
  ///
  /// - Throws: `DatasetError` where a list cannot be read.
  mutating func answer(for file: URL) throws(DatasetError) -> LabelAnswer?
}

/// What a `LabelSource` says of a file.
public enum LabelAnswer: Sendable, Equatable {
  /// The label.
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
