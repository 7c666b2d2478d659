import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

/// Cuts the faces out of videos, one video after another, on one thread.
final class VideoExtractor {
  /// A crop that was written under a temporary name.
  private struct Kept {
    var frame: Int
    var time: Double
    /// The number of the searched frame and the face's index in it. They identify the face's track.
    var sighting: [Int]
    var face: Face
    var landmarks: [Point]
    var file: URL
    /// The same box in the later frame.
    var later: URL?
  }

  /// The record of a finished video and its manifest rows.
  struct Result: Sendable {
    var record: VideoRecord
    var rows: String
  }

  /// Thrown to stop decoding before the end of the video.
  private struct Enough: Error {}

  private let options: ExtractionOptions
  private let detector: any FaceDetector
  private let folder: ExtractionFolder
  private let name: String
  private let decodingThreads: Int
  private let keptBytes: Int
  private let isCancelled: @Sendable () -> Bool
  private var kept: [Kept] = []
  private var written = 0
  private var folders: Set<String> = []

  /// - Parameters:
  ///   - name: A name for this extractor, unique in the folder. It prefixes temporary files.
  ///   - keptBytes: The limit for decoded frames kept in memory, in bytes.
  init(
    _ options: ExtractionOptions, _ detector: any FaceDetector, _ folder: ExtractionFolder,
    name: String, decodingThreads: Int, keptBytes: Int,
    isCancelled: @escaping @Sendable () -> Bool
  ) {
    self.options = options
    self.detector = detector
    self.folder = folder
    self.name = name
    self.decodingThreads = decodingThreads
    self.keptBytes = keptBytes
    self.isCancelled = isCancelled
  }

  /// Extracts the faces of a video and moves the crops to their final names.
  ///
  /// - Parameter frames: The number of frames to search if frames are evenly spread.
  /// - Throws: `ExtractionError` if a crop cannot be written, `CancellationError`, and the errors
  ///   of reading the video and of the detector.
  func extract(
    _ file: URL, _ record: VideoRecord, frames: Int, progress: (Double) -> Void
  ) throws -> Result {
    kept = []
    defer {
      for file in kept.flatMap({ [$0.file, $0.later].compactMap { $0 } }) { unlink(file.path) }
    }
    var record = record
    (record.source, record.bytes) = try digest(file)
    var video = try Video(file, threadCount: decodingThreads)
    video.keptBytesLimit = keptBytes
    video.isCancelled = isCancelled
    var tracks: [Track] = []
    let warnings: [String]
    switch options.frames {
    case .spread:
      (record.frames, tracks, warnings) = try search(video, .spread(frames), progress)
    case .all: (record.frames, tracks, warnings) = try search(video, .all, progress)
    case .firstFace: (record.frames, warnings) = try searchFirst(video)
    }
    record.note = (video.info.warnings + warnings).joined(separator: "; ")
    let samples = try place(tracks, record)
    record.faces = samples.count
    record.state = .done
    return Result(record: record, rows: samples.map(ManifestWriter.row).joined())
  }

  private func checkCancellation() throws {
    if isCancelled() { throw CancellationError() }
  }

  /// The SHA-256 hash of a file and its size in bytes.
  private func digest(_ file: URL) throws -> (String, Int) {
    // Refuse files that are not regular: reading a pipe would block, reading a device would never
    // end.
    _ = try MediaKind.of(file)
    return try SHA256.digits(ofFile: file, check: checkCancellation)
  }

  // MARK: - Frames

