import DeepfakeCore
import Synchronization

/// Counts the tensors that operations have saved and nobody has freed yet.
final class KeptTensors: Sendable {
  private struct Counts {
    var alive = 0
    var most = 0
    var notes: [Int] = []
  }

  private let counts = Mutex(Counts())

  /// Saved tensors that exist now, the most that existed at once, and what `note` wrote down.
  var alive: Int { counts.withLock { $0.alive } }
  var most: Int { counts.withLock { $0.most } }
  var notes: [Int] { counts.withLock { $0.notes } }

  /// Writes down how many exist now.
  func note() { counts.withLock { $0.notes.append($0.alive) } }

  /// A counted tensor of one element.
  func makeTensor(_ value: Float) -> Tensor {
    let memory = Memory(of: self, value)
    return Tensor(borrowing: memory.pointer, shape: [1], owner: memory)
  }

  private final class Memory {
    let pointer: UnsafeMutablePointer<Float>
    private let kept: KeptTensors

    init(of kept: KeptTensors, _ value: Float) {
      self.kept = kept
      pointer = .allocate(capacity: 1)
      pointer.initialize(to: value)
      kept.counts.withLock {
        $0.alive += 1
        $0.most = max($0.most, $0.alive)
      }
    }

    deinit {
      pointer.deallocate()
      kept.counts.withLock { $0.alive -= 1 }
    }
  }

  /// x + 1 of one element, which saves a counted tensor and notes the count in its pullback.
  struct Step: Operation {
    let kept: KeptTensors

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
      (inputs[0] + 1, [kept.makeTensor(0)])
    }

    func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
      kept.note()
      return [gradient]
    }
  }

  /// 2 * x of one element, whose output is counted and can be remade.
  struct Doubling: Operation {
    let kept: KeptTensors
    let canRecompute: Bool

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
      (kept.makeTensor(2 * inputs[0].item), inputs)
    }

    func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
      [gradient * 2]
    }

    func recompute(saved: [Tensor]) -> Tensor? { canRecompute ? forward(saved).output : nil }
  }
}
