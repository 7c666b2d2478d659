import FaceDetect
import Foundation
import Measures

/// One face crop of a dataset with its label and origin.
///
/// ```swift
/// var sample = FaceSample(path: "faces/anna-01.png", label: .real)
/// sample.person = "anna"
/// sample.video = "anna.mp4"
/// let manifest = FaceManifest([sample])
/// ```
public struct FaceSample: Sendable, Equatable {
  /// The path in the manifest, mostly relative to the manifest's folder.
  public var path: String
  /// Location of the picture.
  public var file: URL
  /// Real or fake.
  public var label: FaceLabel
  /// Name of the video that the crop was cut from. If it is unknown, `HoldOut` stores a name of the
  /// sample's group here.
  public var video: String?
  /// The person seen in the crop.
  public var person: String?
  /// Name of the real video that a fake was made from.
  public var original: String?
  /// The part of the data, as written in the column `split`.
  public var split: String?
  /// The number of the fold that the crop is held out in, from 1.
  public var fold: Int?
  /// Name of the group of samples that `DatasetSplitter` found to belong together.
  public var group: String?
  /// The collection that the crop is from.
  public var origin: String?
  /// Frame number in the video, from 0.
  public var frame: Int?
  /// Time in the video, in seconds.
  public var time: Double?
  /// The detected face, in pixels of the frame.
  public var box: Box?
  /// Left eye, right eye, nose, left and right mouth corner as seen in the picture, in pixels of
  /// the crop.
  public var landmarks: [Point]?
  /// The detector's confidence, 0 to 1.
  public var score: Float?
  /// Location of the later crop: the same box, cut out of a later frame. A network with a
  /// difference to a later frame learns from both.
  public var later: URL?
  /// The SHA-256 of the video's file.
  public var source: String?
  /// The probability of "fake" that a teacher gave the crop, 0 to 1; nil if the label is known.
  /// Training uses it in place of the label.
  public var probability: Float?
  /// The recipe or weights that gave `probability`, with the beginning of their SHA-256.
  public var teacher: String?
  /// Whether a fake is made from this picture, a real face, when it is loaded. See
  /// `FaceManifest.withMadeFakes`.
  public var isMade = false

  /// The target of training, 0 to 1: the teacher's probability if there is one, otherwise the
  /// label.
  package var target: Float { probability ?? label.target }

  /// A sample with only a label. `file` defaults to `path`.
  public init(path: String, file: URL? = nil, label: FaceLabel) {
    self.path = path
    self.file = file ?? URL(fileURLWithPath: path, isDirectory: false)
    self.label = label
  }
}
