import DeepfakeCore
import Foundation
import Settings

/// The complete state of a run in one file: the parameters, the state of the optimiser and of
/// averages, the progress, and the settings that the run was started with.
struct Checkpoint {
  var state: RunState
  /// Settings that must be the same to resume the run, by key.
  var identity: [String: String]
  var weights: [String: Tensor]
  var optimizer: [String: Tensor]
  /// Empty without a moving average.
  var ema: [String: Tensor]
  var swa: [String: Tensor]

  private static var version: String { "1" }

  private static var groups: [(prefix: String, path: WritableKeyPath<Self, [String: Tensor]>)] {
    [("weights/", \.weights), ("optimizer/", \.optimizer), ("ema/", \.ema), ("swa/", \.swa)]
  }

  /// Writes the file. An existing file is replaced only once the new one is complete.
  func write(_ url: URL) throws(WeightsError) {
    var entries: [StateDict.Entry] = []
    for (prefix, path) in Self.groups {
      for (key, tensor) in self[keyPath: path].sorted(by: { $0.key < $1.key }) {
        entries.append(StateDict.Entry(prefix + key, tensor))
      }
    }
    let metadata = [
      "dfkit-checkpoint": Self.version, "state": try Self.encoded(state, url),
      "identity": try Self.encoded(identity, url),
    ]
    try StateDict(tensors: entries, metadata: metadata).write(safetensors: url)
  }

  /// Reads a checkpoint.
  ///
  /// - Throws: `TrainingError.damaged` if the file cannot be read, is of another version, or holds
  ///   an invalid state.
  static func read(_ url: URL) throws(TrainingError) -> Self {
    let name = url.relativePath
    let file: StateDict
    do {
      file = try StateDict.read(url)
    } catch {
      throw .damaged(file: name, reason: "\(error)")
    }
    guard file.metadata["dfkit-checkpoint"] == version else {
      throw .damaged(file: name, reason: "it is not a checkpoint of this version of dfkit")
    }
    var checkpoint = Self(
      state: try decoded(file, "state", url), identity: try decoded(file, "identity", url),
      weights: [:], optimizer: [:], ema: [:], swa: [:])
    if let problem = checkpoint.state.problem { throw .damaged(file: name, reason: problem) }
    for key in file.keys {
      guard let stored = file[key], let group = groups.first(where: { key.hasPrefix($0.prefix) })
      else { throw .damaged(file: name, reason: "its entry \(key) is unknown") }
      do {
        checkpoint[keyPath: group.path][String(key.dropFirst(group.prefix.count))] =
          try stored.tensor()
      } catch {
        throw .damaged(file: name, reason: "\(error)")
      }
    }
    return checkpoint
  }

  /// The settings that differ between a run's start and now, sorted by key. `40.0` is the same as
  /// `40`, which versions before wrote differently.
  static func differences(
    _ before: [String: String], _ now: [String: String]
  ) -> [TrainingError.Difference] {
    Set(before.keys).union(now.keys).sorted().compactMap { key in
      guard before[key]?.withPlainWholeNumbers != now[key]?.withPlainWholeNumbers else {
        return nil
      }
      return TrainingError.Difference(
        key: key, before: before[key] ?? "not given", now: now[key] ?? "not given")
    }
  }

  private static func encoded(_ value: some Encodable, _ url: URL) throws(WeightsError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw .unwritable(file: url.relativePath, reason: "a number in it is not finite")
    }
  }

  private static func decoded<T: Decodable>(
    _ file: StateDict, _ key: String, _ url: URL
  ) throws(TrainingError) -> T {
    guard let text = file.metadata[key],
      let value = try? JSONDecoder().decode(T.self, from: Data(text.utf8))
    else { throw .damaged(file: url.relativePath, reason: "its \(key) cannot be read") }
    return value
  }
}
