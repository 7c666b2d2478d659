import Foundation

/// What is known of many videos, and why of others nothing is.
package struct LabelledFiles: Sendable {
  /// A video with its label.
  package struct Video: Sendable {
    /// What the dataset says of it.
    package var label: VideoLabel
    package var file: URL
  }

  /// Videos without a label.
  package struct Failure: Sendable, Equatable {
    /// The first of the files, as it was given.
    package var file: String
    /// How many they are: more than one where a list cannot be read that should have had them all.
    package var count = 1
    package var error: DatasetError

    /// The message for people.
    package var text: String {
      count == 1
        ? error.description : "\(error.description) (\(count) videos have no label for that reason)"
    }
  }

  /// Videos with a label, in the order of the files.
  package var videos: [Video] = []
  /// Those without, each reason once.
  package var failures: [Failure] = []
}

extension DatasetLabels {
  /// What is known of some videos. Those that the dataset leaves out are in neither list.
  package mutating func answers(for files: [URL]) -> LabelledFiles {
    var result = LabelledFiles()
    var places: [String: Int] = [:]
    for file in files {
      do throws(DatasetError) {
        if case .label(let label) = try answer(for: file) {
          result.videos.append(.init(label: label, file: file))
        }
      } catch {
        // A list that is broken is so for every video beside it.
        if let place = places[error.description] {
          result.failures[place].count += 1
        } else {
          places[error.description] = result.failures.count
          result.failures.append(.init(file: file.relativePath, error: error))
        }
      }
    }
    return result
  }
}
