import FaceDetect
import MediaIO
import Training

/// Which faces are cut out of videos, and how.
package struct ExtractionOptions: Sendable, Equatable {
  /// Which frames of a video are searched for faces.
  package enum Frames: Sendable, Equatable {
    /// So many, spread evenly over all; all if there are fewer.
    case spread(Int)
    /// Every one.
    case all
    /// Every tenth from the start on, up to the first with a face.
    case firstFace
  }

  /// Whose faces are cut out.
  package enum People: String, Sendable, CaseIterable {
    /// Everybody's.
    case all
    /// Those of the person with the largest face, by the median area of its boxes.
    case largest
    /// In each frame, the one that the detector is surest of.
    case surest
  }

  /// The frames of each video.
  package var frames: Frames = .spread(25)
  /// Whether videos of the rarer label give more frames, so that there are as many crops of either.
  package var isBalanced = false
  /// The most frames that balancing asks of a video.
  package var maxFrames = 200
  /// How faces are found; its weights aside.
  package var detector = Recipe.Detector()
  /// Whose faces.
  package var people: People = .all
  /// Frames in which a person must be seen, as a part of those of the person seen most: what is no
  /// face, or passes by, is left out.
  package var minShare: Float = 0.25
  /// How they are cut out.
  package var crop = Recipe.Crop()
  /// The side of a crop in pixels; nil for its own size in the frame.
  package var size: Int?
  /// How crops are written.
  package var format: ImageFile.Format = .png
  /// Whether the dataset's own split goes into the manifest.
  package var keepsSplit = false
  /// Whether rows of labels that name no file are an error, before anything is extracted.
  package var isStrict = false

  /// 25 frames a video and everybody in them, as the built-in recipe finds and cuts faces, as PNG.
  package init() {
    detector.frameScale = .auto
  }

  /// The datasets of a silver-medal team of the Deepfake Detection Challenge.
  package enum Preset: String, Sendable, CaseIterable {
    /// The first face of each video, found by MTCNN.
    case faces1 = "faces-1"
    /// Of DFDC's training set about 200,000 faces, half of them real, found by RetinaFace.
    case faces3 = "faces-3"
    /// Likewise 2,000,000.
    case faces6 = "faces-6"
  }

  /// A preset's options.
  package init(preset: Preset) {
    people = .surest
    // As that team had it.
    detector.frameScale = 0.5
    switch preset {
    case .faces1:
      detector.kind = .mtcnn
      frames = .firstFace
    case .faces3:
      // 100,000 fakes give one each; 19,154 real videos five each.
      frames = .spread(1)
      isBalanced = true
    case .faces6:
      // 100,000 fakes give ten each; 19,154 real videos 52 each.
      frames = .spread(10)
      isBalanced = true
    }
  }
}

/// How many frames a video of either label gives.
package struct FrameBalance: Sendable, Equatable, Codable {
  /// Frames of a real video.
  package var real: Int
  /// Frames of a fake one.
  package var fake: Int

  /// The same for both.
  package init(_ frames: Int) {
    real = frames
    fake = frames
  }

  /// More for the rarer label, as many times as it has fewer videos, `most` at most; the same where
  /// a label has none.
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
