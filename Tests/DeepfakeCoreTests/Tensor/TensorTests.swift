import DeepfakeCore
import Foundation
import TestSupport
import Testing

@Suite struct TensorTests {
  @Test func copiesShareUntilWritten() {
    let original = Tensor([1, 2, 3, 4], shape: [2, 2])
    var copy = original
    #expect(address(copy) == address(original))
    copy.withUnsafeMutableBuffer { $0[0] = 9 }
    #expect(original.scalars == [1, 2, 3, 4])
    #expect(copy.scalars == [9, 2, 3, 4])
    let before = address(copy)
    copy.withUnsafeMutableBuffer { $0[1] = 8 }
    #expect(address(copy) == before, "an unshared tensor is changed in place")
  }

  @Test func reshapingShares() {
    let x = Tensor((0..<6).map { Float($0) }, shape: [2, 3])
    var y = x.reshaped([3, -1])
    #expect(y.shape == [3, 2])
    #expect(address(x) == address(y))
    y.withUnsafeMutableBuffer { $0[5] = -1 }
    #expect(x[1, 2] == 5)
    #expect(y[2, 1] == -1)
  }

  @Test func borrowedMemoryIsNeverWritten() {
    final class Owner {
      let memory: UnsafeMutablePointer<Float>
      init() {
        memory = .allocate(capacity: 4)
        memory.initialize(repeating: 1, count: 4)
      }
      deinit { memory.deallocate() }
    }
    let owner = Owner()
    var x = Tensor(borrowing: owner.memory, shape: [4], owner: owner)
    x.withUnsafeMutableBuffer { $0[0] = 5 }
    #expect(x.scalars == [5, 1, 1, 1])
    #expect(owner.memory[0] == 1)
  }

  @Test func borrowedMemoryOutlivesItsTensorsOwnerVariable() {
    final class Owner {
      let memory = UnsafeMutablePointer<Float>.allocate(capacity: 2)
      nonisolated(unsafe) static var freed = false
      deinit {
        memory.deallocate()
        Self.freed = true
      }
    }
    var x: Tensor? = {
      let owner = Owner()
      owner.memory.initialize(repeating: 3, count: 2)
      return Tensor(borrowing: owner.memory, shape: [2], owner: owner)
    }()
    #expect(!Owner.freed)
    #expect(x?.scalars == [3, 3])
    x = nil
    #expect(Owner.freed)
  }

  @Test func memoryIsAlignedAndReused() {
    // An odd size that no other test asks for, so that only this test's buffers fit it.
    let shape = [7, 1009, 31]
    var seen: Set<UInt> = []
    for _ in 0..<8 {
      let x = Tensor(zeros: shape)
      #expect(address(x) % 64 == 0)
      seen.insert(address(x))
    }
    #expect(seen.count < 8, "freed buffers are handed out again")
    for count in [0, 1, 63, 64, 65, 1000, 4097] {
      let x = Tensor(repeating: 2, shape: [count])
      #expect(address(x) % 64 == 0)
      #expect(x.scalars == [Float](repeating: 2, count: count))
    }
  }

  @Test func tensorsAliveAtOnceDoNotOverlap() {
    let tensors = (0..<20).map { Tensor(repeating: Float($0), shape: [1000 + $0]) }
    for (i, x) in tensors.enumerated() {
      #expect(x.scalars.allSatisfy { $0 == Float(i) })
    }
  }

  @Test func poolIsSafeUnderManyTasks() async {
    let right = await withTaskGroup(of: Bool.self) { group in
      for task in 0..<16 {
        group.addTask {
          (0..<50).allSatisfy { round in
            let value = Float(task * 1000 + round)
            let x = Tensor(repeating: value, shape: [257 + round])
            return (x + 1).scalars.allSatisfy { $0 == value + 1 }
          }
        }
      }
      return await group.allSatisfy { $0 }
    }
    #expect(right)
  }

  @Test func aWarmNetworkTakesNoMemory() async {
    // In a process of its own, where nothing else takes any.
    await #expect(processExitsWith: .success) {
      let store = ParameterStore()
      let conv = Conv2d(store.root / "conv", 8, 16, kernel: 3, padding: .symmetric(1))
      let norm = GroupNorm(store.root / "gn", 16, groups: 4)
      store.initialize(seed: 1)
      let (packed, fused) = (PackedConv2d(conv), FusedGroupNorm(norm, activation: .silu))
      let x = Tensor(repeating: 1, shape: [2, 30, 40, 8])
      let infer = { _ = fused(packed(x)).globalAveragePool() }
      for _ in 0..<3 { infer() }
      let warm = TensorMemory.allocatedBytes
      for _ in 0..<20 { infer() }
      precondition(TensorMemory.allocatedBytes == warm)
      precondition(TensorMemory.retainedBytes > 0)
      TensorMemory.releaseUnused()
      precondition(TensorMemory.retainedBytes == 0)
      precondition(TensorMemory.allocatedBytes < warm)
      infer()
    }
  }

  @Test func scalarsAndSubscripts() {
    #expect(Tensor(scalar: 4).shape == [])
    #expect(Tensor(scalar: 4).item == 4)
    let x = Tensor((0..<24).map { Float($0) }, shape: [2, 3, 4])
    #expect(x[1, 2, 3] == 23)
    #expect(x[0, 1, 2] == 6)
    #expect(x.description == "Tensor[2, 3, 4][0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, ...]")
  }

  @Test func impossibleShapesStop() async {
    await #expect(processExitsWith: .failure) { _ = Tensor([1, 2, 3], shape: [2]) }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [2, -1]) }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [1 << 40, 1 << 40]) }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [2, 2])[2, 0] }
  }

  private func address(_ x: Tensor) -> UInt {
    x.withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) }
  }
}
