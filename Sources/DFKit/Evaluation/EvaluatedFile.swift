import FaceData
import Foundation
import Measures

/// A video, image or group of face crops with its label and its scores.
package struct EvaluatedFile: Sendable {
  /// The path of the file; for face crops, the name of their video or group.
  package var name: String
  package var label: FaceLabel
  /// Files of the same group are drawn together for confidence intervals (`FaceManifest.groups`).
  package var group: String
  /// The collection, if known.
  package var source: String?
  /// The version of the video, such as its compression, if known.
  package var variant: String?
  /// The report of the file, with the scores of every face.
  package var report: VideoReport

  /// A file whose properties are known.
  package init(
    name: String, label: FaceLabel, group: String, source: String? = nil, variant: String? = nil,
    report: VideoReport
  ) {
    self.name = name
    self.label = label
    self.group = group
    self.source = source
    self.variant = variant
    self.report = report
  }

  /// A labelled video and its report.
  init(_ label: VideoLabel, group: String, _ report: VideoReport) {
    self.init(
      name: report.file, label: label.label, group: group,
      source: label.origin, variant: label.variant, report: report)
  }
}

/// A property by which files are grouped, to see where a detector works well and where it does not.
package enum Facet: String, Sendable, CaseIterable {
  /// The collection that the file comes from.
  case source
  /// The version of the video, such as its compression.
  case compression
  /// The median size of the scored faces (square root of the box's area), in pixels of the frame.
  case faceSize
  /// The number of people who were scored in enough frames.
  case people

  /// The name in tables.
  package var title: String {
    switch self {
    case .source: "source"
    case .compression: "compression"
    case .faceSize: "face size"
    case .people: "people"
    }
  }

  /// The file's value as text; nil if it is unknown.
  func value(_ file: EvaluatedFile, _ maker: VerdictMaker) -> String? {
    switch self {
    case .source: file.source
    case .compression: file.variant
    case .faceSize:
      file.report.medianFaceSide.map { side in
        switch side {
        case ..<64: "0 to 63 px"
        case ..<128: "64 to 128 px"
        case ..<256: "128 to 256 px"
        default: "256 px and more"
        }
      }
    case .people:
      switch maker.people(of: file.report).count {
      case 0: nil
      case 1: "1"
      case 2: "2"
      default: "3 and more"
      }
    }
  }
}

extension VideoReport {
  /// The median size of the scored faces, in pixels: the square root of the box's area. Nil if
  /// there are none.
  var medianFaceSide: Float? {
    let sides = scores.faces.map { $0.box.area.squareRoot() }.sorted()
    return sides.isEmpty ? nil : sides[sides.count / 2]
  }
}
