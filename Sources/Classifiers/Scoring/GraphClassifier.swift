import DeepfakeCore

/// A classifier of which only an ONNX file is known: its graph is run as it is.
struct GraphClassifier: FrameClassifier {
  let input: InputSpec
  let classCount: Int
  let batchSize = 8
  let calibration: LogitCalibration?

  private let network: ONNXNetwork
  /// The last function of the graph, if the output is a probability instead of logits.
  private let ending: Ending
  private let isMirrored: Bool

  private enum Ending {
    case logits, sigmoid, softmax
  }

  /// Reads the graph, and runs it once to see what it gives.
  ///
  /// - Throws: `WeightsError` if the graph cannot be run; `ClassifierError.invalidSetting` if the
  ///   size of its images is not known, or if it does not give a number for each image.
  init(_ state: StateDict, _ options: ClassifierOptions) throws {
    network = try ONNXNetwork(state)
    let options = try options.filled(from: state)
    guard let size = options.size ?? state.graph?.imageSize else {
      throw ClassifierError.invalidSetting(
        file: state.file, name: "size", reason: "is not in the file; give it (--size).")
    }
    guard options.difference == nil, options.differenceChannels == nil else {
      throw ClassifierError.invalidSetting(
        file: state.file, name: "difference",
        reason: "does not apply: of this file only the graph is known, and it reads single crops.")
    }
    var input = InputSpec(size: size)
    input.apply(options)
    self.input = input
    isMirrored = options.isMirrored ?? false
    calibration = try ModelMetadata(state).calibration
    let last = state.graph?.nodes.last { $0.outputs.first == state.graph?.outputs.first }
    ending =
      switch last?.operation {
      case "Sigmoid": .sigmoid
      case "Softmax": .softmax
      default: .logits
      }
    let outputs = try network.run(images: Tensor(zeros: [1, size, size, 3]))
    guard let first = outputs.first, first.value.shape.dropFirst().allSatisfy({ $0 > 0 }),
      first.value.shape.first == 1, first.value.rank <= 2
    else {
      throw ClassifierError.invalidSetting(
        file: state.file, name: "output",
        reason: "has the shape \(outputs.first?.value.shape ?? []); a classifier gives [images,"
          + " classes].")
    }
    classCount = first.value.count
  }

  func logits(_ batch: Tensor) -> Tensor {
    let logits = run(batch)
    return isMirrored ? logits.averaged(withMirrorOf: batch, by: run) : logits
  }

  private func run(_ batch: Tensor) -> Tensor {
    let images = batch.shape[0]
    if let output = output(batch, images: images) { return output }
    // Some files have a batch of one only.
    let rows = (0..<images).map { index in
      output(batch.slice(axis: 0, index..<index + 1), images: 1)
        ?? Tensor(repeating: .nan, shape: [1, classCount])
    }
    return .concatenated(rows, axis: 0)
  }

  private func output(_ batch: Tensor, images: Int) -> Tensor? {
    guard let value = try? network.run(images: batch).first?.value,
      value.count == images * classCount
    else { return nil }
    let rows = value.reshaped([images, classCount])
    switch ending {
    case .logits: return rows
    case .softmax: return rows.clamped(to: 1e-7...1).log()
    case .sigmoid:
      let held = rows.clamped(to: 1e-7...(1 - 1e-7))
      return held.log() - (1 - held).log()
    }
  }
}

extension StateDict {
  /// The classifier that the weights are of: a network of a registered family, or, for an ONNX file
  /// of any other network, its graph as it is.
  ///
  /// ```swift
  /// let classifier = try StateDict.read(file).classifier()
  /// let probabilities = try classifier.scores(crops)
  /// ```
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the weights cannot be used; for a graph, the
  ///   error names the operations that dfkit does not have.
  public func classifier(
    _ options: ClassifierOptions = ClassifierOptions()
  ) throws -> any FrameClassifier {
    do {
      return try ClassifierModel(self, options)
    } catch ClassifierError.unrecognised where graph != nil {
      return try GraphClassifier(self, options)
    }
  }
}
