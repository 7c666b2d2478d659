import CDFKernels

/// The direction in which a level of an LSTM reads its sequences.
package enum LSTMDirection: String, Sendable, CaseIterable {
  case forward, reverse
  /// Forward, and in reverse with other weights. The outputs of both lie side by side.
  case bidirectional

  /// For each set of weights, whether it reads the sequences in reverse.
  var isReverse: [Bool] {
    switch self {
    case .forward: [false]
    case .reverse: [true]
    case .bidirectional: [false, true]
    }
  }

  /// The number of sets of weights.
  package var count: Int { isReverse.count }
}

/// The way of one set of weights through the steps of a batch of sequences.
///
/// All sequences take a step together, `step` 0 first or, in reverse, last. A sequence that does
/// not have the step keeps its state.
struct LSTMWalk: Sendable {
  let batch, steps, hidden: Int
  /// The number of steps of each sequence; nil: all have all steps.
  let lengths: [Int]?
  let isReverse: Bool
  /// The floats from one row of the output to the next.
  let outputStride: Int

  /// The rows of a sequence's output: one for each step, the last output, the last cell.
  var rows: Int { steps + 2 }

  /// The steps that at least one sequence has, in the order of the walk.
  private var order: [Int] {
    let steps = Array(0..<min(steps, lengths?.max() ?? steps))
    return isReverse ? steps.reversed() : steps
  }

  private func has(_ sequence: Int, _ step: Int) -> Bool {
    lengths.map { step < $0[sequence] } ?? true
  }

  /// The step before `step` on the walk of a sequence; nil if `step` is its first.
  private func stepBefore(_ step: Int, _ sequence: Int) -> Int? {
    if !isReverse { return step > 0 ? step - 1 : nil }
    return step + 1 < lengths?[sequence] ?? steps ? step + 1 : nil
  }

  /// The sequences that one task computes a step of: fewer are not worth a thread.
  private var sequencesAtOnce: Int { max(1, 8192 / hidden) }

  /// The memory of a forward walk, at this direction's first element.
  struct Memory {
    /// [batch, steps, 4 * hidden]: the sums from the input, which become the gates.
    var gates: UnsafeMutablePointer<Float>
    /// [batch, steps, hidden]: receives the cells after each step; nil if nobody needs them.
    var cells: UnsafeMutablePointer<Float>?
    /// [batch, steps + 2, ...]: receives the outputs, the last output and the last cell.
    var output: UnsafeMutablePointer<Float>
  }

  /// Walks forward.
  ///
  /// - Parameters:
  ///   - weight: The weights for the previous output [hidden, 4 * hidden], in panels.
  ///   - state: The output and the cell before the first step, [batch, hidden]; nil: zeros.
  func run(
    _ memory: Memory, weight: Tensor, from state: (hidden: Tensor, cell: Tensor)?
  ) {
    let hidden = hidden
    let (count, width) = (batch * hidden, 4 * hidden)
    _ = Tensor(shape: [batch * 6 * hidden]) { scratch in
      scratch.initialize(repeating: 0)
      guard let start = scratch.baseAddress else { return }
      nonisolated(unsafe) let (last, cell, recurrent) = (start, start + count, start + 2 * count)
      nonisolated(unsafe) let memory = memory
      if let state {
        state.hidden.withUnsafeElements { last.update(from: $0, count: count) }
        state.cell.withUnsafeElements { cell.update(from: $0, count: count) }
      }
      weight.withUnsafeBuffer { weight in
        for (place, step) in order.enumerated() {
          // The product with a state of zeros is zero.
          if place > 0 || state != nil {
            df_f32_lstm_product(
              batch, hidden, last, weight.baseAddress, place % 2 == 1, recurrent)
          }
          Parallel.forEachBlock(batch, of: sequencesAtOnce) { sequences in
            for sequence in sequences where has(sequence, step) {
              let row = sequence * steps + step
              let (h, c) = (last + sequence * hidden, cell + sequence * hidden)
              df_f32_lstm_step(
                hidden, memory.gates + row * width, recurrent + sequence * width, c, h)
              self.row(memory.output, sequence, step).update(from: h, count: hidden)
              if let cells = memory.cells { (cells + row * hidden).update(from: c, count: hidden) }
            }
          }
        }
      }
      for sequence in 0..<batch {
        let state = sequence * hidden
        row(memory.output, sequence, steps).update(from: last + state, count: hidden)
        row(memory.output, sequence, steps + 1).update(from: cell + state, count: hidden)
      }
    }
  }

  /// The outputs before each step, [batch * steps, hidden]; zeros for steps that a sequence does
  /// not have.
  func outputsBefore(_ output: UnsafePointer<Float>, from state: Tensor?) -> Tensor {
    Tensor(shape: [batch * steps, hidden]) { before in
      before.initialize(repeating: 0)
      guard let start = before.baseAddress else { return }
      for sequence in 0..<batch {
        for step in 0..<steps where has(sequence, step) {
          let target = start + (sequence * steps + step) * hidden
          if let before = stepBefore(step, sequence) {
            target.update(from: row(output, sequence, before), count: hidden)
          } else if let state {
            state.withUnsafeElements {
              target.update(from: $0 + sequence * hidden, count: hidden)
            }
          }
        }
      }
    }
  }

