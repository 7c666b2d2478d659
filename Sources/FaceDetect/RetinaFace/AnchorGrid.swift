/// RetinaFace's anchors for a frame of one size, in the order of the network's outputs: level by
/// level, row by row, column by column, small before large.
///
/// An anchor is computed from its index, so a grid of any size needs neither time nor memory. Only
/// anchors with a face are ever computed.
/// Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild" (2019), with the
/// strides and sizes of the published mobilenet0.25 and ResNet-50 networks.
package struct AnchorGrid: Sendable, Equatable {
  /// A level of the feature pyramid.
  package struct Level: Sendable, Equatable {
    /// The distance between cells in pixels of the input.
    package let stride: Int
    /// The sides of the square anchors at each cell, in pixels.
    package let sizes: [Float]
    /// The number of rows of cells.
    package let rows: Int
    /// The number of columns of cells.
    package let columns: Int

    /// The number of anchors on the level.
    package var count: Int { rows * columns * sizes.count }
  }

  /// A square in the frame, in pixels. Faces are described by their offsets from it.
  package struct Anchor: Sendable, Equatable {
    package let centerX: Float
    package let centerY: Float
    package let size: Float
  }

  private static let scales: [(stride: Int, sizes: [Float])] = [
    (8, [16, 32]), (16, [64, 128]), (32, [256, 512]),
  ]

  /// The number of levels of every grid.
  static let levelCount = 3
  /// The number of anchors in each cell of every level.
  static let anchorsPerCell = 2

  /// The levels, the finest first.
  package let levels: [Level]

  /// The anchors for a frame of `width` by `height` pixels. The numbers of cells are rounded up.
  package init(width: Int, height: Int) {
    levels = Self.scales.map { scale in
      Level(
        stride: scale.stride, sizes: scale.sizes,
        rows: height.dividedRoundingUp(by: scale.stride),
        columns: width.dividedRoundingUp(by: scale.stride))
    }
  }

  /// The number of anchors on all levels.
  package var count: Int { levels.reduce(0) { $0 + $1.count } }
}

extension AnchorGrid.Level {
  /// The anchor with that index within the level.
  package subscript(index: Int) -> AnchorGrid.Anchor {
    let (cell, kind) = index.quotientAndRemainder(dividingBy: sizes.count)
    let (row, column) = cell.quotientAndRemainder(dividingBy: columns)
    return AnchorGrid.Anchor(
      centerX: (Float(column) + 0.5) * Float(stride), centerY: (Float(row) + 0.5) * Float(stride),
      size: sizes[kind])
  }
}
