import CDFKernels
import Classifiers
import DeepfakeCore
import MediaIO

/// Measurements of a manifest's pictures, for comparisons without reading the pictures again:
/// digests, hashes, thumbnails, keypoints, colours around the face, embeddings, facts. They take
/// about 640 bytes for each picture, plus one byte for each number of an embedding.
package struct FingerprintTable: Sendable {
  /// A picture that cannot be read.
  package struct Unreadable: Sendable {
    /// Index of the sample.
    package var index: Int
    package var error: MediaError
  }

  /// Digests of a file's bytes and of its pixels.
  package struct Digest: Sendable, Hashable {
    /// The first half of the SHA-256 of the file's bytes.
    package var file: SIMD2<UInt64>
    /// A hash of the picture's size and pixels.
    package var pixels: UInt64
  }

  /// Pictures that cannot be read, in the samples' order. Searches leave them out.
  package internal(set) var unreadable: [Unreadable] = []
  /// The embedder's name; nil without one.
  package let embedderName: String?
  /// The dot product of two embeddings from which two faces count as alike; nil without an
  /// embedder.
  package let lookAlikeThreshold: Float?
  /// Length of an embedding; 0 without an embedder.
  package let dimension: Int
  /// Number of samples whose fingerprints were taken from the cache.
  package internal(set) var cached = 0
  /// Why the cache could not be read or written; nil if it could. The table is complete either way.
  package internal(set) var cacheProblem: String?

  var records: [FingerprintRecord]
  /// Whether each sample was measured.
  var isKnown: [Bool]
  var thumbnails: [UInt8]
  var rings: [UInt8]
  var pointCodes: [UInt64]
  var pointPlaces: [UInt8]
  var embeddings: [Int8]

  /// A table in which no picture is measured yet.
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

  /// Number of samples, including unreadable ones.
  package var count: Int { records.count }

  /// Whether a sample's picture could be measured.
  package func isReadable(_ index: Int) -> Bool { isKnown[index] }

  /// Properties of a sample's file and signal; zeros for an unreadable picture.
  package func facts(_ index: Int) -> PictureFacts { records[index].facts.facts }

  /// Digests of a sample's bytes and pixels.
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

  /// The factor by which an embedding's numbers are multiplied before they are rounded to bytes;
  /// larger results are clamped. 127 would round small numbers too coarsely: in a long unit vector,
  /// no number comes near 1.
  static func embeddingScale(_ dimension: Int) -> Float {
    // Eight standard deviations of a component of a random unit vector map to 127.
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

  /// A keypoint of a sample by its number, from 0; nil if the sample has fewer.
  func point(_ index: Int, _ number: Int) -> PicturePoints.Point? {
    let place = index * PicturePoints.count + number
    return PicturePoints.point(
      pointCodes[place], pointPlaces[3 * place], pointPlaces[3 * place + 1],
      pointPlaces[3 * place + 2])
  }

  /// Stores a sample's fingerprint and marks it as known.
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