  /// The gradients that a walk back finds.
  struct Gradients: Sendable {
    /// Of the gates' sums, [batch * steps, 4 * hidden].
    var sums: Tensor
    /// Of the output and of the cell before the first step, [batch, hidden].
    var hidden, cell: Tensor
  }

  /// Walks back, from the gradient of the outputs to those of the sums and of the first state.
  ///
  /// - Parameters:
  ///   - gradient: The gradient of the output, at this direction's first element.
  ///   - gates, cells: What `run` wrote.
  ///   - weight: The weights for the previous output [hidden, 4 * hidden], as they are.
  ///   - firstCell: The cell before the first step, [batch, hidden]; nil: zeros.
  func runBack(
    _ gradient: UnsafePointer<Float>, gates: UnsafePointer<Float>, cells: UnsafePointer<Float>,
    weight: Tensor, firstCell: Tensor?
  ) -> Gradients {
    let hidden = hidden
    let (count, width) = (batch * hidden, 4 * hidden)
    let transposed = Tensor(shape: [df_f32_packed_count(width, hidden)]) { panels in
      weight.withUnsafeBuffer {
        df_f32_pack_transposed(width, hidden, $0.baseAddress, width, panels.baseAddress)
      }
    }
    nonisolated(unsafe) let (gradient, gates, cells) = (gradient, gates, cells)
    var ofHidden = Tensor(zeros: [batch, hidden])
    var ofCell = ofHidden
    let sums = Tensor(shape: [batch * steps, width]) { sums in
      if lengths != nil { sums.initialize(repeating: 0) }
      ofHidden.withUnsafeMutableBuffer { h in
        ofCell.withUnsafeMutableBuffer { c in
          guard let sums = sums.baseAddress, let h = h.baseAddress, let c = c.baseAddress
          else { return }
          nonisolated(unsafe) let (ofSums, ofHidden, ofCell) = (sums, h, c)
          for sequence in 0..<batch {
            let state = sequence * hidden
            (h + state).update(from: row(gradient, sequence, steps), count: hidden)
            (c + state).update(from: row(gradient, sequence, steps + 1), count: hidden)
          }
          _ = Tensor(shape: [count]) { product in
            guard let start = product.baseAddress else { return }
            nonisolated(unsafe) let product = start
            for step in order.reversed() {
              Parallel.forEachBlock(batch, of: sequencesAtOnce) { sequences in
                for sequence in sequences where has(sequence, step) {
                  let (place, state) = (sequence * steps + step, sequence * hidden)
                  let h = ofHidden + state
                  df_f32_add(hidden, h, row(gradient, sequence, step), h)
                  withCell(before: step, sequence, cells, firstCell) {
                    df_f32_lstm_step_gradient(
                      hidden, gates + place * width, $0, cells + place * hidden, h,
                      ofCell + state, ofSums + place * width)
                  }
                }
              }
              transposed.withUnsafeBuffer {
                df_f32_gemm_packed(
                  batch, hidden, width, ofSums + step * width, steps * width, $0.baseAddress,
                  product, hidden, nil)
              }
              for sequence in 0..<batch where has(sequence, step) {
                let state = sequence * hidden
                (ofHidden + state).update(from: product + state, count: hidden)
              }
            }
          }
        }
      }
    }
    return Gradients(sums: sums, hidden: ofHidden, cell: ofCell)
  }

  /// Calls `body` with the cell of a sequence before a step; nil: zeros.
  private func withCell(
    before step: Int, _ sequence: Int, _ cells: UnsafePointer<Float>, _ first: Tensor?,
    _ body: (UnsafePointer<Float>?) -> Void
  ) {
    if let before = stepBefore(step, sequence) {
      return body(cells + (sequence * steps + before) * hidden)
    }
    first.withUnsafePointer { first in body(first.map { $0 + sequence * hidden }) }
  }

  private func row(
    _ output: UnsafeMutablePointer<Float>, _ sequence: Int, _ row: Int
  ) -> UnsafeMutablePointer<Float> {
    output + (sequence * rows + row) * outputStride
  }

  private func row(
    _ output: UnsafePointer<Float>, _ sequence: Int, _ row: Int
  ) -> UnsafePointer<Float> {
    output + (sequence * rows + row) * outputStride
  }
}

extension Tensor {
  /// Calls `body` with a pointer to the elements. The tensor must not be empty.
  func withUnsafeElements<R>(_ body: (UnsafePointer<Float>) -> R) -> R {
    withUnsafeBuffer {
      guard let start = $0.baseAddress else { preconditionFailure("LSTM: \(shape) is empty") }
      return body(start)
    }
  }
}
