import DeepfakeCore
import Foundation
import MediaIO

/// A dataset with leaks planted on purpose, written to a folder: videos of people, and copies of
/// some of their frames that pass as frames of other videos. What a search finds of them is known
/// to be right or wrong.
package struct PlantedLeaks: Sendable {
  /// What the scenes come from.
  package enum Source: Sendable {
    /// Drawn ones: people with three videos each, of five frames.
    case drawn(side: Int)
    /// Pictures, each of another person and video.
    case pictures([URL])
  }

  /// A planted copy.
  package struct Plant: Sendable {
    /// The copy.
    package var sample: Int
    /// What it is a copy of.
    package var original: Int
    package var kind: PlantedCopy
  }

  /// All crops; planted copies stand at the end.
  package let manifest: FaceManifest
  /// Each sample's video, a copy's one of its own.
  package let groups: [Int32]
  package let plants: [Plant]
  /// Samples with the same number are of videos in the same place: -1 is a place of one video only.
  package let places: [Int32]

  private static let frames = 5

  /// Writes a dataset of about `count` crops of which `planted` are copies, the kinds by turns.
  ///
  /// - Throws: `MediaError` where a picture cannot be read or written.
  package init(
    _ source: Source, count: Int, planted: Int, seed: UInt64, in folder: URL
  ) throws {
    precondition(count > planted && planted >= 0, "PlantedLeaks: \(planted) of \(count) planted")
    var clean = count - planted
    if case .pictures(let files) = source { clean = min(clean, files.count) }
    let (base, total) = (clean, clean + planted)
    var generator = SeededGenerator(seed: seed, label: "plants")
    let plants = (0..<planted).map { number in
      Plant(
        sample: base + number, original: Int.random(in: 0..<base, using: &generator),
        kind: PlantedCopy.allCases[number % PlantedCopy.allCases.count])
    }
    let results = Parallel.map(total) { sample in
      Result {
        let plant = sample < base ? nil : plants[sample - base]
        let scene = try Self.scene(plant?.original ?? sample, source, seed)
        var own = SeededGenerator(seed: seed, label: "crop \(sample)")
        var (image, quality) = (PlantedCopy.crop(of: scene), 92)
        if let plant, plant.kind != .identical {
          (image, quality) = plant.kind.copy(of: scene, using: &own)
        }
        let file = folder.appendingPathComponent(Self.name(sample))
        try ImageFile.write(image, to: file, format: .jpeg(quality: quality))
      }
    }
    for result in results { try result.get() }
    manifest = FaceManifest(
      (0..<total).map { sample in
        FaceSample(
          path: Self.name(sample), file: folder.appendingPathComponent(Self.name(sample)),
          label: sample < base ? .real : .fake)
      })
    let isDrawn = if case .drawn = source { true } else { false }
    groups = (0..<total).map { sample in
      Int32(clamping: sample >= base || !isDrawn ? sample : sample / Self.frames)
    }
    places = (0..<total).map { sample in
      guard isDrawn else { return -1 }
      let original = sample < base ? sample : plants[sample - base].original
      return Int32(truncatingIfNeeded: Self.place(original / Self.frames))
    }
    self.plants = plants
  }

  private static func name(_ sample: Int) -> String { "\(sample).jpg" }

  /// Every tenth video is in the place of the one before it, which is another person's.
  private static func place(_ video: Int) -> Int { video % 10 == 9 ? video - 1 : video }

  private static func scene(_ sample: Int, _ source: Source, _ seed: UInt64) throws -> Image {
    switch source {
    case .drawn(let side):
      let video = sample / frames
      // People's videos lie apart, so that those in one place are of two people.
      let person = video / 9 * 3 + video % 3
      let scene = PlantedScene(
        person: seed &* 1_000_003 &+ UInt64(person),
        video: seed &* 1_000_003 &+ UInt64(video),
        place: seed &* 1_000_003 &+ UInt64(place(video)))
      return scene.frame(UInt64(sample), side: side)
    case .pictures(let files):
      return try ImageFile.read(files[sample])
    }
  }
}
