import DeepfakeCore
import TestSupport
import Testing

@Suite struct ArenaTests {
  /// Large tensors of many sizes come and go; what each holds is its own.
  @Test func buffersDoNotOverlap() {
    var generator = SeededGenerator(seed: 5)
    var held: [(tensor: Tensor, value: Float)] = []
    for round in 0..<2000 {
      let value = Float(round)
      if !held.isEmpty && generator.next() % 5 < 2 {
        let index = Int(generator.next() % UInt64(held.count))
        let (tensor, value) = held.remove(at: index)
        #expect(tensor.withUnsafeBuffer { $0.allSatisfy { $0 == value } })
      } else if held.count < 40 {
        let count = Int(generator.next() % 200_000) + 1
        held.append((Tensor(repeating: value, shape: [count]), value))
      }
    }
    for (tensor, value) in held {
      #expect(tensor.withUnsafeBuffer { $0.allSatisfy { $0 == value } })
    }
  }

  @Test func freedNeighboursServeLargerTensors() async {
    // In a process of its own, where nothing else takes any.
    await #expect(processExitsWith: .success) {
      func use() {
        let small = (0..<64).map { Tensor(repeating: Float($0), shape: [1 << 16]) }
        precondition(small[63].scalars[5] == 63)
      }
      use()
      let warm = TensorMemory.allocatedBytes
      let large = Tensor(repeating: 1, shape: [64 << 16])
      precondition(TensorMemory.allocatedBytes == warm)
      precondition(TensorMemory.retainedBytes < 4 << 16)
      // What is in use stays when the rest is given back.
      let half = Tensor(repeating: 2, shape: [1 << 20])
      TensorMemory.releaseUnused()
      precondition(TensorMemory.retainedBytes == 0)
      precondition(large.withUnsafeBuffer { $0.allSatisfy { $0 == 1 } })
      precondition(half.withUnsafeBuffer { $0.allSatisfy { $0 == 2 } })
      use()
    }
  }

  @Test func threadsShareIt() async {
    let right = await withTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          (0..<200).allSatisfy { round in
            let value = Float(task * 1000 + round)
            let tensor = Tensor(repeating: value, shape: [20_000 + round * 37])
            return tensor.withUnsafeBuffer { $0.allSatisfy { $0 == value } }
          }
        }
      }
      return await group.allSatisfy { $0 }
    }
    #expect(right)
  }
}
