import CDFKernels
import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// A crop of the input's size with its later one, and its target probability of "fake".
struct PreparedCrop: Sendable {
  var crop: MotionCrop
  var label: Float
}

/// Makes crops out of samples, and batches out of crops. Each result depends only on its place in
/// the order.
struct BatchMaker: Sendable {
  private let manifest: FaceManifest
  private let order: [Int]
  private let options: FaceLoader.Options
  private let originals: OriginalIndex?
  /// Finds donor faces for made fakes; nil if none are made.
  private let donors: DonorSearch?

  init(_ manifest: FaceManifest, order: [Int], _ options: FaceLoader.Options) {
    self.manifest = manifest
    self.order = order
    self.options = options
    let isPaired = options.augmentation.mixup?.partner == .original
    originals = isPaired ? OriginalIndex(manifest) : nil
    donors = manifest.hasMadeFakes ? DonorSearch(manifest) : nil
  }

  /// Makes the crop at a place of the order.
  func crop(_ slot: Int) -> Result<PreparedCrop, DatasetError> {
    let index = order[slot]
    let sample = manifest.samples[index]
    var generator = SeededGenerator(
      seed: options.seed,
      label: options.clipLength == 1
        ? "crop \(options.epoch) \(slot) \(index)"
        : "clip \(options.epoch) \(slot / options.clipLength)")
    return Result { () throws(DatasetError) in
      var share: Float = 0
      if let mixup = options.augmentation.mixup, mixup.partner == .original {
        share = mixup.share(using: &generator)
      }
      // An equal generator, so a real crop and the fake made from it get the same changes.
      var alike = generator
      let place = "\(options.epoch) \(slot) \(index)"
      let made = sample.isMade ? index : nil
      let crop = try augmented(sample, made: made, at: place, using: &generator)
      guard share > 0, let original = originals?.original(of: index, in: manifest) else {
        return PreparedCrop(crop: crop, label: sample.target)
      }
      let other = manifest.samples[original]
      let partner = try augmented(other, made: nil, at: place, using: &alike)
      return PreparedCrop(
        crop: crop.mixed(with: partner, share: share),
        label: (1 - share) * sample.target + share * other.target)
    }
  }

  /// Loads a sample's crop and changes it at random. If `made` is a sample's index, a fake is made
  /// of it. `place` and the seed determine the fake.
  ///
  /// If the network's input has a difference, the later crop is changed alike, with an equal
  /// generator.
  private func augmented(
    _ sample: FaceSample, made: Int?, at place: String, using generator: inout SeededGenerator
  ) throws(DatasetError) -> MotionCrop {
    let picture = try Self.picture(sample.file)
    var alike = generator
    let image = changed(picture, of: sample, made: made, at: place, using: &generator)
    guard hasMotion, let file = sample.later else { return MotionCrop(image) }
    let later = try Self.picture(file)
    guard later.width == picture.width, later.height == picture.height else {
      throw .unusable(
        file: file.relativePath,
        problem: "has \(later.width)x\(later.height) pixels, but the crop \(sample.path)"
          + " \(picture.width)x\(picture.height); both must be cut by the same box")
    }
    return MotionCrop(
      image,
      later: changed(later, of: sample, made: made, at: place, isLater: true, using: &alike))
  }

  /// Whether the network's input has a difference to a later frame.
  private var hasMotion: Bool { options.input.difference != nil }

  private func changed(
    _ picture: Image, of sample: FaceSample, made: Int?, at place: String, isLater: Bool = false,
    using generator: inout SeededGenerator
  ) -> Image {
    var (image, points) = options.augmentation.reduced(
      picture, sample.landmarks, for: options.input, detail: options.detail)
    if let donors {
      // A separate generator, so the augmentation still changes a real crop and its fake alike.
      var own = SeededGenerator(seed: options.seed, label: "fake \(place)")
      if let made {
        image = options.blending.fake(
          of: image, landmarks: points ?? [], donor: donor(for: made, donors, place, isLater),
          keepsTarget: !options.changesTones, using: &own)
      } else if options.changesTones {
        image = options.blending.real(of: image, using: &own)
      }
    }
    return options.augmentation(
      image, landmarks: points, for: options.input, detail: options.detail, using: &generator)
  }

  private static func picture(_ file: URL) throws(DatasetError) -> Image {
    do {
      return try ImageFile.read(file)
    } catch {
      throw .picture(error)
    }
  }

