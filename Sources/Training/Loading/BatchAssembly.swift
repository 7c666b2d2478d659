import DeepfakeCore
import FaceData
import Synchronization

/// Assembles batches out of crops that are finished in any order.
final class BatchAssembly: Sendable {
  /// A batch with missing crops.
  private struct Pending {
    var crops: [Result<PreparedCrop, DatasetError>?]
    var missing: Int
  }

  private let maker: BatchMaker
  private let slots: Range<Int>
  private let batchSize: Int
  private let pending = Mutex<[Int: Pending]>([:])

  init(_ maker: BatchMaker, slots: Range<Int>, batchSize: Int) {
    self.maker = maker
    self.slots = slots
    self.batchSize = batchSize
  }

  /// Makes the crop at a place of `slots`. Returns its batch if this was the last missing crop.
  func add(_ place: Int) -> Result<FaceBatch, DatasetError>? {
    let batch = place / batchSize
    let start = slots.lowerBound + batch * batchSize
    let range = start..<min(slots.upperBound, start + batchSize)
    let slot = slots.lowerBound + place
    let crop = maker.crop(slot)
    let crops = pending.withLock { pending -> [Result<PreparedCrop, DatasetError>]? in
      var waiting =
        pending.removeValue(forKey: batch)
        ?? Pending(crops: Array(repeating: nil, count: range.count), missing: range.count)
      waiting.crops[slot - start] = crop
      waiting.missing -= 1
      if waiting.missing == 0 { return waiting.crops.compactMap { $0 } }
      pending[batch] = waiting
      return nil
    }
    return crops.map { maker.batch($0, range) }
  }
}