  private func search(
    _ video: Video, _ choice: FrameChoice, _ progress: (Double) -> Void
  ) throws -> (frames: Int, tracks: [Track], warnings: [String]) {
    var search = FaceSearch(detector)
    var searched = 0
    func found(_ frame: MediaFrame, _ faces: [Face]) throws {
      try keep(faces, in: frame, searched: searched)
      searched += 1
    }
    func take(_ frame: VideoFrame, _ later: VideoFrame? = nil) throws {
      try checkCancellation()
      try search.add(
        MediaFrame(
          index: frame.index, time: frame.time, image: frame.image, later: later, place: 0), found)
      if case .spread(let count) = choice { progress(Double(searched) / Double(count)) }
    }
    var warnings: [String] = []
    switch choice {
    case .spread(let count) where options.difference != nil:
      let difference = Double(options.difference ?? 0)
      warnings = try video.evenlySpacedFrames(count, withLaterBy: difference, take).warnings
    case .spread(1):
      // A single evenly spread frame is always the first, so the others need not be decoded.
      do {
        try video.forEachFrame { frame in
          try take(frame)
          throw Enough()
        }
      } catch is Enough {}
    case .spread(let count):
      warnings = try video.evenlySpacedFrames(count) { try take($0) }.warnings
    case .all: warnings = try video.forEachFrame { try take($0) }.warnings
    }
    try search.finish(found)
    return (searched, search.tracks(), warnings)
  }

  /// Searches every tenth frame from the start until one has a face.
  private func searchFirst(_ video: Video) throws -> (frames: Int, warnings: [String]) {
    var searched = 0
    do {
      let summary = try video.forEachFrame(stride: 10) { frame in
        try checkCancellation()
        let faces = try detectTwice(frame.image)
        let place = MediaFrame(index: frame.index, time: frame.time, image: frame.image, place: 0)
        try keep(faces, in: place, searched: 0)
        searched += 1
        if !kept.isEmpty { throw Enough() }
      }
      return (searched, summary.warnings)
    } catch is Enough {
      return (searched, [])
    }
  }

  /// The faces of a frame. If the frame was scaled down and no face was found, it is searched again
  /// at full size.
  private func detectTwice(_ frame: Image) throws -> [Face] {
    let faces = try detector.detect([frame])[0]
    let scale = detector.frameScale
    guard faces.isEmpty, scale == .auto, scale.factor(width: frame.width, height: frame.height) < 1
    else { return faces }
    return try detector.lookCloser(at: [frame])[0]
  }

  /// Writes temporary crops of the faces that may be needed.
  private func keep(_ faces: [Face], in frame: MediaFrame, searched: Int) throws {
    for index in choice(from: faces, in: frame.image) {
      let crop = options.crop.crop(faces[index], from: frame.image, size: options.size)
      let later = options.crop.later(of: faces[index], in: frame, size: options.size)
      let file = temporaryFile()
      kept.append(
        Kept(
          frame: frame.index, time: frame.time ?? 0, sighting: [searched, index],
          face: faces[index], landmarks: crop.landmarks, file: file,
          later: later.map { _ in temporaryFile() }))
      try write(crop.image, to: file)
      if let later, let file = kept.last?.later { try write(later, to: file) }
    }
  }

  /// A new name for a temporary crop.
  private func temporaryFile() -> URL {
    written += 1
    return folder.work.appendingPathComponent("\(name)-\(written - 1)", isDirectory: false)
  }

  private func write(_ crop: Image, to file: URL) throws {
    let data: Data
    do {
      data = try ImageFile.encode(crop, as: options.format)
    } catch {
      throw ExtractionError.unwritable(file: file.relativePath, reason: error.reason)
    }
    let writer = try OutputFile(file, .anew, failure: ExtractionError.unwritable)
    try writer.write(data)
    try writer.close()
  }

  /// The indices of the faces that may be needed.
  private func choice(from faces: [Face], in frame: Image) -> [Int] {
    // Ignore faces with a center outside the frame or a box larger than the frame: they are false
    // detections, and their crops could be very large.
    let longer = Float(max(frame.width, frame.height))
    let places = faces.indices.filter { place in
      let (box, center) = (faces[place].box, faces[place].box.center)
      return (0...Float(frame.width)).contains(center.x)
        && (0...Float(frame.height)).contains(center.y) && max(box.width, box.height) <= longer
    }
    guard options.people == .surest || options.frames == .firstFace else { return places }
    var choice = Recipe.Faces()
    choice.perFrame = 1
    choice.choose = options.people == .largest ? .size : .score
    return choice.choice(from: places.map { faces[$0] }).map { places[$0] }
  }

