import DeepfakeCore

extension StateDict {
  /// For an ONNX model that has lost the names of its layers, the tensors with the keys of the
  /// classifier whose graph it has, and metadata that say which one that is; for any other file,
  /// or if no family has this network, the tensors unchanged.
  ///
  /// Layers are identified by the layers that they read and by the shapes of their weights (see
  /// `ONNXMatch`). ONNX does not say what the input must be: without metadata, it is taken to be
  /// what the network's scheme usually has, at the size of the model's input.
  ///
  /// - Throws: `WeightsError` with the first difference if the layers are those of a network of a
  ///   family, but not its graph.
  public func namedByGraph() throws(WeightsError) -> StateDict {
    guard let graph, metadata["dfkit"] == nil, !hasAllNames,
      let (settings, state) = try candidate(graph)
    else { return self }
    var named = state
    var description = (try? ModelMetadata(self)) ?? ModelMetadata()
    description.describe(settings)
    named.metadata = description.entries
    return named
  }

  /// Whether a network can be loaded by the tensors' names. Some exporters keep the names of
  /// convolutions and lose those of norms.
  private var hasAllNames: Bool {
    guard let settings = try? ClassifierSettings.resolve(self) else { return false }
    let mapping = KeyMapping(settings.scheme, settings.architecture, for: self)
    return settings.makeNetwork().store.parameters.allSatisfy {
      self[mapping.published($0.key)] != nil
    }
  }

  /// The first network whose layers the graph has, and the tensors with its keys.
  private func candidate(
    _ graph: ONNXGraph
  ) throws(WeightsError) -> (ClassifierSettings, StateDict)? {
    var difference: WeightsError?
    guard let (shapes, groups) = try? graph.layers(self), let last = shapes.last, last.count == 2,
      NetworkSettings.classCounts.contains(last[0])
    else { return nil }
    let classCount = last[0]
    let body = shapes.dropLast().sorted { $0.lexicographicallyPrecedes($1) }
    for family in ClassifierFamilies.all {
      for architecture in family.architectures {
        for scheme in family.schemes where family.covers(architecture, scheme) {
          var settings = ClassifierSettings(
            architecture, scheme: scheme, norm: groups.map { .group(groups: $0) },
            classCount: classCount)
          if let size = graph.imageSize { settings.input.size = size }
          guard family.norms.contains(settings.norm.kind) else { continue }
          let network = settings.makeNetwork()
          guard network.layerShapes == body else { break }
          do throws(WeightsError) {
            return (settings, try state(of: network, settings))
          } catch {
            difference = difference ?? error
          }
        }
      }
    }
    if let difference { throw difference }
    return nil
  }

  private func state(
    of network: ClassifierNetwork, _ settings: ClassifierSettings
  ) throws(WeightsError) -> StateDict {
    let mapping = KeyMapping(settings.scheme, settings.architecture) { _ in false }
    let input = ONNXModel.ImageInput(size: Size2d(settings.input.size))
    let model: ONNXModel
    do {
      model = try ONNXModel(
        structureOf: network.store, input, naming: { mapping.published($0.key) }
      ) { [("logits", network($0, .inference))] }
    } catch {
      throw .unreadable(file: file, reason: error.description)
    }
    return try ONNXMatch(self, model, title: settings.architecture.rawValue).state()
  }
}

extension ClassifierNetwork {
  /// The shapes, as files have them, of all layers' weights but the last one's, sorted.
  fileprivate var layerShapes: [[Int]] {
    store.parameters.filter { $0.layout != .unchanged && !lastKeys.contains($0.key) }
      .map { $0.layout.fileShape($0.shape) }.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

extension ONNXGraph {
  /// The side of the images that the graph takes, if they are square and their size is fixed.
  var imageSize: Int? {
    guard let shape = declaredInputs.first?.shape, shape.count == 4, shape[2] == shape[3],
      case .fixed(let side) = shape[2], side > 0
    else { return nil }
    return side
  }
}
