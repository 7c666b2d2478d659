import FaceDetect
import Foundation
import Measures

/// One face crop of a dataset and what is known of it.
///
/// ```swift
/// var sample = FaceSample(path: "faces/anna-01.png", label: .real)
/// sample.person = "anna"
/// sample.video = "anna.mp4"
/// let manifest = FaceManifest([sample])
/// ```
public struct FaceSample: Sendable, Equatable {
  /// The path as the manifest has it, mostly relative to the manifest's folder.
  public var path: String
  /// Where the picture is.
  public var file: URL
  /// What it shows.
  public var label: FaceLabel
  /// The video that the crop was cut from; where the manifest does not say, `HoldOut` puts a group
  /// of neighbouring files here.
  public var video: String?
  /// The person seen.
  public var person: String?
  /// The real video that a fake was made from.
  public var original: String?
  /// The part of the data that the manifest puts the crop in.
  public var split: String?
  /// The number of the fold that the crop is held out in, from 1.
  public var fold: Int?
  /// The samples with which the crop belongs together, by what `DatasetSplitter` saw.
  public var group: String?
  /// The collection that the crop is from.
  public var origin: String?
  /// The number of the video's frame that the crop was cut from, from 0.
  public var frame: Int?
  /// Seconds into the video.
  public var time: Double?
  /// Where the detector saw the face, in pixels of the frame.
  public var box: Box?
  /// Left eye, right eye, nose, left and right corner of the mouth, in pixels of the crop.
  public var landmarks: [Point]?
  /// How sure the detector was, 0 to 1.
  public var score: Float?
  /// The SHA-256 of the video's file.
  public var source: String?
  /// Whether the picture is a real face out of which a fake is to be made, see
  /// `FaceManifest.withMadeFakes`.
  public var isMade = false

  /// A sample of which nothing but the label is known. `file` defaults to `path`.
  public init(path: String, file: URL? = nil, label: FaceLabel) {
    self.path = path
    self.file = file ?? URL(fileURLWithPath: path, isDirectory: false)
    self.label = label
  }
}
