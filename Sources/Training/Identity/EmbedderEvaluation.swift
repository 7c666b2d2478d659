import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Measures
import MediaIO

/// Measures how well an embedder recognizes people that it was not trained on.
package struct EmbedderEvaluation: Sendable {
  /// Random seed of the changes of views.
  package var seed: UInt64 = 0
  /// The fraction of pairs of different people that may count as alike.
  package var falseLinkRate = 1e-6

  /// An evaluation with one false link in a million pairs.
  package init() {}

  /// The results of an evaluation.
  package struct Result: Sendable {
    /// Same: two changed views of one picture of a named person. Different: views of two people.
    package var views: Verification
    /// Same: neighbouring files of one shot. Different: a file without a name and a named person's
    /// picture.
    package var neighbours: Verification
    /// Same: pictures of one named person from different shots. Different: pictures of two people.
    /// Pictures of one shot depend on each other, so there are fewer independent pairs than pairs.
    package var people: Verification
    /// One picture each of two named people, of whom at least one is held out.
    package var strangers: SimilarityHistogram
    /// The threshold at `falseLinkRate`.
    package var threshold: Float
    /// At most 20 of the most similar pairs of different people, the most similar first.
    package var worst: [Pair]

    package struct Pair: Sendable {
      /// The pictures' paths.
      package var first, second: String
      /// The dot product of their embeddings.
      package var similarity: Float
    }
  }

  /// Evaluates an embedder on held-out people.
  ///
  /// - Parameter training: The training data. One picture of each person in it is compared with the
  ///   held-out people.
  /// - Throws: `DatasetError` if a picture cannot be read, `CancellationError`, and errors of the
  ///   embedder.
  package func run(
    _ embedder: any FaceEmbedder, heldOut: IdentityData, training: IdentityData
  ) throws -> Result {
    let embed = CropEmbedding(embedder: embedder, seed: seed)
    let plain = try embed.plain(heldOut.manifest, Array(0..<heldOut.manifest.count))
    let firsts = heldOut.people.compactMap(\.first)
    let singles = heldOut.people.filter { $0.count == 1 }.map { $0[0] }
    var result = Result(
      views: try views(embed, heldOut, firsts), neighbours: Verification("neighbouring frames"),
      people: Verification("one person, different shots"), strangers: SimilarityHistogram(),
      threshold: 1, worst: [])
    neighbours(heldOut, plain, singles: singles, into: &result.neighbours)
    try people(heldOut, plain, singles: singles, into: &result.people)
    let learned = training.people.compactMap(\.first)
    let learnedPlain = try embed.plain(training.manifest, learned)
    strangers(
      plain.rows(firsts), firsts.map { heldOut.manifest.samples[$0].path }, learnedPlain,
      learned.map { training.manifest.samples[$0].path }, into: &result)
    result.threshold = result.strangers.threshold(forShare: falseLinkRate)
    return result
  }

  private func views(
    _ embed: CropEmbedding, _ data: IdentityData, _ people: [Int]
  ) throws -> Verification {
    var verification = Verification("two views of one picture")
    let first = try embed.views(data.manifest, people, number: 1)
    let second = try embed.views(data.manifest, people, number: 2)
    first.forEachSimilarity(to: second) { row, column, similarity in
      if row == column {
        verification.same.add(similarity)
      } else {
        verification.different.add(similarity)
      }
    }
    return verification
  }

  private func neighbours(
    _ data: IdentityData, _ plain: Tensor, singles: [Int], into result: inout Verification
  ) {
    let unknown = data.neighbours.keys.sorted()
    for index in unknown {
      for other in data.neighbours[index] ?? [] where other > index {
        result.same.add(plain.similarity(index, other))
      }
    }
    plain.rows(unknown).forEachSimilarity(to: plain.rows(singles)) { _, _, similarity in
      result.different.add(similarity)
    }
  }

  private func people(
    _ data: IdentityData, _ plain: Tensor, singles: [Int], into result: inout Verification
  ) throws {
    let groups = data.people.filter { $0.count > 1 }
    let sketches = try PictureSketch.sketches(of: groups.flatMap { $0 }, in: data.manifest)
    for (number, group) in groups.enumerated() {
      for (place, first) in group.enumerated() {
        for second in group[(place + 1)...] {
          guard let a = sketches[first], let b = sketches[second],
            a.correlation(with: b) < Self.differentShot
          else { continue }
          result.same.add(plain.similarity(first, second))
        }
      }
      plain.rows(group).forEachSimilarity(to: plain.rows(singles)) { _, _, similarity in
        result.different.add(similarity)
      }
      for other in groups[(number + 1)...] {
        plain.rows(group).forEachSimilarity(to: plain.rows(other)) { _, _, similarity in
          result.different.add(similarity)
        }
      }
    }
  }

  /// Two pictures whose sketches correlate less than this count as different shots.
  private static let differentShot: Float = 0.3

  private func strangers(
    _ heldOut: Tensor, _ heldOutPaths: [String], _ learned: Tensor, _ learnedPaths: [String],
    into result: inout Result
  ) {
    var worst: [Result.Pair] = []
    func add(_ similarity: Float, _ first: String, _ second: String) {
      result.strangers.add(similarity)
      if worst.count == Self.worstCount, similarity <= worst[worst.count - 1].similarity { return }
      let place = worst.firstIndex { $0.similarity < similarity } ?? worst.count
      worst.insert(
        Result.Pair(first: first, second: second, similarity: similarity), at: place)
      if worst.count > Self.worstCount { worst.removeLast() }
    }
    heldOut.forEachSimilarity(to: heldOut) { row, column, similarity in
      if row < column { add(similarity, heldOutPaths[row], heldOutPaths[column]) }
    }
    heldOut.forEachSimilarity(to: learned) { row, column, similarity in
      add(similarity, heldOutPaths[row], learnedPaths[column])
    }
    result.worst = worst
  }

  private static let worstCount = 20
}

