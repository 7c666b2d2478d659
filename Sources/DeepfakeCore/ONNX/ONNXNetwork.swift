public struct ONNXNetwork: Sendable {
  public init(_ state: StateDict) throws(WeightsError) {
    throw .unreadable(file: state.file, reason: "not yet")
  }
  package func run(images: Tensor) throws(WeightsError) -> [(name: String, value: Tensor)] { [] }
}
