import DeepfakeCore
import Foundation
import MediaIO
import Training

/// Something that happens to footage on its way: what `dfkit evaluate --sweep` tries.
package enum Degradation: Sendable, Hashable {
  /// Encoded anew as H.264 with a constant rate factor (libx264's; higher is worse).
  case crf(Int)
  /// Scaled down, to a part of its size.
  case scale(Double)
  /// Every n-th frame only.
  case everyFrame(Int)
  /// Blurred, by a Gaussian's deviation in pixels of the frame.
  case blur(Double)
  /// A camera's noise, by its deviation as a part of white.
  case noise(Double)

  /// The degradations by kind, each from the mildest; the first of each leaves footage as it is or
  /// nearly so.
  package static let sweeps: [(name: String, unit: String, steps: [Degradation])] = [
    ("H.264", "CRF", [17, 23, 28, 34, 40].map { .crf($0) }),
    ("size", "part of the frame's", [1, 0.75, 0.5, 0.35, 0.25].map { .scale($0) }),
    ("frame rate", "one of so many frames", [1, 2, 4, 8].map { .everyFrame($0) }),
    ("blur", "deviation in pixels", [0, 0.5, 1, 2, 3].map { .blur($0) }),
    ("noise", "deviation, part of white", [0, 0.01, 0.03, 0.06, 0.1].map { .noise($0) }),
  ]

  /// How strong it is, in its kind's unit.
  package var strength: Double {
    switch self {
    case .crf(let factor): Double(factor)
    case .scale(let part): part
    case .everyFrame(let step): Double(step)
    case .blur(let deviation), .noise(let deviation): deviation
    }
  }

  /// The strength for people, whole numbers without decimals.
  var label: String {
    strength.rounded() == strength ? strength.fixed(0) : "\(strength)"
  }

  /// Whether footage stays as it is.
  package var isIdentity: Bool {
    switch self {
    case .crf: false
    case .scale(let part): part == 1
    case .everyFrame(let step): step == 1
    case .blur(let deviation), .noise(let deviation): deviation == 0
    }
  }

  /// What becomes of a frame; `index` is what noise depends on.
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

  /// Whether a video must be encoded anew; otherwise its frames are changed as they are looked at.
  var needsCopy: Bool {
    switch self {
    case .crf: true
    case .everyFrame(let step): step > 1
    case .scale, .blur, .noise: false
    }
  }

  /// A copy of a video encoded anew, in a folder; of a picture, which has no frames, as it is.
  ///
  /// `everyFrame` leaves out frames and encodes at a rate factor of 12, whose losses cannot be
  /// seen.
  ///
  /// - Throws: `MediaError` where the video cannot be read or the copy not be written.
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
