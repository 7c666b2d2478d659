import Classifiers
import DeepfakeCore
import FaceDetect

/// The contents of a weights file and the network it belongs to.
package struct WeightsReport: Sendable {
  /// One tensor of the file.
  package struct Entry: Sendable, Equatable {
    /// The key in the file.
    package var key: String
    /// The element type in the file.
    package var dtype: String
    /// The shape in the file.
    package var shape: [Int]
  }

  package var file: String
  /// `classifier`, `sequence` or `detector`, or nil if the network is unknown. For weights that
  /// ship, the kind on their card.
  package var kind: String?
  /// The network's name in commands; nil if unknown.
  package var architecture: String?
  /// The scheme of the keys; nil if unknown.
  package var scheme: String?
  /// The kind of norm layers, `batch` or `group`; nil if unknown or if there are none.
  package var norm: String?
  /// The number of stages that the network keeps, from the first; nil: all.
  package var stages: Int?
  /// The number of the network's outputs.
  package var classes: Int?
  /// The side of the input, in pixels.
  package var size: Int?
  /// The metadata of the file.
  package var metadata: [String: String]
  /// The tensors, in the order of the file.
  package var tensors: [Entry]
  /// For a PyTorch checkpoint, what else it holds. After a conversion, this describes the input
  /// file.
  package var checkpoint: CheckpointSummary?
  /// What was assumed because the file does not say it (`WeightsSource.remarks`).
  package var remarks: [String]
  /// The description of weights that ship; nil for a file.
  package var shipped: ShippedWeights?

  /// A report on weights from any source.
  ///
  /// - Throws: `WeightsError` if the weights cannot be read.
  package init(_ source: WeightsSource) throws(WeightsError) {
    let state = try source.read()
    self.init(state)
    remarks += source.remarks(on: state)
    guard case .shipped(let weights) = source else { return }
    shipped = weights
    kind = weights.card?.kind.rawValue ?? kind
    architecture = architecture ?? metadata["architecture"]
  }

  /// A report on tensors. An unknown network is not an error.
  package init(_ state: StateDict) {
    file = state.file
    metadata = state.metadata
    checkpoint = state.checkpoint
    remarks = []
    tensors = state.keys.compactMap { key in
      state[key].map { Entry(key: key, dtype: $0.dtype.rawValue, shape: $0.shape) }
    }
    if let detector = DetectorWeights(recognizing: state) {
      kind = "detector"
      architecture = detector.architecture
      scheme = detector.scheme
      norm = detector.norm?.rawValue
    } else if let settings = try? ClassifierSettings.resolve(state) {
      kind = state.isSequence ? "sequence" : "classifier"
      architecture = settings.architecture.rawValue
      scheme = settings.scheme.rawValue
      norm = settings.norm.kind.rawValue
      stages = settings.stages
      classes = settings.classCount
      size = settings.input.size
    } else {
      scheme = Scheme.recognised(in: state)?.rawValue
      if let remark = state.graphRemark { remarks.append(remark) }
    }
  }

  /// The number of elements in all tensors.
  package var elementCount: Int {
    tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
  }

  /// The report as `dfkit weights info --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
    var json: JSON = [
      "file": .string(file), "kind": .string(kind), "architecture": .string(architecture),
      "scheme": .string(scheme), "norm": .string(norm), "stages": .integer(stages),
      "classes": .integer(classes),
      "size": .integer(size), "elements": .integer(elementCount),
      "torchScript": .bool(checkpoint?.isTorchScript ?? false),
      "state": .string(checkpoint?.state),
      "otherStates": .array((checkpoint?.others ?? []).map { .string($0.name) }),
      "passedOver": .array((checkpoint?.passedOver ?? []).map { .string($0) }),
      "remarks": .array(remarks.map { .string($0) }),
      "metadata": .object(
        metadata.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) }),
      "tensors": .array(
        tensors.map {
          [
            "key": .string($0.key), "dtype": .string($0.dtype),
            "shape": .array($0.shape.map { .integer($0) }),
          ]
        }),
    ]
    if let shipped, case .object(var members) = json {
      members += [
        .init(key: "shipped", value: shipped.card?.json ?? .null),
        .init(key: "bytes", value: .integer(shipped.bytes.count)),
        .init(key: "sha256", value: .string(shipped.digest)),
      ]
      json = .object(members)
    }
    return json
  }

  /// The report as text for the terminal.
  package var text: String {
    var lines: [String] = []
    func add(_ title: String, _ value: String?) {
      let padding = String(repeating: " ", count: max(2, 14 - title.count))
      lines.append(title + padding + TextTable.printable(value ?? "unknown"))
    }
    add("file", file)
    for line in shipped?.card?.lines ?? [] { add(line.title, line.text) }
    if let shipped {
      add("size", "\(shipped.bytes.count) bytes")
      add("SHA-256", shipped.digest)
    }
    add("architecture", architecture)
    add("scheme", scheme)
    if kind != nil { add("norm", norm ?? "none") }
    if let stages { add("stages", "\(stages), from the first") }
    if kind == "classifier" || kind == "sequence" {
      add("classes", classes.map { "\($0)" })
      add("input size", size.map { "\($0)" })
    }
    if checkpoint?.isTorchScript == true {
      add("form", "TorchScript archive; its code is ignored")
    }
    if let state = checkpoint?.state { add("state", state) }
    for other in checkpoint?.others ?? [] {
      add("other state", "\(other.name), \(other.tensors) tensors (--state \(other.name))")
    }
    if let names = checkpoint?.passedOver, !names.isEmpty {
      add("skipped", names.joined(separator: ", "))
    }
    for remark in remarks { add("note", remark) }
    add("tensors", "\(tensors.count), \(elementCount) elements")
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      add("metadata", "\(key): \(value)")
    }
    // For weights that ship, the tensors are not listed: few users need them.
    if shipped != nil { return lines.joined(separator: "\n") }
    var table = TextTable([.init("tensor"), .init("dtype"), .init("shape")])
    for tensor in tensors {
      table.add([tensor.key, tensor.dtype, tensor.shape.map(String.init).joined(separator: " x ")])
    }
    return lines.joined(separator: "\n") + "\n\n" + table.text
  }
}

extension StateDict {
  /// For an ONNX model of a network that no family has: whether dfkit can run its graph.
  fileprivate var graphRemark: String? {
    guard let graph else { return nil }
    do throws(WeightsError) {
      let network = try ONNXNetwork(self)
      let inputs = network.inputs.map(\.name).joined(separator: ", ")
      return "no family of dfkit has this network; its graph of \(graph.nodes.count) nodes"
        + " (\(inputs) to \(network.outputs.joined(separator: ", "))) is run as it is"
    } catch {
      return error.description
    }
  }
}
