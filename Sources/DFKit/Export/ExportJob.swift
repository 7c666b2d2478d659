import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation

/// Writes networks as ONNX files.
package struct ExportJob: Sendable {
  /// The networks to write: of one weights file, or of a recipe.
  package enum Source: Sendable {
    /// The network that weights belong to: a classifier, a detector or a face embedder.
    case weights(WeightsSource, ClassifierOptions)
    /// The networks of a recipe.
    case members([MemberFiles.Entry])
  }

  package var source: Source
  package var dtype: ElementType = .f32
  /// Whether a classifier gives the probability of "fake" instead of its logits.
  package var givesProbability = false
  /// The size of a detector's frames; nil: any.
  package var frameSize: Size2d?

  package init(_ source: Source) {
    self.source = source
  }

  /// Writes the networks.
  ///
  /// - Parameter output: The file of a single network; otherwise the folder for the files.
  /// - Returns: A report on each file.
  /// - Throws: `ExportError`, `ONNXExportError`, `WeightsError` or `ClassifierError`.
  package func run(to output: URL) throws -> [ExportReport] {
    let networks = try networks()
    let isFile = output.pathExtension.lowercased() == "onnx"
    guard isFile == (networks.count == 1) else {
      throw isFile
        ? ExportError.severalNetworks(networks.map(\.name), output: output.relativePath)
        : ExportError.oneNetwork(output: output.relativePath)
    }
    if !isFile {
      do {
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
      } catch {
        throw WeightsError.unwritable(file: output.relativePath, reason: error.reason)
      }
    }
    return try networks.map { network in
      let file = isFile ? output : output.appendingPathComponent("\(network.name).onnx")
      let model = try network.model()
      let files = try model.write(to: file, dtype: dtype)
      return ExportReport(model, source: network.source, files: files, dtype: dtype)
    }
  }

  /// A network to write.
  private struct Network {
    var name: String
    var source: String
    var model: () throws -> ONNXModel
  }

  private func networks() throws -> [Network] {
    switch source {
    case .weights(let weights, let options): return try networks(of: weights, options)
    case .members(let entries):
      return entries.map { entry in
        Network(name: entry.member.name, source: entry.weights.name) {
          try classifier(entry.weights, try entry.weights.read(), entry.member.network)
        }
      }
    }
  }

  private func networks(
    of weights: WeightsSource, _ options: ClassifierOptions
  ) throws -> [Network] {
    let state = try weights.read()
    func network(_ name: String, _ model: @escaping () throws -> ONNXModel) -> Network {
      Network(name: name, source: weights.name, model: model)
    }
    if let detector = DetectorWeights(recognizing: state),
      let family = DetectorFamilies.named(detector.detector)
    {
      try check(options, "a detector")
      return try family.onnxModels(state, size: frameSize).map { part, model in
        network(part.isEmpty ? detector.detector : part) { try described(model, weights) }
      }
    }
    guard frameSize == nil else { throw ExportError.notOfThisNetwork("--frame-size", "a detector") }
    if FaceEmbedders.recognises(state) {
      try check(options, "a face embedder")
      return [
        network("embedder") { try described(ONNXModel(embedder: state), weights) }
      ]
    }
    return [network("classifier") { try classifier(weights, state, options) }]
  }

  private func check(_ options: ClassifierOptions, _ kind: String) throws(ExportError) {
    guard options == ClassifierOptions(), !givesProbability else {
      throw .onlyForClassifiers(kind)
    }
  }

  private func classifier(
    _ weights: WeightsSource, _ state: StateDict, _ options: ClassifierOptions
  ) throws -> ONNXModel {
    let model =
      state.isSequence
      ? try ONNXModel(sequence: state, options, givesProbability: givesProbability)
      : try ONNXModel(classifier: state, options, givesProbability: givesProbability)
    return try described(model, weights)
  }

  /// The model with what a reader wants to know of its weights.
  private func described(_ model: ONNXModel, _ weights: WeightsSource) throws -> ONNXModel {
    var model = model
    model.metadata["weights.sha256"] = try weights.digest()
    model.metadata["dfkit.version"] = dfkitVersion
    if case .shipped(let shipped) = weights, let card = shipped.card {
      model.metadata["licence"] = card.licence
    }
    return model
  }
}

/// The reason why networks are not exported as asked.
package enum ExportError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Several networks for one file.
  case severalNetworks([String], output: String)
  /// A folder for one network.
  case oneNetwork(output: String)
  /// An option of classifiers with another network, which the text names.
  case onlyForClassifiers(String)
  /// An option that is for another kind of network.
  case notOfThisNetwork(String, String)
  /// The file does not run where it was checked.
  case checkFailed(String, reason: String)

  package var description: String {
    switch self {
    case .severalNetworks(let names, let output):
      "\(output): one file cannot hold \(names.count) networks (\(names.joined(separator: ", ")))."
        + " Give a folder as --output, or choose one with --member."
    case .oneNetwork(let output):
      "\(output): give a name that ends in .onnx for the file of one network."
    case .onlyForClassifiers(let kind):
      "The weights are \(kind)'s; options of classifiers do not apply to it."
    case .notOfThisNetwork(let option, let kind): "\(option) is only for \(kind)."
    case .checkFailed(let file, let reason): "\(file): was written, but does not run: \(reason)"
    }
  }
}
