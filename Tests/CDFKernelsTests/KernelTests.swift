import CDFKernels
import Testing

/// Every kernel, under every instruction set that this processor has, against plain loops in double
/// precision. Serialised because the tests of the thread pool set its size.
@Suite(.serialized) struct KernelTests {}

/// The instruction sets that can run here.
let instructionSets: [df_isa] = [DF_ISA_PORTABLE, DF_ISA_NEON, DF_ISA_AVX2, DF_ISA_AVX512]
  .filter { df_isa_supported($0) }

/// Calls `body` under each instruction set and puts the thread's own back.
func forEachInstructionSet(_ body: (String) -> Void) {
  let before = df_isa_current()
  defer { _ = df_isa_select(before) }
  for isa in instructionSets {
    #expect(df_isa_select(isa))
    body(String(cString: df_isa_name(isa)))
  }
}

/// Expects the same bits from `body` with 1, 2 and 5 threads.
func expectSameForAnyThreads(
  _ label: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () -> [Float]
) {
  let before = df_thread_count()
  defer { df_set_thread_count(before) }
  df_set_thread_count(1)
  let one = body().map(\.bitPattern)
  for threads: Int32 in [2, 5] {
    df_set_thread_count(threads)
    let several = body().map(\.bitPattern)
    #expect(one == several, "\(label): \(threads) threads", sourceLocation: sourceLocation)
  }
}

/// Expects every element within `tolerance`, relative where the expected value is above 1.
func expectClose(
  _ found: [Float], _ expected: [Double], tolerance: Double, _ label: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.count == expected.count else {
    Issue.record("\(label): \(found.count), not \(expected.count)", sourceLocation: sourceLocation)
    return
  }
  for i in found.indices {
    let error = abs(Double(found[i]) - expected[i]) / max(1, abs(expected[i]))
    guard error <= tolerance else {
      Issue.record(
        "\(label): element \(i) is \(found[i]), expected \(expected[i]) within \(tolerance)",
        sourceLocation: sourceLocation)
      return
    }
  }
}

/// SplitMix64.
struct Numbers {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.count))
  }

  mutating func flip() -> Bool { next() & 1 == 0 }

  /// Uniform values in [-1, 1).
  mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(next() >> 40) / Float(1 << 23) - 1 }
  }
}

/// An epilogue with its own memory.
struct Epilogue {
  var bias: [Float]?
  var residual: [Float]?
  var activation = DF_IDENTITY
  var slope: Float = 0
  var slopes: [Float]?
  var residualFirst = false

  static let activations = [DF_IDENTITY, DF_RELU, DF_LEAKY_RELU, DF_SILU, DF_SIGMOID, DF_RELU6]

  init() {}

  /// - Parameter canHaveSlopes: whether the kernel takes a slope for each channel.
  init(_ numbers: inout Numbers, channels: Int, outputs: Int, canHaveSlopes: Bool = false) {
    if numbers.flip() { bias = numbers.floats(channels) }
    if numbers.flip() { residual = numbers.floats(outputs) }
    activation = Epilogue.activations[numbers.integer(0...5)]
    slope = 0.1
    if canHaveSlopes, activation == DF_LEAKY_RELU, numbers.flip() {
      slopes = numbers.floats(channels)
    }
  }

  func callAsFunction(_ sum: Double, channel: Int, at index: Int) -> Double {
    let value = sum + Double(bias?[channel] ?? 0)
    if residualFirst { return activated(value + Double(residual?[index] ?? 0), activation, slope) }
    return activated(value, activation, slopes?[channel] ?? slope) + Double(residual?[index] ?? 0)
  }

  func withKernelForm<R>(_ body: (UnsafePointer<df_epilogue>) -> R) -> R {
    (bias ?? []).withUnsafeBufferPointer { biasBuffer in
      (residual ?? []).withUnsafeBufferPointer { residualBuffer in
        (slopes ?? []).withUnsafeBufferPointer { slopesBuffer in
          var form = df_epilogue(
            bias: bias == nil ? nil : biasBuffer.baseAddress,
            residual: residual == nil ? nil : residualBuffer.baseAddress,
            activation: activation, slope: slope,
            slopes: slopes == nil ? nil : slopesBuffer.baseAddress,
            residual_first: residualFirst)
          return withUnsafePointer(to: &form, body)
        }
      }
    }
  }
}
