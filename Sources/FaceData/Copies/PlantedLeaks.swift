import DeepfakeCore
import Foundation
import MediaIO

/// A dataset with planted leaks, written to a folder: videos of people, and copies of some of their
/// frames that are listed as frames of other videos. So it is known which links a search should
/// find.
package struct PlantedLeaks: Sendable {
  /// Where the scenes come from.
  package enum Source: Sendable {
    /// Drawn scenes of `side` x `side` pixels: people with three videos each, of five frames.
    case drawn(side: Int)
    /// Image files. Each counts as its own person and video.
    case pictures([URL])
  }

  /// A planted copy of a crop.
  package struct Plant: Sendable {
    /// Index of the copy.
    package var sample: Int
    /// Index of the crop that was copied.
    package var original: Int
    package var kind: PlantedCopy
  }

  /// All crops: the originals (labelled real), then the planted copies (labelled fake).
  package let manifest: FaceManifest
  /// The video of each sample. Each planted copy has a video of its own.
  package let groups: [Int32]
  package let plants: [Plant]
  /// The place of each sample's video; videos with the same number share a place. -1 for every
  /// sample of `pictures`.
  package let places: [Int32]

  private static let frames = 5

  /// Writes a dataset of `count` crops, fewer if there are fewer pictures. `planted` of them are
  /// copies, which take the kinds in turn.
  ///
  /// - Throws: `MediaError` if a picture cannot be read or written.
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

  /// Every tenth video has the place of the video before it, which shows another person.
  private static func place(_ video: Int) -> Int { video % 10 == 9 ? video - 1 : video }

  private static func scene(_ sample: Int, _ source: Source, _ seed: UInt64) throws -> Image {
    switch source {
    case .drawn(let side):
      let video = sample / frames
      // A person's videos are not consecutive, so two videos in one place show two people.
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
