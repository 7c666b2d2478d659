import CDFKernels

extension Tensor {
  /// The tensor as the second factor of a matrix product, packed in the kernels' panels. The last
  /// axis gives the matrix's columns, all other axes its rows.
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

extension Parameter {
  /// The value in panels. Published files hold the weights of matrix products transposed; such a
  /// weight is packed directly from the file without an intermediate tensor.
  func packedInPanels() -> Tensor {
    guard let stored = unread, let packed = stored.packedInPanels(layout) else {
      return value.packedInPanels()
    }
    stored.releasePages()
    return packed
  }
}

extension StoredTensor {
  /// The panels of the weight of a fully connected layer or of a 1x1 convolution. Nil for other
  /// weights, and if the elements are not contiguous Float32 values.
  fileprivate func packedInPanels(_ layout: ParameterLayout) -> Tensor? {
    let isProduct =
      switch layout {
      case .unchanged: false
      case .convolution: shape.count == 4 && shape[2] == 1 && shape[3] == 1
      case .linear: shape.count == 2
      }
    guard isProduct, shape[0] > 0, shape[1] > 0 else { return nil }
    let (columns, rows) = (shape[0], shape[1])
    return withDenseFloats { elements in
      Tensor(shape: [df_f32_packed_count(rows, columns)]) {
        df_f32_pack_transposed(rows, columns, elements, rows, $0.baseAddress)
      }
    }
  }
}
