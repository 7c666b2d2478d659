import Foundation

/// Videos with their labels, and the failures of videos without one.
package struct LabelledFiles: Sendable {
  /// A video with its label.
  package struct Video: Sendable {
    package var label: VideoLabel
    package var file: URL
  }

  /// Videos without a label for the same reason.
  package struct Failure: Sendable, Equatable {
    /// The first of the files, as the caller gave it.
    package var file: String
    /// Number of videos; more than one if a list for all of them cannot be read.
    package var count = 1
    package var error: DatasetError

    /// The message for the user.
    package var text: String {
      count == 1
        ? error.description : "\(error.description) (\(count) videos have no label for that reason)"
    }
  }

  /// Videos with a label, in the order of the files.
  package var videos: [Video] = []
  /// Failures, one for each reason.
  package var failures: [Failure] = []
}

extension DatasetLabels {
  /// The labels of some videos. Videos that the dataset leaves out are in neither list.
  package mutating func answers(for files: [URL]) -> LabelledFiles {
    var result = LabelledFiles()
    var places: [String: Int] = [:]
    for file in files {
      do throws(DatasetError) {
        if case .label(let label) = try answer(for: file) {
          result.videos.append(.init(label: label, file: file))
        }
      } catch {
        // A broken list gives the same error for every video beside it.
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
