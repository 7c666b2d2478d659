import Foundation
import Training

/// A video, image or group of face crops of known truth, and what was seen in it.
package struct EvaluatedFile: Sendable {
  /// The file; of face crops, the video or group that they are from.
  package var name: String
  /// The truth.
  package var label: FaceLabel
  /// What belongs together and is drawn as one for intervals (`FaceManifest.groups`).
  package var group: String
  /// The collection, where known.
  package var source: String?
  /// Which copy of the video it is, such as a compression, where known.
  package var variant: String?
  /// What was seen, with every face's scores.
  package var report: VideoReport

  /// A file.
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

  /// A labelled video that has been judged.
  init(_ label: VideoLabel, group: String, _ report: VideoReport) {
    self.init(
      name: report.file, label: label.label, group: group,
      source: label.origin, variant: label.variant, report: report)
  }
}

/// What files can be told apart by, to see where a detector is good and where not.
package enum Facet: String, Sendable, CaseIterable {
  /// The collection.
  case source
  /// The copy, such as a compression.
  case compression
  /// The median side of the judged faces, in pixels of the frame.
  case faceSize
  /// The people who were judged in enough frames.
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

  /// The file's value, in words; nil where it is not known.
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
  /// The median side of the judged faces' boxes, in pixels; nil without any.
  var medianFaceSide: Float? {
    let sides = scores.faces.map { $0.box.area.squareRoot() }.sorted()
    return sides.isEmpty ? nil : sides[sides.count / 2]
  }
}
