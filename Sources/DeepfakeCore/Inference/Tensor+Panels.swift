import CDFKernels

extension Tensor {
  /// A product's second factor in the kernels' panels: the tensor as a matrix whose columns are its last
  /// axis and whose rows are all the others.
  func packedInPanels() -> Tensor {
    let columns = shape.last ?? 1
    let rows = shape.dropLast().reduce(1, *)
    return withUnsafeBuffer { elements in
      Tensor(shape: [df_f32_packed_count(rows, columns)]) {
        df_f32_pack(rows, columns, elements.baseAddress, columns, $0.baseAddress)
      }
    }
  }
}
