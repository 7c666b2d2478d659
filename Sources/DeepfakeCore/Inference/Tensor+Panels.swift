import CDFKernels

extension Tensor {
  /// A product's second factor in the kernels' panels: the tensor as a matrix whose columns are its
  /// last axis and whose rows are all the others.
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
  /// The value in panels. Where it comes from a file that holds the matrix transposed, as published
  /// files hold the weights of products, it is packed from there without a tensor in between.
  func packedInPanels() -> Tensor {
    guard let stored = unread, let packed = stored.packedInPanels(layout) else {
      return value.packedInPanels()
    }
    stored.releasePages()
    return packed
  }
}

extension StoredTensor {
  /// The panels of a fully connected layer's or a 1x1 convolution's weight; nil for any other, and
  /// where the elements are not Float32s one after the other.
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
