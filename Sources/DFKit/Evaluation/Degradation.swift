import DeepfakeCore
import Foundation
import MediaIO
import Training

/// A way in which the quality of footage gets worse, as `dfkit evaluate --sweep` tests it.
package enum Degradation: Sendable, Hashable {
  /// Encoded again as H.264 with this constant rate factor of libx264; higher is worse.
  case crf(Int)
  /// Scaled down by this factor, at most 1.
  case scale(Double)
  /// Only every n-th frame is kept.
  case everyFrame(Int)
  /// Gaussian blur with this standard deviation, in pixels of the frame.
  case blur(Double)
  /// Camera noise with this standard deviation, as a fraction of white.
  case noise(Double)

  /// The tested degradations by kind, each from mild to strong. The first of each kind changes the
  /// footage little or not at all.
  package static let sweeps: [(name: String, unit: String, steps: [Degradation])] = [
    ("H.264", "CRF", [17, 23, 28, 34, 40].map { .crf($0) }),
    ("size", "fraction of the frame's", [1, 0.75, 0.5, 0.35, 0.25].map { .scale($0) }),
    ("frame rate", "one frame in N", [1, 2, 4, 8].map { .everyFrame($0) }),
    ("blur", "standard deviation in pixels", [0, 0.5, 1, 2, 3].map { .blur($0) }),
    (
      "noise", "standard deviation, fraction of white",
      [0, 0.01, 0.03, 0.06, 0.1].map { .noise($0) }
    ),
  ]

  /// The strength, in the unit of its kind in `sweeps`.
  package var strength: Double {
    switch self {
    case .crf(let factor): Double(factor)
    case .scale(let part): part
    case .everyFrame(let step): Double(step)
    case .blur(let deviation), .noise(let deviation): deviation
    }
  }

  /// The strength as text; whole numbers have no decimals.
  var label: String {
    strength.rounded() == strength ? strength.fixed(0) : "\(strength)"
  }

  /// Whether footage is left unchanged. Encoding as H.264 always changes it.
  package var isIdentity: Bool {
    switch self {
    case .crf: false
    case .scale(let part): part == 1
    case .everyFrame(let step): step == 1
    case .blur(let deviation), .noise(let deviation): deviation == 0
    }
  }

  /// Applies the degradation to one frame; `crf` and `everyFrame` leave it unchanged. `index` seeds
  /// the noise. A scaled frame has at least 16 pixels a side.
  func changed(_ frame: Image, index: Int) -> Image {
    switch self {
    case .crf, .everyFrame: return frame
    case .scale(let part):
      return frame.resized(
        width: max(16, Int((Double(frame.width) * part).rounded())),
        height: max(16, Int((Double(frame.height) * part).rounded())), method: .area)
    case .blur(let deviation):
      return applied(GaussianBlur(sigma: Float(deviation)...Float(deviation)), to: frame, index)
    case .noise(let deviation):
      return applied(Noise(deviation: Float(deviation)...Float(deviation)), to: frame, index)
    }
  }

  private func applied(
    _ operation: any AugmentationOperation, to frame: Image, _ index: Int
  ) -> Image {
    var generator = SeededGenerator(seed: 1, label: "sweep \(index)")
    return Augmentation([.init(operation)])(frame, using: &generator)
  }

  /// Whether the video must be encoded again. If not, its frames are changed as they are read.
  var needsCopy: Bool {
    switch self {
    case .crf: true
    case .everyFrame(let step): step > 1
    case .scale, .blur, .noise: false
    }
  }

  /// Writes a degraded copy of a video into a folder; an image is copied unchanged, as PNG.
  ///
  /// `everyFrame` drops frames and encodes the rest with a rate factor of 12, which has no visible
  /// loss.
  ///
  /// - Returns: The file of the copy.
  /// - Throws: `MediaError` if the file cannot be read or the copy cannot be written.
  func copy(_ file: URL, into folder: URL) throws -> URL {
    let name = file.deletingPathExtension().lastPathComponent
    guard try MediaKind.of(file) == .video else {
      let output = folder.appendingPathComponent("\(name).png")
      try ImageFile.write(try ImageFile.read(file), to: output, format: .png)
      return output
    }
    let video = try Video(file)
    let step = if case .everyFrame(let step) = self { step } else { 1 }
    let crf = if case .crf(let factor) = self { factor } else { 12 }
    let output = folder.appendingPathComponent("\(name).mp4")
    var writer: VideoWriter?
    try video.forEachFrame(stride: step) { frame in
      let ready =
        try writer
        ?? VideoWriter(
          output, width: frame.image.width, height: frame.image.height,
          frameRate: (video.info.frameRate ?? 25) / Double(step), encoders: ["libx264"], crf: crf)
      writer = ready
      try ready.append(frame.image, time: frame.time)
    }
    try writer?.finish()
    return output
  }
}
