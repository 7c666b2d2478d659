import FaceDetect
import Measures
import MediaIO

/// The frames that are searched, the people whose faces are cut out, and the form of the crops.
package struct ExtractionOptions: Sendable, Equatable {
  /// Which frames of a video are searched for faces.
  package enum Frames: Sendable, Equatable {
    /// This many frames, evenly spread; all frames if the video has fewer.
    case spread(Int)
    /// Every frame.
    case all
    /// Every tenth frame from the start, until one has a face.
    case firstFace
  }

  /// The people whose faces are cut out.
  package enum People: String, Sendable, CaseIterable {
    /// All people.
    case all
    /// Only the person with the largest face, by the median area of the person's boxes.
    case largest
    /// In each frame, only the face with the highest detector score.
    case surest
  }

  /// Which frames of each video are searched.
  package var frames: Frames = .spread(25)
  /// Whether more frames are taken from videos of the rarer label, so that both labels have about
  /// the same number of crops.
  package var isBalanced = false
  /// The largest number of frames that balancing takes from a video.
  package var maxFrames = 200
  /// The detector's settings, without its weights.
  package var detector = Recipe.Detector()
  /// The time in seconds to the later frame that is cut by the same box as each crop; nil: none is.
  package var difference: Float?
  /// The people whose faces are cut out.
  package var people: People = .all
  /// The number of frames in which a person must be seen, as a fraction of the frames of the person
  /// seen most. This leaves out false detections and people who pass by.
  package var minShare: Float = 0.25
  /// How faces are cut out.
  package var crop = Recipe.Crop()
  /// The side of a crop in pixels; nil: crops keep their size in the frame.
  package var size: Int?
  /// The image format of the crops.
  package var format: ImageFile.Format = .png
  /// Whether the split that the dataset defines is written into the manifest.
  package var keepsSplit = false
  /// Whether label rows without a file are an error, thrown before any video is extracted.
  package var isStrict = false

  /// The defaults: all people in 25 frames of a video, with the built-in recipe's detector and
  /// crop, as PNG.
  package init() {
    detector.frameScale = .auto
  }

  /// The datasets that a silver-medal team of the Deepfake Detection Challenge (DFDC) used.
  package enum Preset: String, Sendable, CaseIterable {
    /// The first face of each video, detected by MTCNN.
    case faces1 = "faces-1"
    /// About 200,000 faces from the training set of DFDC, half of them real, detected by
    /// RetinaFace.
    case faces3 = "faces-3"
    /// About 2,000,000 faces from the training set of DFDC, half of them real, detected by
    /// RetinaFace.
    case faces6 = "faces-6"
  }

  /// A preset's options.
  package init(preset: Preset) {
    people = .surest
    // The scale that the team used.
    detector.frameScale = 0.5
    switch preset {
    case .faces1:
      detector.kind = .mtcnn
      frames = .firstFace
    case .faces3:
      // 100,000 fake videos give one frame each, 19,154 real videos five each.
      frames = .spread(1)
      isBalanced = true
    case .faces6:
      // 100,000 fake videos give ten frames each, 19,154 real videos 52 each.
      frames = .spread(10)
      isBalanced = true
    }
  }
}

/// The number of frames that are taken from a video of each label.
package struct FrameBalance: Sendable, Equatable, Codable {
  /// The number of frames taken from a real video.
  package var real: Int
  /// The number of frames taken from a fake video.
  package var fake: Int

  /// The same number for both labels.
  package init(_ frames: Int) {
    real = frames
    fake = frames
  }

  /// A number for each label. Videos of the rarer label give more frames, in proportion to the
  /// number of videos, up to `most`. If a label has no videos, both numbers are `frames`.
  package init(_ frames: Int, realVideos: Int, fakeVideos: Int, most: Int) {
    self.init(frames)
    guard realVideos > 0, fakeVideos > 0 else { return }
    func share(_ own: Int, _ other: Int) -> Int {
      guard other > own else { return frames }
      let wanted = (Double(frames) * Double(other) / Double(own)).rounded()
      return max(frames, Int(min(wanted, Double(most))))
    }
    real = share(realVideos, fakeVideos)
    fake = share(fakeVideos, realVideos)
  }

  subscript(label: FaceLabel) -> Int { label == .real ? real : fake }
}
