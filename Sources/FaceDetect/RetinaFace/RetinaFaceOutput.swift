import DeepfakeCore

/// The network's outputs for every anchor, before thresholds.
package struct RetinaFaceOutput: Sendable {
  /// The channels of a cell: two logits per anchor (background, face), then four box offsets per
  /// anchor, then ten landmark offsets per anchor.
  static let channels = 16 * AnchorGrid.anchorsPerCell
  /// The first channel of the box offsets.
  static let boxChannel = 2 * AnchorGrid.anchorsPerCell
  /// The first channel of the landmark offsets.
  static let landmarkChannel = 6 * AnchorGrid.anchorsPerCell

  /// One tensor per pyramid level, the finest first: [batch, rows, columns, channels].
  let levels: [Tensor]
  /// The anchors of the cells.
  package let grid: AnchorGrid

  /// Creates the output from the levels' tensors, the finest first, and their anchors.
  package init(levels: [Tensor], grid: AnchorGrid) {
    self.levels = levels
    self.grid = grid
  }

  /// [batch, anchors, 2]: background and face, in the published order of anchors.
  package var logits: Tensor { published(from: 0, perAnchor: 2) }
  /// [batch, anchors, 4]: centre x and y, logarithms of width and height, relative to the anchor.
  package var boxes: Tensor { published(from: Self.boxChannel, perAnchor: 4) }
  /// [batch, anchors, 10]: x and y of the five landmarks, relative to the anchor.
  package var landmarks: Tensor { published(from: Self.landmarkChannel, perAnchor: 10) }

  private func published(from channel: Int, perAnchor: Int) -> Tensor {
    let width = perAnchor * AnchorGrid.anchorsPerCell
    let parts = levels.map { level in
      level.slice(axis: 3, channel..<channel + width).reshaped([level.shape[0], -1, perAnchor])
    }
    return Tensor.concatenated(parts, axis: 1)
  }
}
