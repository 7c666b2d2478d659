import Foundation

extension StateDict {
  /// In what form a file stores its tensors.
  enum Container {
    case safetensors, torchArchive, torchLegacy, onnx
  }

  /// Reads the tensors of a weights file: safetensors, a PyTorch checkpoint (the zip archive, or
  /// the form that PyTorch wrote before 1.6), a TorchScript archive, or an ONNX model. The kind is
  /// recognised from the contents.
  ///
  /// The file is mapped, not loaded; it must not be shortened while anything refers to it. Of a
  /// checkpoint that holds more than a state dict, `entry` names the one to take, or a part of the
  /// name that only one has (`ema`); without it, the one under `state_dict`, `model` and the like
  /// is found. `checkpoint` says what was taken and what else there is. Where every key starts with
  /// `module.` (`DataParallel`) or `_orig_mod.` (`torch.compile`), that is dropped. No code in a
  /// checkpoint ever runs: of what Python's pickle format can hold, tensors and plain values are
  /// understood. Whatever an unknown class or function would have made is passed over, and refused
  /// by name where a tensor depends on it.
  /// - Throws: `WeightsError.unreadable` for files that are missing, damaged or of another kind,
  ///   and where there is no `entry`; `WeightsError.refused` for weights that are not plain
  ///   tensors.
  public static func read(
    _ url: URL, entry: String? = nil
  ) throws(WeightsError) -> StateDict {
    let file = try MappedFile(url)
    let container = try container(of: file, named: url.pathExtension.lowercased())
    if let entry, container == .safetensors || container == .onnx {
      throw .unreadable(
        file: file.name,
        reason: "only PyTorch checkpoints hold states to choose from, so there is no \(entry)")
    }
    let state: StateDict
    switch container {
    case .safetensors: state = try SafetensorsReader(file).read()
    case .torchArchive: state = try TorchArchive(file).read(entry: entry)
    case .torchLegacy: state = try TorchLegacyFile(file).read(entry: entry)
    case .onnx: state = try ONNXReader(file).read()
    }
    try state.checkSize(fileSize: file.bytes.count)
    // An ONNX file's keys are what its nodes call the tensors.
    return state.graph == nil ? state.unwrapped : state
  }

  /// The tensors without what PyTorch's own wrappers put before every key. Its average of weights
  /// (`AveragedModel`) also counts its steps in a tensor beside the module.
  private var unwrapped: StateDict {
    var state = self
    let counter = "n_averaged"
    if state[counter] != nil {
      var without = state
      without[counter] = nil
      let stripped = without.strippingCommonPrefix("module.")
      if stripped.keys != without.keys { state = stripped }
    }
    while true {
      let stripped = state.strippingCommonPrefix("_orig_mod.").strippingCommonPrefix("module.")
      if stripped.keys == state.keys { return state }
      state = stripped
    }
  }

  /// Reads the tensors of a safetensors file that is embedded in the program: its bytes must stay
  /// for as long as the program runs.
  ///
  /// - Throws: `WeightsError.unreadable`.
  public static func read(
    embedded bytes: UnsafeRawBufferPointer, name: String
  ) throws(WeightsError) -> StateDict {
    try SafetensorsReader(MappedFile(embedded: bytes, name: name)).read()
  }

  /// What all tensors together may take as Float32 however small the file is: views of few elements
  /// expanded to many.
  static let expansionLimit = 256 << 20

  /// Refuses files whose tensors, converted to Float32, would take much more memory than the file:
  /// more than twice its size and more than `expansionLimit` bytes.
  private func checkSize(fileSize: Int) throws(WeightsError) {
    var total = 0
    for key in keys {
      let bytes = (self[key]?.count ?? 0) * MemoryLayout<Float>.size
      let (sum, overflow) = total.addingReportingOverflow(bytes)
      guard !overflow, sum <= max(2 * fileSize, Self.expansionLimit) else {
        throw .refused(
          file: file,
          found: "tensors that repeat \(fileSize) stored bytes to far more (from \(key) on beyond"
            + " \(max(2 * fileSize, Self.expansionLimit)))")
      }
      total = sum
    }
  }

  private static func container(
    of file: MappedFile, named suffix: String
  ) throws(WeightsError) -> Container {
    let bytes = file.bytes
    if let reason = TextInPlaceOfWeights(bytes)?.reason {
      throw .unreadable(file: file.name, reason: reason)
    }
    func starts(with prefix: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + prefix.count && bytes[offset...].starts(with: prefix)
    }
    if suffix == "onnx" { return .onnx }
    if starts(with: [0x50, 0x4B, 3, 4]) { return .torchArchive }
    if suffix == "safetensors" || starts(with: [0x7B], at: 8) && !starts(with: [0x80]) {
      return .safetensors
    }
    if starts(with: Array("PK".utf8)) { return .torchArchive }
    if starts(with: [0x80]) { return .torchLegacy }
    if ONNXReader.begins(bytes) { return .onnx }
    let kinds: [(prefix: [UInt8], offset: Int, kind: String)] = [
      (Array("ustar".utf8), 257, "PyTorch's tar format from before 2017, or another tar archive"),
      ([0x1F, 0x8B], 0, "a gzip archive; unpack it first"),
      ([0x89] + Array("HDF".utf8), 0, "an HDF5 file (Keras); export it to safetensors"),
      (Array("GGUF".utf8), 0, "a GGUF file; export it to safetensors"),
    ]
    let known = kinds.first { starts(with: $0.prefix, at: $0.offset) }?.kind
    // Early tar checkpoints carry no "ustar" mark but begin with a member of a known name.
    let tar = starts(with: Array("sys_info".utf8)) || starts(with: Array("storages".utf8))
    throw .unreadable(
      file: file.name,
      reason: known.map { "it is \($0)" }
        ?? (tar
          ? "it is in PyTorch's tar format from before 2017; load it in Python and save the"
            + " state_dict again"
          : "it is neither safetensors, nor a PyTorch checkpoint, nor an ONNX model"))
  }
}
