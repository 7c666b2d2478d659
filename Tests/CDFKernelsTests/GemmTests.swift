import CDFKernels
import Testing

extension KernelTests {
  @Suite struct Gemm {
    /// One product: A is m x k with rows lda apart, C's rows are ldc apart.
    struct Problem {
      var m, n, k, lda, ldc: Int
      var a, b, c: [Float]
      var epilogue: Epilogue

      init(_ numbers: inout Numbers, m: Int, n: Int, k: Int) {
        (self.m, self.n, self.k) = (m, n, k)
        lda = k + numbers.integer(0...5)
        ldc = n + numbers.integer(0...5)
        a = numbers.floats(m * lda)
        b = numbers.floats(k * n)
        c = numbers.floats(m * ldc)
        epilogue = Epilogue(&numbers, channels: n, outputs: m * ldc, canHaveSlopes: true)
      }

      var expected: [Double] {
        var result = c.map(Double.init)
        for row in 0..<m {
          for column in 0..<n {
            var sum = 0.0
            for i in 0..<k {
              sum += Double(a[row * lda + i]) * Double(b[i * n + column])
            }
            result[row * ldc + column] = epilogue(sum, channel: column, at: row * ldc + column)
          }
        }
        return result
      }

      func computed() -> [Float] {
        var packed = [Float](repeating: .nan, count: df_f32_packed_count(k, n))
        df_f32_pack(k, n, b, n, &packed)
        var result = c
        epilogue.withKernelForm { form in
          df_f32_gemm_packed(m, n, k, a, lda, packed, &result, ldc, form)
        }
        return result
      }
    }

    @Test func oddSizes() {
      forEachInstructionSet { isa in
        var numbers = Numbers(1)
        for _ in 0..<300 {
          let problem = Problem(
            &numbers, m: numbers.integer(1...60), n: numbers.integer(1...80),
            k: numbers.integer(1...70))
          expectClose(
            problem.computed(), problem.expected, tolerance: 1e-5,
            "\(isa) \(problem.m)x\(problem.n)x\(problem.k)")
        }
      }
    }

    /// As a residual block ends.
    @Test func residualBeforeReLU() {
      forEachInstructionSet { isa in
        var numbers = Numbers(3)
        for _ in 0..<60 {
          var problem = Problem(
            &numbers, m: numbers.integer(1...40), n: numbers.integer(1...50),
            k: numbers.integer(1...30))
          problem.epilogue.activation = DF_RELU
          problem.epilogue.slopes = nil
          problem.epilogue.residual = numbers.floats(problem.m * problem.ldc)
          problem.epilogue.residualFirst = true
          expectClose(
            problem.computed(), problem.expected, tolerance: 1e-5,
            "\(isa) \(problem.m)x\(problem.n)x\(problem.k)")
        }
      }
    }

    @Test func everyTileHeightAndColumnTail() {
      forEachInstructionSet { isa in
        var numbers = Numbers(2)
        for m in 1...30 {
          for n in [1, 7, 8, 15, 16, 17, 31, 32, 33, 49] {
            let problem = Problem(&numbers, m: m, n: n, k: 5)
            expectClose(
              problem.computed(), problem.expected, tolerance: 1e-5, "\(isa) \(m)x\(n)x5")
          }
        }
      }
    }

    /// Inner dimensions that are cut into chunks, and rows 4 KiB apart.
    @Test(arguments: [
      (20, 72, 1024), (37, 40, 1500), (3, 33, 2688), (65, 96, 385), (9, 70, 2048),
    ])
    func longInnerDimension(m: Int, n: Int, k: Int) {
      forEachInstructionSet { isa in
        var numbers = Numbers(3)
        var problem = Problem(&numbers, m: m, n: n, k: k)
        expectClose(
          problem.computed(), problem.expected, tolerance: 4e-5, "\(isa) \(m)x\(n)x\(k)")
        problem.lda = k
        expectClose(
          problem.computed(), problem.expected, tolerance: 4e-5, "\(isa) \(m)x\(n)x\(k)")
      }
    }

    @Test func emptyInnerDimensionGivesTheEpilogue() {
      forEachInstructionSet { isa in
        var numbers = Numbers(4)
        let problem = Problem(&numbers, m: 5, n: 19, k: 0)
        expectClose(problem.computed(), problem.expected, tolerance: 1e-6, isa)
      }
    }

    /// Large enough that several threads get several tasks.
    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(5)
        for (m, n, k) in [(900, 50, 64), (49, 300, 700), (200, 200, 100)] {
          let problem = Problem(&numbers, m: m, n: n, k: k)
          expectSameForAnyThreads("\(isa) \(m)x\(n)x\(k)") { problem.computed() }
        }
      }
    }

    /// What an image gives does not depend on the batch that it comes in.
    @Test func rowsDoNotDependOnTheirNumber() {
      forEachInstructionSet { isa in
        var numbers = Numbers(6)
        var problem = Problem(&numbers, m: 150, n: 45, k: 600)
        let all = problem.computed()
        problem.m = 50
        let some = problem.computed()
        let count = 49 * problem.ldc + problem.n
        #expect(all.prefix(count).elementsEqual(some.prefix(count)), "\(isa)")
      }
    }
  }
}
