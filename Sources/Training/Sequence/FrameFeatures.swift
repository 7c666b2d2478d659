import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// The features that a network finds in each sample of a manifest and in its mirror image. They are
/// computed once and kept in a file.
struct FrameFeatures {
  /// [2, samples, features]: of the pictures, then of their mirror images. Not a number for
  /// pictures that cannot be decoded.
  let values: Tensor
  /// The number of features of a picture.
  var width: Int { values.shape[2] }

  /// Whether a sample's picture could be decoded.
  func isKnown(_ sample: Int) -> Bool {
    values.withUnsafeBuffer { $0[sample * width].isFinite }
  }

  /// Reads the features from the folder, or computes them and writes them there.
  ///
  /// - Parameters:
  ///   - manifest: The samples.
  ///   - network: The network with its weights; it is packed only if features must be computed.
  ///   - options: How pictures are loaded.
  ///   - folder: The folder of the file; nil: the features are not kept.
  ///   - onProgress: Is told how many of all samples are done.
  /// - Throws: `DatasetError` of a picture that cannot be decoded, unless `options.skipsBroken`;
  ///   `WeightsError.unwritable` if the file cannot be written; `ValidationCancelled`.
  init(
    of manifest: FaceManifest, by network: TrainableNetwork, _ options: FaceLoader.Options,
    in folder: URL?, onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws {
    let width = network.network.featureCount
    let shape = [2, manifest.count, width]
    let file = folder?.appendingPathComponent(
      "\(Self.key(manifest, network, options)).safetensors")
    if let file, let state = try? StateDict.read(file), let stored = state["features"],
      stored.shape == shape, let values = try? stored.tensor()
    {
      self.values = values
      return
    }
    values = try Self.compute(manifest, network, options, shape, onProgress)
    guard let file, let folder else { return }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw WeightsError.unwritable(file: folder.relativePath, reason: error.reason)
    }
    try StateDict(tensors: [.init("features", values)]).write(safetensors: file)
  }

  private static func compute(
    _ manifest: FaceManifest, _ network: TrainableNetwork, _ options: FaceLoader.Options,
    _ shape: [Int], _ onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> Tensor {
    let packed = network.packedCopy()
    let loader = FaceLoader(manifest, order: Array(0..<manifest.count), options)
    defer { loader.stop() }
    let width = shape[2]
    var values = [Float](repeating: .nan, count: shape.reduce(1, *))
    while let batch = try loader.next() {
      if Task.isCancelled { throw ValidationCancelled() }
      if batch.indices.isEmpty { continue }
      let views = [batch.images, batch.images.flipped(axes: [2])].map { packed.pooled($0).scalars }
      for (view, features) in views.enumerated() {
        for (row, index) in batch.indices.enumerated() {
          let place = (view * manifest.count + index) * width
          values.replaceSubrange(
            place..<place + width, with: features[row * width..<(row + 1) * width])
        }
      }
      try onProgress(batch.end, manifest.count)
    }
    return Tensor(values, shape: shape)
  }

  /// The name of the file: a hash of everything that the features depend on.
  private static func key(
    _ manifest: FaceManifest, _ network: TrainableNetwork, _ options: FaceLoader.Options
  ) -> String {
    let hash = SHA256()
    func add(_ text: String) {
      var text = text + "\n"
      text.withUTF8 { hash.update(UnsafeRawBufferPointer($0)) }
    }
    add("features 1, \(options.input), skips \(options.skipsBroken)")
    add("\(network.metadata.entries.sorted { $0.key < $1.key })")
    for parameter in network.network.store.parameters {
      add("\(parameter.key) \(parameter.shape)")
      parameter.value.withUnsafeBuffer { hash.update(UnsafeRawBufferPointer($0)) }
    }
    for row in manifest.table.rows {
      let path = manifest.table.fullPath(row)
      let facts = try? FileManager.default.attributesOfItem(atPath: path)
      let time = (facts?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      add("\(path) \(facts?[.size] as? Int ?? 0) \(time)")
      if options.input.difference != nil { add(manifest.table.words[row.later, default: ""]) }
    }
    return String(hash.digits().prefix(32))
  }

  /// The features of clips, [clips, frames, features], and the clips' lengths. Shorter clips end
  /// with zeros.
  ///
  /// - Parameter mirrored: For each clip, whether its mirror image is taken.
  func clips(_ clips: [[Int]], mirrored: [Bool]) -> (features: Tensor, lengths: [Int]) {
    let frames = clips.map(\.count).max() ?? 0
    let samples = values.shape[1]
    let features = Tensor(shape: [clips.count, frames, width]) { out in
      values.withUnsafeBuffer { values in
        for (clip, indices) in clips.enumerated() {
          for frame in 0..<frames {
            let to = (clip * frames + frame) * width
            guard frame < indices.count else {
              for place in to..<to + width { out[place] = 0 }
              continue
            }
            let from = ((mirrored[clip] ? samples : 0) + indices[frame]) * width
            for place in 0..<width { out[to + place] = values[from + place] }
          }
        }
      }
    }
    return (features, clips.map(\.count))
  }
}
