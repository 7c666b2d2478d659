import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What is written reads back, and a file is there whole or not at all.
@Suite("Weights: writing safetensors")
struct SafetensorsWriteTests {
  private func written(
    _ state: StateDict, metadata: [String: String]? = nil, dtype: ElementType = .f32
  ) throws -> (state: StateDict, data: Data) {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("out.safetensors")
      try state.write(safetensors: file, metadata: metadata, dtype: dtype)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
      return (try StateDict.read(file), try Data(contentsOf: file))
    }
  }

  @Test func keepsOrderShapesTypesAndMetadata() throws {
    let original = try StateDict.read(Paths.fixture("checkpoints/zip.pth"))
    let metadata = ["note": "quotes \" \\ \u{1}\n ü 😀", "empty": ""]
    let (copy, data) = try written(original, metadata: metadata)
    #expect(copy.metadata == metadata)
    #expect(copy.keys == original.keys.filter { $0 != "nothing" } + ["nothing"])
    for key in original.keys {
      #expect(copy[key]?.shape == original[key]?.shape)
      #expect(copy[key]?.dtype == original[key]?.dtype)
      #expect(try copy[key]?.tensor().scalars == original[key]?.tensor().scalars)
    }
    let header = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(header % 8 == 0)
    let json = try JSONSerialization.jsonObject(with: data[8..<8 + header])
    #expect((json as? [String: Any])?.count == original.count + 1)
  }

  @Test func sameInputSameBytes() throws {
    let state = try StateDict.read(Paths.fixture("checkpoints/training.pth"))
    #expect(try written(state).data == written(state).data)
    #expect(try written(state).state.metadata == state.metadata)
  }

  @Test func everyHalfReadsRight() throws {
    // The whole format: each bit pattern, subnormals, infinities and NaN included.
    let patterns = (0...UInt16.max).map { $0 }
    for (type, value) in [
      ("F16", { (bits: UInt16) in Float(Float16(bitPattern: bits)) }),
      ("BF16", { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }),
    ] {
      let json = #"{"x":{"dtype":"\#(type)","shape":[65536],"data_offsets":[0,131072]}}"#
      var file = Pickle()
      file.integer(UInt64(json.utf8.count))
      var data = Data(file.bytes.dropFirst(2)) + Data(json.utf8)
      patterns.withUnsafeBytes { data.append(contentsOf: $0) }
      let found = try Paths.withTemporaryFolder { folder in
        let url = folder.appendingPathComponent("halves.safetensors")
        try data.write(to: url)
        return try #require(try StateDict.read(url)["x"]?.tensor().scalars)
      }
      for (bits, found) in zip(patterns, found) {
        let expected = value(bits)
        if !(found.bitPattern == expected.bitPattern || found.isNaN && expected.isNaN) {
          Issue.record("\(type) \(bits): \(found), expected \(expected)")
        }
      }
    }
  }

  @Test func roundsToNearestEven() throws {
    var generator = SeededGenerator(seed: 5)
    var values: [Float] = [
      0, -0.0, .infinity, -.infinity, 65504, 65519.9, 0x1p-24, 0x1p-25, 0x1.000002p-25, 0x1.8p-24,
      0x1.FFFp-15, 0x1.FFEp-15, 2049, 2051, 0x1.002p0, 0x1.006p0, 0x1p-149, 0x1.01p0, 0x1.03p0,
    ]
    while values.count < 50_000 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      if value.isFinite, abs(value) < 65520 { values.append(value) }
    }
    let state = StateDict(tensors: [.init("x", Tensor(values, shape: [values.count]))])
    let halves = try #require(try written(state, dtype: .f16).state["x"])
    #expect(halves.dtype == .f16)
    let brains = try #require(try written(state, dtype: .bf16).state["x"])
    #expect(brains.dtype == .bf16)
    let (half, brain) = (try halves.tensor().scalars, try brains.tensor().scalars)
    for (i, value) in values.enumerated() {
      if half[i].bitPattern != Float(Float16(value)).bitPattern {
        Issue.record("\(value) as F16: \(half[i])")
      }
      // The nearer of the two bfloat16 around the value; of two equally near, the even one.
      let low = value.bitPattern & 0xFFFF_0000
      let rest = value.bitPattern & 0xFFFF
      let up = rest > 0x8000 || rest == 0x8000 && low & 0x1_0000 != 0
      let expected = Float(bitPattern: up ? low &+ 0x1_0000 : low)
      if brain[i] != expected { Issue.record("\(value) as BF16: \(brain[i])") }
    }
    let notANumber = StateDict(tensors: [.init("x", Tensor([Float.nan], shape: [1]))])
    for dtype in [ElementType.f16, .bf16] {
      #expect(try written(notANumber, dtype: dtype).state["x"]?.tensor().item.isNaN == true)
    }
  }

  @Test func valuesBeyondHalfPrecisionAreAnError() throws {
    let state = StateDict(tensors: [.init("big", Tensor([1, 70000], shape: [2]))])
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("out.safetensors")
      let error = #expect(throws: WeightsError.self) {
        try state.write(safetensors: file, dtype: .f16)
      }
      #expect(error?.description.contains("big") == true)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left.isEmpty)
      #expect(throws: WeightsError.self) {
        try state.write(safetensors: folder.appendingPathComponent("absent/out.safetensors"))
      }
    }
  }

  @Test func replacesTheFileThatIsBeingRead() throws {
    var generator = SeededGenerator(seed: 9)
    let large = Tensor.normal(shape: [300, 300], using: &generator)
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("model.safetensors")
      try StateDict(tensors: [.init("w", large)]).write(safetensors: file)
      let mapped = try StateDict.read(file)
      let tensor = try #require(try mapped["w"]?.tensor())
      try mapped.write(safetensors: file, metadata: ["again": "1"])
      #expect(tensor.scalars == large.scalars)
      #expect(try StateDict.read(file).metadata == ["again": "1"])
    }
  }
}