  // MARK: - People

  /// Moves the needed crops to their final names. Returns the samples, sorted by person and frame.
  private func place(_ tracks: [Track], _ record: VideoRecord) throws -> [FaceSample] {
    var people: [[Int]: Int] = [:]
    let most = tracks.map(\.sightings.count).max() ?? 0
    let tracks = tracks.filter {
      Float($0.sightings.count) >= options.minShare * Float(most)
    }
    for track in tracks {
      for sighting in track.sightings { people[[sighting.frame, sighting.index]] = track.id }
    }
    var byPerson: [Int: [Kept]] = [:]
    for crop in kept {
      // With `.firstFace`, faces have no track.
      if let person = people[crop.sighting] ?? (options.frames == .firstFace ? 1 : nil) {
        byPerson[person, default: []].append(crop)
      }
    }
    if options.people == .largest, let largest = Self.largest(byPerson) {
      byPerson = byPerson.filter { $0.key == largest }
    }
    let known = Self.mostSeen(byPerson)
    let (slug, place) = (record.slug, record.folder)
    var samples: [FaceSample] = []
    for (person, crops) in byPerson.sorted(by: { $0.key < $1.key }) {
      for crop in crops {
        let name = CropName.make(slug, person: person, frame: crop.frame, options.format)
        try move(crop.file, to: place, name)
        var sample = FaceSample(path: "\(place)/\(name)", label: record.label.label)
        sample.video = record.label.video
        sample.original = record.label.original
        // The label names the person seen most; the names of other people are unknown.
        let own = person == known ? record.label.person : nil
        sample.person = own ?? "\(record.label.video)#\(person)"
        sample.split = options.keepsSplit ? record.label.split : nil
        sample.origin = record.label.origin
        sample.frame = crop.frame
        sample.time = crop.time
        sample.box = crop.face.box
        sample.landmarks = crop.landmarks.count == 5 ? crop.landmarks : nil
        sample.score = crop.face.score
        sample.source = record.source
        if let later = crop.later {
          let name = CropName.make(
            slug, person: person, frame: crop.frame, isLater: true, options.format)
          try move(later, to: place, name)
          // Like the crop's own file: relative to the same folder.
          sample.later = URL(fileURLWithPath: "\(place)/\(name)", isDirectory: false)
        }
        samples.append(sample)
      }
    }
    return samples
  }

  private func move(_ file: URL, to place: String, _ name: String) throws {
    let target = folder.url.appendingPathComponent(place, isDirectory: true)
    if folders.insert(place).inserted {
      do {
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
      } catch {
        throw ExtractionError.unwritable(file: target.relativePath, reason: error.reason)
      }
    }
    let crop = target.appendingPathComponent(name, isDirectory: false)
    guard rename(file.path, crop.path) == 0 else { throw ExtractionFolder.failure(crop) }
  }

  /// The person with the largest face, by the median area of the boxes.
  private static func largest(_ people: [Int: [Kept]]) -> Int? {
    func size(_ person: Int) -> Float {
      let areas = (people[person] ?? []).map(\.face.box.area).sorted()
      return areas.isEmpty ? 0 : areas[areas.count / 2]
    }
    return people.keys.sorted().max { size($0) < size($1) }
  }

  /// The person in the most frames; of several, the one with the larger faces.
  private static func mostSeen(_ people: [Int: [Kept]]) -> Int? {
    people.keys.sorted().max { first, second in
      let (a, b) = (people[first] ?? [], people[second] ?? [])
      if a.count != b.count { return a.count < b.count }
      return a.reduce(0) { $0 + $1.face.box.area } < b.reduce(0) { $0 + $1.face.box.area }
    }
  }
}
