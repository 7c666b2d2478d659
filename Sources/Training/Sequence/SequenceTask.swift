import Classifiers
import DeepfakeCore
import FaceData
import Foundation

/// The training task of a sequence network. The LSTM learns from the features of a frozen network,
/// which are computed once, or together with the network (`TrainingOptions.endToEnd`).
final class SequenceTask: TrainingTask {
  /// A part of the data.
  private struct Part {
    let manifest: FaceManifest
    let clips: ClipTable
    /// The features of the samples; nil if the network learns, too.
    let features: FrameFeatures?
  }

  private let trainer: Trainer
  private let head: SequenceHead
  private let training: Part
  private let validation: Part?
  private let sampler: Sampler
  let store: ParameterStore
  let identity: [String: String]

  /// - Parameter onProgress: Is told how many of all pictures have features.
  init(
    _ trainer: Trainer, training: FaceManifest, validation: FaceManifest?,
    onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws {
    guard let head = trainer.network.head else {
      preconditionFailure("SequenceTask: the network judges each crop alone")
    }
    try Self.check(trainer.options, training)
    let validation = validation?.withKnownLabels
    self.trainer = trainer
    self.head = head
    identity = trainer.fullIdentity(training, validation)
    let total = training.count + (validation?.count ?? 0)
    self.training = try Self.part(training, trainer, head) { done, _ in
      try onProgress(done, total)
    }
    self.validation = try validation.map { part in
      try Self.part(part, trainer, head) { done, _ in
        try onProgress(training.count + done, total)
      }
    }
    sampler = try Sampler(
      self.training.clips.manifest, order: trainer.options.sampling, seed: trainer.options.seed)
    store = trainer.network.learnedStore(endToEnd: trainer.options.endToEnd)
  }

  /// Throws where the options ask for what a sequence cannot do.
  private static func check(_ options: TrainingOptions, _ training: FaceManifest) throws {
    func refuse(_ problem: String) -> TrainingError { .unusable(problem: problem) }
    guard !training.isEmpty else { throw refuse("there are no training samples") }
    guard options.fakes == nil else {
      throw refuse("fakes: a sequence learns from real and fake clips only; set fakes to none")
    }
    guard options.validationEpochs == 0 else {
      throw refuse("validationEpochs: does not apply to a sequence; set it to 0")
    }
    guard !options.endToEnd || options.augmentation.mixup == nil else {
      throw refuse("augmentation: mixup does not apply to a sequence; leave it out")
    }
  }

  private static func part(
    _ manifest: FaceManifest, _ trainer: Trainer, _ head: SequenceHead,
    _ onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> Part {
    guard !trainer.options.endToEnd else {
      return Part(
        manifest: manifest, clips: ClipTable(manifest, head.settings), features: nil)
    }
    let features = try FrameFeatures(
      of: manifest, by: trainer.network, loaderOptions(trainer, batchSize: 16),
      in: trainer.featureFolder, onProgress: onProgress)
    let clips = ClipTable(manifest, head.settings, isUsable: features.isKnown)
    guard !clips.tracks.isEmpty else {
      throw TrainingError.unusable(problem: "no picture of a part of the data can be decoded")
    }
    return Part(manifest: manifest, clips: clips, features: features)
  }

  private static func loaderOptions(_ trainer: Trainer, batchSize: Int) -> FaceLoader.Options {
    var settings = FaceLoader.Options(batchSize: batchSize, input: trainer.network.input)
    settings.skipsBroken = trainer.skipsBroken
    if let threads = trainer.loaderThreads { settings.threads = threads }
    return settings
  }

  var options: TrainingOptions { trainer.options }
  var sampleCounts: (training: Int, validation: Int) {
    (training.manifest.count, validation?.manifest.count ?? 0)
  }

  var plotTitle: (title: String, subtitle: String) {
    let metadata = trainer.network.metadata
    let settings = head.settings
    return (
      [metadata.architecture, "LSTM", metadata.recipe].compactMap { $0 }.joined(separator: ", "),
      "\(settings.levels) x \(settings.hidden)\(settings.isTwoWay ? ", both directions" : ""),"
        + " \(settings.pooling.rawValue), batch \(options.batchSize),"
        + " \(training.clips.tracks.count) training tracks,"
        + " \(validation?.clips.tracks.count ?? 0) validation tracks"
    )
  }

  func imagesPerEpoch(_ part: EpochMetrics.Part) -> Int { sampler.epochLength }

  func write(_ url: URL, entries: [String: String]) throws {
    try trainer.network.state(entries).write(safetensors: url)
  }

  func load(_ state: StateDict) throws { try trainer.network.load(state) }
}

// MARK: Batches

/// Clips for training.
struct ClipBatch: TrainingBatch {
  /// The features, [clips, frames, features]; or the pictures of all clips one after another, with
  /// the same number of frames each, [clips x frames, size, size, 3].
  enum Content {
    case features(Tensor)
    case images(Tensor)
  }

  let content: Content
  /// The number of frames of each clip.
  let lengths: [Int]
  /// [clips]: 1 for fakes, 0 for real clips.
  let labels: Tensor
  let files: [String]
  let end: Int
  var count: Int { lengths.count }
  var notes: [String] { [] }
}

extension SequenceTask {
  func batches(
    of part: EpochMetrics.Part, epoch: Int, from position: Int
  ) throws -> BatchSource<ClipBatch> {
    let order = sampler.indices(epoch: epoch)
    let clips = order.enumerated().map { place, clip in
      var generator = SeededGenerator(seed: options.seed, label: "frames \(epoch) \(place)")
      return training.clips.samples(of: clip, using: &generator)
    }
    let start = min(position, order.count)
    guard let features = training.features else {
      return imageBatches(clips, epoch: epoch, from: start)
    }
    var next = start
    return BatchSource(total: order.count) { [self] in
      guard next < order.count else { return nil }
      let places = next..<min(next + options.batchSize, order.count)
      next = places.upperBound
      let mirrored = places.map { place in
        var generator = SeededGenerator(seed: options.seed, label: "mirror \(epoch) \(place)")
        return generator.next() >> 63 == 1
      }
      let (values, lengths) = features.clips(Array(clips[places]), mirrored: mirrored)
      return batch(.features(values), lengths, clips[places], end: places.upperBound)
    }
  }

  /// Batches of the clips' pictures. A clip with fewer frames than the longest is filled up with
  /// its last one, which is then not looked at.
  private func imageBatches(
    _ clips: [[Int]], epoch: Int, from start: Int
  ) -> BatchSource<ClipBatch> {
    let frames = clips.map(\.count).max() ?? 1
    let order = clips.flatMap { clip in
      clip + Array(repeating: clip[clip.count - 1], count: frames - clip.count)
    }
    var settings = Self.loaderOptions(trainer, batchSize: options.batchSize * frames)
    settings.augmentation = options.augmentation
    settings.seed = options.seed
    settings.epoch = epoch
    settings.start = start * frames
    settings.clipLength = frames
    // A clip without one of its frames would not have the others' time.
    settings.skipsBroken = false
    let loader = FaceLoader(training.manifest, order: order, settings)
    return BatchSource(
      total: clips.count,
      next: { [self] in
        guard let loaded = try loader.next() else { return nil }
        let end = loaded.end / frames
        let own = clips[end - loaded.indices.count / frames..<end]
        return batch(.images(loaded.images), own.map(\.count), own, end: end)
      }, stop: loader.stop)
  }

  private func batch(
    _ content: ClipBatch.Content, _ lengths: [Int], _ clips: ArraySlice<[Int]>, end: Int
  ) -> ClipBatch {
    let labels = clips.map { training.manifest.samples[$0[0]].target }
    return ClipBatch(
      content: content, lengths: lengths, labels: Tensor(labels, shape: [labels.count]),
      files: clips.map { training.manifest.samples[$0[0]].path }, end: end)
  }

  func files(of batch: ClipBatch, in part: EpochMetrics.Part) -> [String] { batch.files }

  func output(_ batch: ClipBatch, _ context: TrainingContext) -> Tensor {
    let mode = Mode.training(context)
    switch batch.content {
    case .features(let features): return head(features, lengths: batch.lengths, mode)
    case .images(let images):
      let network = trainer.network.network
      let frames = images.shape[0] / batch.count
      let features = network.pooled(images, mode)
        .reshaped([batch.count, frames, network.featureCount])
      return head(features, lengths: batch.lengths, mode)
    }
  }

  func loss(_ output: Tensor, _ batch: ClipBatch) -> (loss: Tensor, parts: [Float]) {
    (options.loss(output, batch.labels), [])
  }
}

// MARK: Judging

extension SequenceTask {
  func validate(
    _ onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> ValidationScores.Result? {
    guard let validation else { return nil }
    let packed = validation.features == nil ? trainer.network.packedCopy() : nil
    var scores = ValidationScores()
    for track in validation.clips.tracks.indices {
      if Task.isCancelled { throw ValidationCancelled() }
      let clips = validation.clips.judged(track)
      var sum: Float = 0
      for clip in clips { sum += try logit(of: clip, in: validation, packed) }
      let first = clips[0][0]
      guard sum.isFinite else {
        throw NonFiniteOutput(files: clips[0].map { validation.manifest.samples[$0].path })
      }
      scores.add(
        logit: sum / Float(clips.count), label: validation.manifest.label(first),
        video: validation.manifest.videoNumber(first))
      try onProgress(track + 1, validation.clips.tracks.count)
    }
    return scores.result
  }

  /// The logit of a clip, given as its samples; `packed` is the network of the frames if their
  /// features are not known.
  private func logit(
    of clip: [Int], in part: Part, _ packed: ClassifierNetwork?
  ) throws -> Float {
    if let features = part.features {
      return head(features.clips([clip], mirrored: [false]).features).scalars[0]
    }
    guard let packed else { return .nan }
    var settings = Self.loaderOptions(trainer, batchSize: 8)
    settings.threads = 1
    settings.skipsBroken = false
    let loader = FaceLoader(part.manifest, order: clip, settings)
    defer { loader.stop() }
    var rows: [Tensor] = []
    while let batch = try loader.next() { rows.append(packed.pooled(batch.images)) }
    let features = Tensor.concatenated(rows, axis: 0)
    return head(features.reshaped([1] + features.shape)).scalars[0]
  }

  /// Measures the statistics of batch norm on up to a hundred batches, if the network learns.
  func measureStatistics(epoch: Int) throws {
    guard options.endToEnd else { return }
    let source = try batches(of: .training, epoch: epoch, from: 0)
    defer { source.stop() }
    var left = 100
    try trainer.network.network.measureStatistics(seed: options.seed) {
      guard left > 0, let batch = try source.next(), case .images(let images) = batch.content
      else { return nil }
      left -= 1
      return images
    }
  }
}
