import DeepfakeCore
import Foundation
import TestSupport
import Testing
import Training

struct ContrastiveLossTests {
  /// Embeddings of length 1.
  private func embeddings(_ count: Int, dimension: Int = 5) -> [[Double]] {
    var generator = SeededGenerator(seed: 3)
    return (0..<count).map { _ in
      let values = (0..<dimension).map { _ in Double(generator.normal()) }
      let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return values.map { $0 / length }
    }
  }

  private func tensor(_ rows: [[Double]]) -> Tensor {
    Tensor(rows.flatMap { $0.map { Float($0) } }, shape: [rows.count, rows[0].count])
  }

  /// The definition, pair by pair.
  private func expected(
    _ rows: [[Double]], _ faces: [FaceIdentity], temperature: Double
  ) -> Double {
    let losses = rows.indices.map { i -> Double in
      func similarity(_ j: Int) -> Double {
        zip(rows[i], rows[j]).reduce(0) { $0 + $1.0 * $1.1 } / temperature
      }
      let same = rows.indices.filter { $0 != i && faces[$0] == faces[i] }
      let counted = rows.indices.filter { j in
        if j == i { return false }
        switch (faces[i], faces[j]) {
        case (.unknown, .unknown): return faces[i] == faces[j]
        default: return true
        }
      }
      let total = counted.reduce(0) { $0 + exp(similarity($1)) }
      return -same.reduce(0) { $0 + log(exp(similarity($1)) / total) } / Double(same.count)
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  @Test func equalsItsDefinition() {
    let cases: [[FaceIdentity]] = [
      [.person(0), .person(0), .person(1), .person(1)],
      [.person(4), .person(4), .person(4), .person(4), .person(1), .person(1)],
      [.unknown(0), .unknown(0), .person(1), .person(1), .unknown(2), .unknown(2)],
      [.unknown(0), .unknown(0), .unknown(2), .unknown(2), .unknown(7), .unknown(7)],
    ]
    for faces in cases {
      let rows = embeddings(faces.count)
      for temperature in [0.1, 0.5] {
        let found = ContrastiveLoss(temperature: Float(temperature))(tensor(rows), faces: faces)
        expectClose(
          [found.item], [Float(expected(rows, faces, temperature: temperature))],
          tolerance: 1e-4, "\(faces)")
      }
    }
  }

  @Test func facesThatMayBeOneDoNotPushEachOther() {
    let rows = tensor(embeddings(4))
    let faces: [FaceIdentity] = [.unknown(0), .unknown(0), .unknown(1), .unknown(1)]
    let (value, gradients) = valueAndGrad(at: [rows]) {
      ContrastiveLoss(temperature: 0.1)($0[0], faces: faces)
    }
    expectClose([value], [0], tolerance: 1e-6)
    expectClose(gradients[0], Tensor(zeros: [4, 5]), tolerance: 1e-6)
  }

  @Test func whoDiffersFromWhom() {
    #expect(FaceIdentity.person(1).differs(from: .person(2)))
    #expect(!FaceIdentity.person(1).differs(from: .person(1)))
    #expect(FaceIdentity.person(1).differs(from: .unknown(1)))
    #expect(!FaceIdentity.unknown(1).differs(from: .unknown(2)))
  }
}
