import Foundation

extension StateDict {
  /// The format of a weights file.
  enum Container {
    case safetensors, torchArchive, torchLegacy, onnx
  }

  /// Reads the tensors of a weights file: safetensors, a PyTorch checkpoint (the zip archive, or
  /// the format before PyTorch 1.6), a TorchScript archive, or an ONNX model. The contents decide
  /// the format.
  ///
  /// The file is mapped, not loaded. It must not be truncated while anything refers to it. An ONNX
  /// model may keep tensors in other files, which must be in its folder; they are mapped, too.
  /// `checkpoint` describes which state dict of a checkpoint was read, and the others. If every key
  /// starts with `module.` (`DataParallel`) or `_orig_mod.` (`torch.compile`), this prefix is
  /// removed.
  ///
  /// No code in a checkpoint ever runs: of Python's pickle format, only tensors and plain values
  /// are supported. The result of an unknown class or function is ignored. If a tensor depends on
  /// it, the file is refused and the error names the class or function.
  ///
  /// - Parameters:
  ///   - url: The weights file.
  ///   - entry: The state dict to read from a checkpoint that holds more than a state dict: its
  ///     name, or a part that only one name contains, such as `ema`. Nil: the one under
  ///     `state_dict`, `model` or another usual name.
  /// - Throws: `WeightsError.unreadable` if the file is missing, damaged or of another format, or
  ///   has no `entry`. `WeightsError.refused` if the weights are not plain tensors.
  public static func read(
    _ url: URL, entry: String? = nil
  ) throws(WeightsError) -> StateDict {
    let file = try MappedFile(url)
    let container = try container(of: file, named: url.pathExtension.lowercased())
    if let entry, container == .safetensors || container == .onnx {
      throw .unreadable(
        file: file.name,
        reason: "only a PyTorch checkpoint can contain several states, so there is no \(entry)")
    }
    let state: StateDict
    var size = file.bytes.count
    switch container {
    case .safetensors: state = try SafetensorsReader(file).read()
    case .torchArchive: state = try TorchArchive(file).read(entry: entry)
    case .torchLegacy: state = try TorchLegacyFile(file).read(entry: entry)
    case .onnx:
      let reader = ONNXReader(file, folder: url.deletingLastPathComponent())
      state = try reader.read()
      size = reader.size
    }
    try state.checkSize(fileSize: size)
    // The keys of an ONNX file must stay equal to the names in its nodes.
    return state.graph == nil ? state.unwrapped : state
  }

  /// The tensors without the prefixes that PyTorch's wrappers add to every key. `AveragedModel`
  /// also adds a tensor that counts its steps; it is removed with the prefix.
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

  /// Reads the tensors of a safetensors file embedded in the program. Its bytes must exist as long
  /// as the program runs.
  ///
  /// - Throws: `WeightsError.unreadable` if the bytes are damaged; `WeightsError.refused` for an
  ///   unknown element type.
  public static func read(
    embedded bytes: UnsafeRawBufferPointer, name: String
  ) throws(WeightsError) -> StateDict {
    try SafetensorsReader(MappedFile(embedded: bytes, name: name)).read()
  }

  /// The total size of all tensors as Float32, in bytes, that is accepted however small the file
  /// is. A few stored elements can be expanded to many by strides.
  static let expansionLimit = 256 << 20

  /// Refuses files whose tensors take much more memory as Float32 than the file: more than twice
  /// its size and more than `expansionLimit` bytes.
  private func checkSize(fileSize: Int) throws(WeightsError) {
    var total = 0
    for key in keys {
      let bytes = (self[key]?.count ?? 0) * MemoryLayout<Float>.size
      let (sum, overflow) = total.addingReportingOverflow(bytes)
      guard !overflow, sum <= max(2 * fileSize, Self.expansionLimit) else {
        throw .refused(
          file: file,
          found: "tensors that expand \(fileSize) stored bytes to more than"
            + " \(max(2 * fileSize, Self.expansionLimit)) bytes (from \(key) on)")
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
    // Early tar checkpoints have no "ustar" mark but start with a member of a known name.
    let tar = starts(with: Array("sys_info".utf8)) || starts(with: Array("storages".utf8))
    throw .unreadable(
      file: file.name,
      reason: known.map { "it is \($0)" }
        ?? (tar
          ? "it is in PyTorch's tar format from before 2017; load it in Python and save the"
            + " state_dict again"
          : "it is neither safetensors, a PyTorch checkpoint nor an ONNX model"))
  }
}