/// Embeds a manifest's pictures, unchanged or with random changes.
private struct CropEmbedding {
  let embedder: any FaceEmbedder
  let seed: UInt64

  private static let block = 128
  /// Side of the views in pixels, chosen so that blur and compression are as strong as in training.
  private static let viewSide = 112

  /// Embeddings of unchanged pictures: [indices, dimension], in the order of `indices`.
  func plain(_ manifest: FaceManifest, _ indices: [Int]) throws -> Tensor {
    try embeddings(manifest, indices) { image, _ in image }
  }

  /// Embeddings of pictures with the random changes of training. The same `number` gives the same
  /// change.
  func views(_ manifest: FaceManifest, _ indices: [Int], number: Int) throws -> Tensor {
    try embeddings(manifest, indices) { [seed] image, sample in
      var generator = SeededGenerator(seed: seed, label: "view \(number) \(sample.path)")
      let side = Self.viewSide
      let small =
        min(image.width, image.height) <= side
        ? image : image.resized(width: side, height: side, method: .area)
      return Augmentation.views(small, using: &generator)
    }
  }

  private func embeddings(
    _ manifest: FaceManifest, _ indices: [Int],
    _ change: @Sendable (Image, FaceSample) -> Image
  ) throws -> Tensor {
    var parts: [Tensor] = []
    for start in stride(from: 0, to: indices.count, by: Self.block) {
      try Task.checkCancellation()
      let block = indices[start..<min(start + Self.block, indices.count)]
      let crops = Parallel.map(block.count) { place in
        Result { () throws(DatasetError) -> Image in
          let sample = manifest.samples[block[block.startIndex + place]]
          do throws(MediaError) {
            return change(try ImageFile.read(sample.file), sample)
          } catch {
            throw .picture(error)
          }
        }
      }
      parts.append(try embedder.embeddings(try crops.map { try $0.get() }))
    }
    return parts.isEmpty
      ? Tensor(zeros: [0, embedder.dimension]) : .concatenated(parts, axis: 0)
  }
}

extension Tensor {
  /// The given rows of a matrix.
  fileprivate func rows(_ indices: [Int]) -> Tensor {
    let columns = shape[1]
    return Tensor(shape: [indices.count, columns]) { target in
      withUnsafeBuffer { source in
        for (place, row) in indices.enumerated() {
          for column in 0..<columns {
            target[place * columns + column] = source[row * columns + column]
          }
        }
      }
    }
  }

  /// The dot product of two rows.
  fileprivate func similarity(_ first: Int, _ second: Int) -> Float {
    let columns = shape[1]
    return withUnsafeBuffer { values in
      (0..<columns).reduce(0) {
        $0 + values[first * columns + $1] * values[second * columns + $1]
      }
    }
  }

  /// Calls `body` with the dot product of each row of this matrix with each row of another.
  fileprivate func forEachSimilarity(
    to other: Tensor, _ body: (_ row: Int, _ column: Int, _ similarity: Float) -> Void
  ) {
    let block = 256
    for start in stride(from: 0, to: shape[0], by: block) {
      let end = Swift.min(start + block, shape[0])
      let products = slice(axis: 0, start..<end).matmul(other, transposingRight: true)
      products.withUnsafeBuffer { values in
        for (place, value) in values.enumerated() {
          body(start + place / other.shape[0], place % other.shape[0], value)
        }
      }
    }
  }
}
