import Classifiers
import DeepfakeCore

/// Stores crops until they are scored, within a memory budget.
///
/// Crops keep their size while they fit. Beyond the budget, the largest are scaled down, first to
/// 1024 pixels a side, then by halves, down to 64: networks need only a few hundred pixels.
package struct CropStore {
  /// The crops with their later ones.
  package private(set) var motionCrops: [MotionCrop] = []
  private var bytes = 0
  private var sideLimit = Int.max
  private let budget: Int

  private static let sides = [1024, 512, 256, 128, 64]

  package init(budget: Int = 1 << 30) {
    self.budget = budget
  }

  /// The crops without their later ones.
  package var crops: [Image] { motionCrops.map(\.image) }

  /// Adds a crop. Its index in `crops` is the number of crops before it.
  package mutating func add(_ crop: Image) { add(MotionCrop(crop)) }

  /// Adds a crop with its later one, which keeps the same size.
  package mutating func add(_ crop: MotionCrop) {
    let limited = crop.map { $0.limited(to: sideLimit) }
    motionCrops.append(limited)
    bytes += limited.byteCount
    while bytes > budget, let side = Self.sides.first(where: { $0 < sideLimit }) {
      sideLimit = side
      for index in motionCrops.indices {
        bytes -= motionCrops[index].byteCount
        motionCrops[index] = motionCrops[index].map { $0.limited(to: side) }
        bytes += motionCrops[index].byteCount
      }
    }
  }
}

extension MotionCrop {
  fileprivate var byteCount: Int { image.pixels.count + (later?.pixels.count ?? 0) }
}

extension Image {
  /// The image, scaled down so that its longer side has at most `limit` pixels.
  fileprivate func limited(to limit: Int) -> Image {
    let longer = max(width, height)
    guard longer > limit else { return self }
    let scale = Double(limit) / Double(longer)
    return resized(
      width: max(1, Int((Double(width) * scale).rounded())),
      height: max(1, Int((Double(height) * scale).rounded())), method: .area)
  }
}
