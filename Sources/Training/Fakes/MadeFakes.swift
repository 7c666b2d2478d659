import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import Measures
import MediaIO

extension FaceManifest {
  /// The samples, followed by a made fake for every real sample with usable landmarks. A made fake
  /// has the picture and the person of its real sample, and a video name of its own. Its
  /// `FaceSample.isMade` is true. `FaceLoader` makes its picture when it loads the sample.
  ///
  /// Such a manifest is for training and evaluation, not for writing. A manifest that has made
  /// fakes already is returned unchanged.
  public func withMadeFakes() -> FaceManifest {
    guard !hasMadeFakes else { return self }
    var result = self
    var videos: [Int32: Int32] = [:]
    for row in table.rows where row.label == .real {
      guard let points = table.points(row), FaceFrame(points) != nil else { continue }
      var made = row
      made.isMade = true
      made.label = .fake
      // Whatever a teacher says of the picture, the face that is blended in makes it a fake.
      (made.probability, made.teacher) = (.nan, SampleTable.Row.none)
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

  /// Whether a sample is a fake that is made out of a real face when it is loaded.
  public func isMade(_ index: Int) -> Bool { table.rows[index].isMade }

  /// Whether any sample is a fake that is made when it is loaded.
  public var hasMadeFakes: Bool { table.rows.contains(where: \.isMade) }
}

/// Finds other people's faces that can replace a face.
struct DonorSearch: Sendable {
  /// Indices of the made fakes: each is a real face with landmarks.
  private let faces: [Int32]

  /// Number of random candidates for each face.
  private static let candidates = 8

  init(_ manifest: FaceManifest) {
    faces = manifest.table.rows.indices.filter { manifest.table.rows[$0].isMade }
      .map { Int32(clamping: $0) }
  }

  /// Of a few random faces of other people, as far as is known, the one with the most similar
  /// landmarks; nil if there is none.
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

  /// The distance between two faces' landmarks after the first face is aligned with the second,
  /// relative to the face's width. Nil if they cannot be aligned.
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
