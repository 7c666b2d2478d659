import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import Measures
import MediaIO

extension FaceManifest {
  /// The samples, and after them one more for every real sample whose landmarks are a face's: the
  /// fake that is to be made of it. It has the same picture and person, and a video of its own, and
  /// `FaceSample.isMade` says what it is; a `FaceLoader` makes it when it is asked for.
  ///
  /// Such a manifest is for training and judging, not for writing. One that has made fakes stays as
  /// it is.
  public func withMadeFakes() -> FaceManifest {
    guard !hasMadeFakes else { return self }
    var result = self
    var videos: [Int32: Int32] = [:]
    for row in table.rows where row.label == .real {
      guard let points = table.points(row), FaceFrame(points) != nil else { continue }
      var made = row
      made.isMade = true
      made.label = .fake
      made.original = row.video
      if let video = table.words[row.video] {
        let number = videos[row.video] ?? result.table.words.number(of: "\(video) (made)")
        videos[row.video] = number
        made.video = number
      }
      result.table.rows.append(made)
    }
    return result
  }

  /// Whether a sample is a fake that is to be made of a real face.
  public func isMade(_ index: Int) -> Bool { table.rows[index].isMade }

  /// Whether there are fakes that are to be made.
  public var hasMadeFakes: Bool { table.rows.contains(where: \.isMade) }
}

/// Finds faces of others that can take a face's place.
struct DonorSearch: Sendable {
  /// Fakes to make: each is a real face with landmarks.
  private let faces: [Int32]

  /// How many faces are looked at for one.
  private static let candidates = 8

  init(_ manifest: FaceManifest) {
    faces = manifest.table.rows.indices.filter { manifest.table.rows[$0].isMade }
      .map { Int32(clamping: $0) }
  }

  /// The most similar in its landmarks of a few faces drawn at random that are, as far as is known,
  /// of other people; nil where none is.
  func donor(
    for index: Int, in manifest: FaceManifest, using generator: inout SeededGenerator
  ) -> Int? {
    let table = manifest.table
    let own = table.rows[index]
    var best: (face: Int, distance: Double)?
    guard let wanted = table.points(own) else { return nil }
    for _ in 0..<Self.candidates {
      guard let number = faces.randomElement(using: &generator) else { return nil }
      let face = Int(number)
      let row = table.rows[face]
      guard row.nameStart != own.nameStart, !Self.shares(own.person, row.person),
        !Self.shares(own.video, row.video), !Self.shares(own.group, row.group),
        let points = table.points(row), let distance = Self.distance(points, wanted)
      else { continue }
      if distance < best?.distance ?? .infinity { best = (face, distance) }
    }
    return best?.face
  }

  private static func shares(_ a: Int32, _ b: Int32) -> Bool { a >= 0 && a == b }

  /// How far apart two faces' points are once one is laid onto the other, in relation to the face's
  /// size.
  private static func distance(_ from: [Point], _ to: [Point]) -> Double? {
    guard let map = SimilarityTransform(from: from, to: to), let frame = FaceFrame(to) else {
      return nil
    }
    let sum = zip(from, to).reduce(0.0) { sum, pair in
      let moved = map(pair.0)
      let (x, y) = (Double(moved.x - pair.1.x), Double(moved.y - pair.1.y))
      return sum + x * x + y * y
    }
    return (sum / 5).squareRoot() / frame.faceWidth
  }
}
