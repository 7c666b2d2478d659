import CDFKernels

/// The fill of the part of a crop that lies outside the image.
public enum EdgeFill: String, Sendable, CaseIterable {
  case black
  /// The nearest pixel of the image.
  case replicate
}

extension Image {
  /// The rectangle of `width` x `height` pixels whose top left corner is at (x, y). It may reach
  /// beyond the image or lie outside; `edges` says how that part is filled.
  public func cropped(
    x: Int, y: Int, width: Int, height: Int, edges: EdgeFill = .black
  ) -> Image {
    precondition(width > 0 && height > 0, "cropped: \(width)x\(height) is empty")
    // The columns of the crop that lie in the image.
    let columns = Self.overlap(x, width, self.width)
    return Image(width: width, height: height) { target in
      pixels.withUnsafeBufferPointer { source in
        for row in 0..<height {
          let line = UnsafeMutableBufferPointer(
            rebasing: target[row * width * 3..<(row + 1) * width * 3])
          let (sum, overflow) = y.addingReportingOverflow(row)
          let sourceRow = overflow ? Int.max : sum
          let inside = sourceRow >= 0 && sourceRow < self.height
          guard inside || edges == .replicate else {
            line.update(repeating: 0)
            continue
          }
          let start = min(max(sourceRow, 0), self.height - 1) * self.width * 3
          let pixelsOfRow = UnsafeBufferPointer(rebasing: source[start..<start + self.width * 3])
          Self.fill(line, from: pixelsOfRow, columns, x: x, edges)
        }
      }
    }
  }

  /// The part of 0..<extent that lies in 0..<limit when shifted by `origin`.
  private static func overlap(_ origin: Int, _ extent: Int, _ limit: Int) -> Range<Int> {
    guard origin < limit else { return 0..<0 }
    guard origin < 0 else { return 0..<min(extent, limit - origin) }
    let low = origin == Int.min ? Int.max : -origin
    guard low < extent else { return extent..<extent }
    return low..<min(extent, low.addingReportingOverflow(limit).overflow ? extent : low + limit)
  }

  private static func fill(
    _ line: UnsafeMutableBufferPointer<UInt8>, from row: UnsafeBufferPointer<UInt8>,
    _ columns: Range<Int>, x: Int, _ edges: EdgeFill
  ) {
    for i in 0..<columns.lowerBound * 3 { line[i] = edges == .black ? 0 : row[i % 3] }
    if !columns.isEmpty {
      let first = (x + columns.lowerBound) * 3
      let part = row[first..<first + columns.count * 3]
      let target = line[columns.lowerBound * 3..<columns.upperBound * 3]
      _ = UnsafeMutableBufferPointer(rebasing: target).update(fromContentsOf: part)
    }
    let last = row.count - 3
    for i in columns.upperBound * 3..<line.count {
      line[i] = edges == .black ? 0 : row[last + i % 3]
    }
  }

  /// The image resized to `width` x `height`; unchanged if it has that size already.
  public func resized(width: Int, height: Int, method: Resampling) -> Image {
    precondition(width > 0 && height > 0, "resized: \(width)x\(height) is empty")
    if width == self.width && height == self.height { return self }
    return Image(width: width, height: height) { target in
      let done = pixels.withUnsafeBufferPointer {
        df_u8_resize(
          self.height, self.width, 3, $0.baseAddress, self.width * 3, height, width,
          target.baseAddress, method.kernel)
      }
      precondition(done, "resized: out of memory")
    }
  }

  /// The mirror image: left and right swapped.
  public func flippedHorizontally() -> Image {
    Image(width: width, height: height) { target in
      pixels.withUnsafeBufferPointer { source in
        for row in 0..<height {
          for column in 0..<width {
            let from = (row * width + width - 1 - column) * 3
            let to = (row * width + column) * 3
            for c in 0..<3 { target[to + c] = source[from + c] }
          }
        }
      }
    }
  }

  /// The image rotated clockwise by `quarterTurns` times 90 degrees; a negative number rotates
  /// counterclockwise.
  public func rotated(quarterTurns: Int) -> Image {
    let turns = ((quarterTurns % 4) + 4) % 4
    if turns == 0 { return self }
    let (width, height) = (self.width, self.height)
    let turned = turns == 2 ? (width, height) : (height, width)
    return Image(width: turned.0, height: turned.1) { target in
      pixels.withUnsafeBufferPointer { source in
        for row in 0..<turned.1 {
          for column in 0..<turned.0 {
            let from =
              switch turns {
              case 1: (height - 1 - column) * width + row
              case 2: (height - 1 - row) * width + width - 1 - column
              default: column * width + width - 1 - row
              }
            let to = (row * turned.0 + column) * 3
            for c in 0..<3 { target[to + c] = source[from * 3 + c] }
          }
        }
      }
    }
  }
}
