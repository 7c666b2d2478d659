/// The anchors of RetinaFace over a frame of one size, in the order of the network's outputs: level
/// by level, row by row, column by column, small before large.
///
/// An anchor follows from its index in a few operations. So a grid is made in no time for any size,
/// there is nothing to keep between frames, and only anchors with a face on them are ever computed.
/// Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild" (2019), with the
/// strides and sizes of the published mobilenet0.25 and ResNet-50 networks.
package struct AnchorGrid: Sendable, Equatable {
  /// One level of the feature pyramid.
  package struct Level: Sendable, Equatable {
    /// Pixels between neighbouring cells.
    package let stride: Int
    /// The sides of the square anchors at each cell, in pixels.
    package let sizes: [Float]
    /// Cells down.
    package let rows: Int
    /// Cells across.
    package let columns: Int

    /// Anchors on the level.
    package var count: Int { rows * columns * sizes.count }
  }

  /// A square that a face is described relative to, in pixels of the frame.
  package struct Anchor: Sendable, Equatable {
    package let centerX: Float
    package let centerY: Float
    package let size: Float
  }

  private static let scales: [(stride: Int, sizes: [Float])] = [
    (8, [16, 32]), (16, [64, 128]), (32, [256, 512]),
  ]

  /// Levels of every grid.
  static let levelCount = 3
  /// Anchors at each cell of every level.
  static let anchorsPerCell = 2

  /// Finest first.
  package let levels: [Level]

  /// The anchors over a frame of `width` by `height` pixels; what is left beyond the last multiple
  /// of a stride gets a cell of its own.
  package init(width: Int, height: Int) {
    levels = Self.scales.map { scale in
      Level(
        stride: scale.stride, sizes: scale.sizes,
        rows: height.dividedRoundingUp(by: scale.stride),
        columns: width.dividedRoundingUp(by: scale.stride))
    }
  }

  /// Anchors on all levels.
  package var count: Int { levels.reduce(0) { $0 + $1.count } }
}

extension AnchorGrid.Level {
  /// The anchor of that index within the level.
  package subscript(index: Int) -> AnchorGrid.Anchor {
    let (cell, kind) = index.quotientAndRemainder(dividingBy: sizes.count)
    let (row, column) = cell.quotientAndRemainder(dividingBy: columns)
    return AnchorGrid.Anchor(
      centerX: (Float(column) + 0.5) * Float(stride), centerY: (Float(row) + 0.5) * Float(stride),
      size: sizes[kind])
  }
}