  /// Another person's face, with the probability of `blending.donor`; otherwise nil. An unreadable
  /// picture gives nil, too; it is reported as a sample of its own. If the network sees motion, the
  /// donor moves, too: its later crop is blended into the later crop, and a donor without one is
  /// not used.
  private func donor(
    for index: Int, _ donors: DonorSearch, _ place: String, _ isLater: Bool
  ) -> SelfBlending.Donor? {
    var generator = SeededGenerator(seed: options.seed, label: "donor \(place)")
    guard generator.uniform() < options.blending.donor,
      let found = donors.donor(for: index, in: manifest, using: &generator)
    else { return nil }
    let sample = manifest.samples[found]
    guard !hasMotion || sample.later != nil,
      let image = try? Self.picture(isLater ? sample.later ?? sample.file : sample.file),
      let points = sample.landmarks
    else { return nil }
    return SelfBlending.Donor(image, landmarks: points)
  }

  /// Makes the batch of finished crops.
  func batch(
    _ crops: [Result<PreparedCrop, DatasetError>], _ slots: Range<Int>
  ) -> Result<FaceBatch, DatasetError> {
    var whole: [PreparedCrop] = []
    var indices: [Int] = []
    var skipped: [FaceBatch.Skipped] = []
    for (crop, slot) in zip(crops, slots) {
      switch crop {
      case .success(let crop):
        whole.append(crop)
        indices.append(order[slot])
      case .failure(let error):
        skipped.append(FaceBatch.Skipped(index: order[slot], error: error))
      }
    }
    if let first = skipped.first, !options.skipsBroken { return .failure(first.error) }
    mix(&whole, first: slots.lowerBound)
    let input = options.input
    let images =
      whole.isEmpty
      ? Tensor(zeros: [0, input.size, input.size, input.channelCount])
      : input.tensor(ofFitted: whole.map(\.crop))
    return .success(
      FaceBatch(
        images: images, labels: Tensor(whole.map(\.label), shape: [whole.count]),
        indices: indices, skipped: skipped, end: slots.upperBound))
  }

  /// Mixes a batch's crops with each other, all with the same share.
  private func mix(_ crops: inout [PreparedCrop], first: Int) {
    guard let mixup = options.augmentation.mixup, mixup.partner == .batch, crops.count > 1 else {
      return
    }
    var generator = SeededGenerator(seed: options.seed, label: "batch \(options.epoch) \(first)")
    let share = mixup.share(using: &generator)
    guard share > 0 else { return }
    let plain = crops
    for (place, partner) in plain.indices.shuffled(using: &generator).enumerated() {
      crops[place].crop = plain[place].crop.mixed(with: plain[partner].crop, share: share)
      crops[place].label = (1 - share) * plain[place].label + share * plain[partner].label
    }
  }
}

/// Finds the real crop that a fake was made from.
private struct OriginalIndex: Sendable {
  /// The real samples of each video.
  private let crops: [Int32: [Int32]]
  /// The real sample of each picture out of which a fake is made.
  private var pictures: [UInt32: Int32] = [:]

  init(_ manifest: FaceManifest) {
    if manifest.hasMadeFakes {
      for (index, row) in manifest.table.rows.enumerated() where row.label == .real {
        pictures[row.nameStart] = Int32(clamping: index)
      }
    }
    crops = manifest.table.realSamplesByVideo
  }

  /// The crop of the fake's original with the same file name, or else with the nearest time. For a
  /// made fake, the real sample with the same picture. Nil if there is none.
  func original(of index: Int, in manifest: FaceManifest) -> Int? {
    let table = manifest.table
    let row = table.rows[index]
    if row.isMade { return pictures[row.nameStart].map { Int($0) } }
    guard row.label == .fake, let candidates = crops[row.original] else { return nil }
    let name = table.name(row)
    if let same = candidates.first(where: { table.name(table.rows[Int($0)]) == name }) {
      return Int(same)
    }
    guard !row.time.isNaN else { return nil }
    let timed = candidates.filter { !table.rows[Int($0)].time.isNaN }
    return timed.min {
      abs(table.rows[Int($0)].time - row.time) < abs(table.rows[Int($1)].time - row.time)
    }.map { Int($0) }
  }
}

extension MotionCrop {
  /// Mixes two crops and their later ones. A crop without a later one does not move.
  func mixed(with other: MotionCrop, share: Float) -> MotionCrop {
    let moves = later != nil || other.later != nil
    return MotionCrop(
      image.mixed(with: other.image, share: share),
      later: moves
        ? (later ?? image).mixed(with: other.later ?? other.image, share: share) : nil)
  }
}

extension Image {
  /// Mixes two images of the same size: this one times 1 - `share`, plus the other times `share`.
  func mixed(with other: Image, share: Float) -> Image {
    precondition(
      other.width == width && other.height == height,
      "mixed: \(other.width)x\(other.height) is not \(width)x\(height)")
    return other.pixels.withUnsafeBufferPointer { bytes in
      rewritten { df_u8_mix(width * height * 3, $0, bytes.baseAddress, share, $1) }
    }
  }
}
