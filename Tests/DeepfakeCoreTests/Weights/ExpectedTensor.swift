import DeepfakeCore
import Testing

/// A tensor's shape and values as the scripts that make checkpoints write them down.
struct ExpectedTensor: Decodable {
  var shape: [Int]
  var values: [Float]
}

/// Expects the same keys, shapes and bit-equal values.
func expectExact(
  _ state: StateDict, _ expected: [String: ExpectedTensor],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  #expect(Set(state.keys) == Set(expected.keys), sourceLocation: sourceLocation)
  for (key, reference) in expected {
    guard let tensor = try state[key]?.tensor() else { continue }
    #expect(tensor.shape == reference.shape, "\(key)", sourceLocation: sourceLocation)
    #expect(
      tensor.scalars.map(\.bitPattern) == reference.values.map(\.bitPattern), "\(key)",
      sourceLocation: sourceLocation)
  }
}
