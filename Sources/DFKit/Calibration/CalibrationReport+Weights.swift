import Classifiers
import DeepfakeCore
import Foundation
import Training

extension CalibrationReport {
  /// Writes one network's weights with its calibration and these figures in their metadata; numbers
  /// are stored as they were. The file appears whole or not at all.
  ///
  /// - Throws: `WeightsError`.
  package func write(_ weights: WeightsSource, to output: URL) throws(WeightsError) {
    try write(weights, members[0], settings, over: nil, to: output)
  }

  /// Writes the weights of a recipe's members, each as `MEMBER.safetensors`, into a folder, which
  /// is made where it is not there.
  ///
  /// - Throws: `WeightsError`, and what making the folder throws.
  package func write(_ files: MemberFiles, toFolder folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (entry, member) in zip(files.entries, members) {
      // What was fitted is of logits that the file's own calibration had changed before.
      let model = try ClassifierModel(try entry.weights.read(), entry.member.network)
      try write(
        entry.weights, member, model.settings, over: model.calibration,
        to: folder.appendingPathComponent("\(member.name).safetensors", isDirectory: false))
    }
  }

  private func write(
    _ weights: WeightsSource, _ member: Member, _ settings: ClassifierSettings?,
    over before: LogitCalibration?, to output: URL
  ) throws(WeightsError) {
    let state = try weights.read()
    var metadata = try ModelMetadata(state)
    if let settings { metadata.describe(settings) }
    metadata.calibration = before.map { member.calibration.after($0) } ?? member.calibration
    // What an earlier calibration said of itself.
    metadata.other = metadata.other.filter { !$0.key.hasPrefix("calibration.") }
    for (key, value) in entries(member) { metadata.other["calibration.\(key)"] = value }
    try state.write(safetensors: output, metadata: metadata.entries, dtype: state.precision)
  }

  /// What the file says of its calibration beside the numbers.
  private func entries(_ member: Member) -> [String: String] {
    var entries = [
      "method": method.rawValue, "part": part, "faces": "\(faces.count)",
      "videos": "\(videos.real) real, \(videos.fake) fake", "groups": "\(groups)",
    ]
    if !dataDigest.isEmpty { entries["manifestSHA256"] = dataDigest }
    for (level, figures) in [("faces", member.frames), ("videos", videos)] {
      guard let figures else { continue }
      for (metric, figure) in (figures.crossFitted ?? figures.after).all {
        entries["\(level).\(metric.rawValue)"] = figure.text
      }
    }
    return entries
  }
}

extension LogitCalibration {
  /// What comes of another and then this one.
  fileprivate func after(_ first: LogitCalibration) -> LogitCalibration? {
    LogitCalibration(scale: scale * first.scale, offset: scale * first.offset + offset)
  }
}

extension StateDict {
  /// The type that all fractions have, of those that can be written; F32 where they differ.
  var precision: ElementType {
    let types = Set(keys.compactMap { self[$0]?.dtype }.filter(\.isFloatingPoint))
    guard types.count == 1, let type = types.first, [.f16, .bf16].contains(type) else {
      return .f32
    }
    return type
  }
}
