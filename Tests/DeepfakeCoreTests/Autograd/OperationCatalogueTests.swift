import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Checks every line of the catalogue: that the same inputs give the same bits, that pullbacks are
/// the derivatives, whichever of them are asked for, and that nothing is missing.
@Suite struct OperationCatalogueTests {
  @Test func everyOperationIsInTheCatalogue() throws {
    let sources = Paths.package.appendingPathComponent("Sources").resolvingSymlinksInPath()
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    let declaration = try Regex(#"(?:struct|enum|class)\s+(\w+)[^:{]*:[^{]*\bOperation\b"#)
    var declared: Set<String> = []
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: declaration) {
        if let name = match.output[1].substring { declared.insert(String(name)) }
      }
    }
    let listed = Set(OperationCatalogue.all.map(\.typeName))
    #expect(declared.count > 30)
    #expect(declared.subtracting(listed).isEmpty, "operations without a line")
    #expect(listed.subtracting(declared).isEmpty, "lines without an operation")
  }

  @Test(arguments: OperationCatalogue.all)
  func forwardIsRepeatable(_ entry: CatalogueEntry) {
    let inputs = entry.makeInputs(seed: 1)
    let first = entry.operation.forward(inputs)
    let second = entry.operation.forward(inputs)
    #expect(first.output.shape == second.output.shape)
    #expect(first.output.scalars.map(\.bitPattern) == second.output.scalars.map(\.bitPattern))
    let remade = entry.operation.recompute(saved: first.saved)
    #expect((remade != nil) == entry.operation.canRecompute)
    if let remade {
      #expect(remade.shape == first.output.shape)
      #expect(remade.scalars.map(\.bitPattern) == first.output.scalars.map(\.bitPattern))
    }
  }

  @Test(arguments: OperationCatalogue.all)
  func pullbackIsTheDerivative(_ entry: CatalogueEntry) {
    for seed in 1...3 as ClosedRange<UInt64> {
      let check = DerivativeCheck(entry, seed: seed)
      for index in entry.differentiable {
        check.alongDirection(index)
        check.elementByElement(index)
      }
    }
  }

  @Test(arguments: OperationCatalogue.all)
  func whatIsNotWantedChangesNothing(_ entry: CatalogueEntry) {
    let check = DerivativeCheck(entry, seed: 4)
    for subset in 1..<1 << entry.inputs.count {
      let wants = entry.inputs.indices.map {
        subset >> $0 & 1 == 1 && !entry.constants.contains($0)
      }
      let found = check.pullback(wants: wants)
      #expect(found.count == wants.count)
      for index in wants.indices where wants[index] {
        #expect(
          found[index]?.scalars.map(\.bitPattern)
            == check.gradients[index]?.scalars.map(\.bitPattern),
          "input \(index) of wanted \(wants)")
      }
    }
  }
}

/// One operation at one point: the gradients of a weighted sum of its outputs, to hold against
/// finite differences.
private struct DerivativeCheck {
  let entry: CatalogueEntry
  let inputs: [Tensor]
  let output: Tensor
  let saved: [Tensor]
  /// What each output element counts.
  let weights: Tensor
  let gradients: [Tensor?]
  private let generator: SeededGenerator

  /// How far inputs move: less than `TestInput` keeps from jumps.
  private static let step = 0.05

  init(_ entry: CatalogueEntry, seed: UInt64) {
    self.entry = entry
    inputs = entry.makeInputs(seed: seed)
    (output, saved) = entry.operation.forward(inputs)
    var generator = SeededGenerator(seed: seed, label: "weights")
    weights = .uniform(shape: output.shape, in: 0.5..<1.5, using: &generator)
    self.generator = generator
    gradients = entry.operation.pullback(
      weights, saved: saved, wants: entry.inputs.indices.map { !entry.constants.contains($0) })
  }

  func pullback(wants: [Bool]) -> [Tensor?] {
    entry.operation.pullback(weights, saved: saved, wants: wants)
  }

  /// The gradient by an input; nil counts as zeros.
  private func gradient(_ index: Int) -> [Double] {
    let gradient = gradients[index] ?? Tensor(zeros: inputs[index].shape)
    #expect(gradient.shape == inputs[index].shape, "shape of gradient \(index) of \(entry.name)")
    return gradient.scalars.map { Double($0) }
  }

  /// The change of the weighted sum between two values of an input.
  private func change(_ index: Int, from low: [Float], to high: [Float]) -> Double {
    let ends = [low, high].map { values in
      var inputs = inputs
      inputs[index] = Tensor(values, shape: inputs[index].shape)
      return entry.operation.forward(entry.completing(inputs)).output.scalars
    }
    return weights.scalars.indices.reduce(0) {
      $0 + (Double(ends[1][$1]) - Double(ends[0][$1])) * Double(weights.scalars[$1])
    }
  }

  /// The derivative along `direction`, whose elements are at most 1: central differences of two
  /// steps, extrapolated to none (Richardson), divided by the steps that Float32 really made.
  private func slope(_ index: Int, along direction: [Double]) -> Double {
    let x = inputs[index].scalars
    let steepest = direction.indices.max { abs(direction[$0]) < abs(direction[$1]) } ?? 0
    let slopes = [Self.step, Self.step / 2].map { step in
      let low = x.indices.map { Float(Double(x[$0]) - step * direction[$0]) }
      let high = x.indices.map { Float(Double(x[$0]) + step * direction[$0]) }
      let moved = Double(high[steepest]) - Double(low[steepest])
      return change(index, from: low, to: high) / moved * direction[steepest]
    }
    return (4 * slopes[1] - slopes[0]) / 3
  }

  /// Checks the gradient's product with a random direction.
  func alongDirection(_ index: Int) {
    var generator = generator
    let gradient = gradient(index)
    let direction = gradient.map { _ in
      Double(0.5 + 0.5 * generator.uniform()) * (generator.uniform() < 0.5 ? -1 : 1)
    }
    guard !gradient.isEmpty else { return }
    let product = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
    let size = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let numeric = slope(index, along: direction)
    #expect(
      abs(product - numeric) <= entry.tolerance * max(1, size),
      "\(entry.name): along input \(index), pullback \(product), differences \(numeric)")
  }

  /// Checks each element of the gradient of a small input, and some of a larger one's.
  func elementByElement(_ index: Int) {
    let gradient = gradient(index)
    let largest = gradient.reduce(0) { max($0, abs($1)) }
    for i in stride(from: 0, to: gradient.count, by: max(1, gradient.count / 40)) {
      let direction = gradient.indices.map { $0 == i ? 1.0 : 0 }
      let numeric = slope(index, along: direction)
      #expect(
        abs(gradient[i] - numeric) <= entry.tolerance * max(1, largest),
        "\(entry.name), \(index), \(i): pullback \(gradient[i]), differences \(numeric)"
      )
    }
  }
}
