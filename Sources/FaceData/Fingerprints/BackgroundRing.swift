import DeepfakeCore

/// Colours around the face: 16 cells along the upper edge and both sides of the picture. In a crop
/// with a margin they show the background. The lower edge shows clothes and is left out.
struct BackgroundRing: Sendable {
  /// Number of cells along a side of the grid. The ring is part of the grid's border.
  static let gridSide = 8
  /// Row and column of each cell.
  static let places: [(row: Int, column: Int)] =
    (1..<7).flatMap { [($0, 0), ($0, 7)] } + [(0, 0), (0, 1), (0, 6), (0, 7)]
  /// Number of bytes of a ring: Y, Cb and Cr of each cell.
  static let count = 3 * places.count

  let cells: [UInt8]
  /// Standard deviation of the cells, all three channels together. It is low for a plain wall.
  let detail: Float

  init(_ image: Image) {
    let grid = image.resized(width: Self.gridSide, height: Self.gridSide, method: .area)
    var cells: [UInt8] = []
    cells.reserveCapacity(Self.count)
    for (row, column) in Self.places {
      let pixel = grid[column, row]
      let (r, g, b) = (Float(pixel.red), Float(pixel.green), Float(pixel.blue))
      let y = 0.299 * r + 0.587 * g + 0.114 * b
      cells.append(UInt8(clamping: Int(y.rounded())))
      cells.append(UInt8(clamping: Int((128 + 0.564 * (b - y)).rounded())))
      cells.append(UInt8(clamping: Int((128 + 0.713 * (r - y)).rounded())))
    }
    self.cells = cells
    var variance: Float = 0
    for channel in 0..<3 {
      let values = stride(from: channel, to: cells.count, by: 3).map { Float(cells[$0]) }
      let mean = values.reduce(0, +) / Float(values.count)
      variance += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)
    }
    detail = variance.squareRoot()
  }
}
