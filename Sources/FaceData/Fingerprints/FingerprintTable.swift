import CDFKernels
import Classifiers
import DeepfakeCore
import MediaIO

/// What is known of the pictures of a manifest without looking at them again: digests, hashes,
/// thumbnails, points, colours around the face, embeddings, facts. About 640 bytes a picture, and
/// one more for each number of an embedding.
package struct FingerprintTable: Sendable {
  /// A picture that cannot be used.
  package struct Unreadable: Sendable {
    /// The sample.
    package var index: Int
    package var error: MediaError
  }

  /// What stands for a file's bytes and for its pixels.
  package struct Digest: Sendable, Hashable {
    /// Half of the SHA-256 of the file's bytes.
    package var file: SIMD2<UInt64>
    /// A hash of the picture's size and pixels.
    package var pixels: UInt64
  }

  /// Pictures that cannot be used, in the samples' order; nothing is ever found of them.
  package internal(set) var unreadable: [Unreadable] = []
  /// The embedder's name; nil without one.
  package let embedderName: String?
  /// The dot product of two embeddings from which two faces count as alike; nil without an
  /// embedder.
  package let lookAlikeThreshold: Float?
  /// Numbers of an embedding; 0 without an embedder.
  package let dimension: Int
  /// Samples whose fingerprints were taken from the cache.
  package internal(set) var cached = 0
  /// Why the cache could not be used or written, where it could not; the table is whole without it.
  package internal(set) var cacheProblem: String?

  var records: [FingerprintRecord]
  /// Whether a record was measured.
  var isKnown: [Bool]
  var thumbnails: [UInt8]
  var rings: [UInt8]
  var pointCodes: [UInt64]
  var pointPlaces: [UInt8]
  var embeddings: [Int8]

  /// A table of pictures none of which is known yet.
  init(count: Int, embedder: (any FaceEmbedder)?) {
    embedderName = embedder?.name
    lookAlikeThreshold = embedder?.lookAlikeThreshold
    dimension = embedder?.dimension ?? 0
    records = Array(repeating: FingerprintRecord(), count: count)
    isKnown = Array(repeating: false, count: count)
    thumbnails = Array(repeating: 0, count: count * Fingerprint.thumbnailCount)
    rings = Array(repeating: 0, count: count * BackgroundRing.count)
    pointCodes = Array(repeating: 0, count: count * PicturePoints.count)
    pointPlaces = Array(repeating: 0, count: count * 3 * PicturePoints.count)
    embeddings = Array(repeating: 0, count: count * dimension)
  }

  /// Samples, unreadable ones included.
  package var count: Int { records.count }

  /// Whether a sample's picture could be measured.
  package func isReadable(_ index: Int) -> Bool { isKnown[index] }

  /// What a picture is like, whatever it shows; zeros for one that is unreadable.
  package func facts(_ index: Int) -> PictureFacts { records[index].facts.facts }

  /// What stands for a sample's bytes and pixels.
  package func digest(_ index: Int) -> Digest {
    let record = records[index]
    return Digest(
      file: SIMD2(record.fileDigest.0, record.fileDigest.1), pixels: record.pixelDigest)
  }

  /// The dot product of two samples' embeddings, about -1 to 1; 0 without an embedder.
  package func embeddingSimilarity(_ first: Int, _ second: Int) -> Float {
    guard dimension > 0 else { return 0 }
    return embeddings.withUnsafeBufferPointer {
      guard let start = $0.baseAddress else { return 0 }
      return Self.similarity(
        start + first * dimension, start + second * dimension, dimension)
    }
  }

  /// What embeddings' numbers are multiplied by to become bytes: rounding to 1/127 would cost small
  /// ones too much, and none of a unit vector of many numbers comes near 1. Larger ones are cut
  /// off.
  static func embeddingScale(_ dimension: Int) -> Float {
    // Eight standard deviations of a number of a random unit vector.
    127 / min(1, 8 / Float(max(dimension, 1)).squareRoot())
  }

  static func similarity(
    _ a: UnsafePointer<Int8>, _ b: UnsafePointer<Int8>, _ dimension: Int
  ) -> Float {
    let scale = embeddingScale(dimension)
    var sum: Int32 = 0
    df_i8_dots(1, dimension, a, b, &sum)
    return Float(sum) / (scale * scale)
  }

  /// One of a sample's points; nil where it has fewer.
  func point(_ index: Int, _ number: Int) -> PicturePoints.Point? {
    let place = index * PicturePoints.count + number
    return PicturePoints.point(
      pointCodes[place], pointPlaces[3 * place], pointPlaces[3 * place + 1],
      pointPlaces[3 * place + 2])
  }

  /// Puts a fingerprint in its place.
  mutating func set(_ index: Int, _ print: Fingerprint) {
    records[index] = print.record
    isKnown[index] = true
    let side = Fingerprint.thumbnailCount
    thumbnails.replaceSubrange(index * side..<(index + 1) * side, with: print.thumbnail)
    rings.replaceSubrange(
      index * BackgroundRing.count..<(index + 1) * BackgroundRing.count, with: print.ring)
    let points = PicturePoints.count
    pointCodes.replaceSubrange(index * points..<(index + 1) * points, with: print.points.codes)
    pointPlaces.replaceSubrange(
      index * 3 * points..<(index + 1) * 3 * points, with: print.points.places)
    embeddings.replaceSubrange(
      index * dimension..<(index + 1) * dimension, with: print.embedding)
  }
}
