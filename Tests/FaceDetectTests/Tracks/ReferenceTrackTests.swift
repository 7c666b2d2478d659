import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import TestSupport
import Testing

/// Tracks of real videos, found and composed at run time.
@Suite(.enabled(if: Paths.hasReference), .serialized) struct ReferenceTrackTests {
  static let names = ["004", "004_982", "634", "lynaeydofd", "widuwuoiur"]

  /// Calls `body` with evenly spread frames of a reference video, or with all.
  private func eachFrame(
    of name: String, _ count: Int?, _ body: (Image, Double) throws -> Void
  ) throws {
    let video = try Video(Paths.reference("videos/\(name).mp4"))
    if let count {
      _ = try video.evenlySpacedFrames(count) { try body($0.image, $0.time) }
    } else {
      _ = try video.forEachFrame { try body($0.image, $0.time) }
    }
  }

  /// The tracks that have a face as sure as real ones are.
  private func people(_ tracker: FaceTracker) -> [Track] {
    tracker.tracks().filter { track in track.sightings.contains { $0.face.score > 0.9 } }
  }

  @Test(arguments: names) func onePersonIsOneTrack(_ name: String) throws {
    try expectOneTrack(name, frames: 25)
  }

  @Test(arguments: ["634", "lynaeydofd"]) func inEveryFrameToo(_ name: String) throws {
    try expectOneTrack(name, frames: nil)
  }

  private func expectOneTrack(_ name: String, frames count: Int?) throws {
    let detector = try TrackMaterial.detector()
    var tracker = FaceTracker()
    var (frames, sure) = (0, 0)
    try eachFrame(of: name, count) { image, time in
      let faces = try detector.detect([image])[0]
      frames += 1
      sure += faces.count { $0.score > 0.9 }
      tracker.add(faces, in: image, time: time)
    }
    let people = people(tracker)
    #expect(people.count == 1)
    #expect(people.first.map { $0.sightings.count { $0.face.score > 0.9 } } == sure)
    #expect(sure >= frames * 95 / 100)
    // What is no face never joins the person.
    #expect(tracker.tracks().dropFirst(1).allSatisfy { $0.sightings.count < frames / 10 })
  }

  /// Two videos, pasted on one canvas and moving past each other; the second comes late and is in
  /// front.
  @Test(arguments: [
    ("634", "004", 25), ("lynaeydofd", "widuwuoiur", 25), ("004_982", "widuwuoiur", 25),
    ("634", "lynaeydofd", 150),
  ])
  func peopleWhoCrossKeepTheirTracks(_ first: String, _ second: String, _ count: Int) throws {
    let detector = try TrackMaterial.detector(frameScale: 1)
    var tracker = FaceTracker()
    var truth: [[Character]] = []
    let secondPanels = try panels(second, count)
    for (i, panel) in try panels(first, count).enumerated() {
      let part = Double(i) / Double(count - 1)
      var canvas = Canvas()
      canvas.paste(panel.image, x: Int(20 + 620 * part), y: 60)
      let x = Int(640 - 620 * part)
      let exists = part >= 0.2
      if exists { canvas.paste(secondPanels[i].image, x: x, y: 120) }
      let image = canvas.image
      let faces = try detector.detect([image])[0]
      truth.append(
        faces.map { face in
          let center = face.box.center
          let isSecond =
            exists && (Float(x)..<Float(x + 300)).contains(center.x)
            && (120..<480).contains(center.y)
          return isSecond ? "B" : "A"
        })
      tracker.add(faces, in: image, time: panel.time)
    }
    let people = people(tracker)
    #expect(people.count == 2)
    var owners: [Character] = []
    for track in people {
      let seen = track.sightings.map { truth[$0.frame][$0.index] }
      let ofFirst = seen.count { $0 == "A" }
      owners.append(ofFirst * 2 > seen.count ? "A" : "B")
      // Where the pictures meet, half faces are found that belong to either.
      #expect(max(ofFirst, seen.count - ofFirst) * 100 >= seen.count * 97, "\(String(seen))")
      #expect(seen.count * 100 >= count * 70)
    }
    #expect(Set(owners).count == 2)
  }

  /// A camera that wanders over a photograph of many people, ten seconds from frame to frame, in
  /// changing light: only looks tell who is who.
  @Test(arguments: [("multiface", 0.8), ("multiface", 0.5), ("crowd", 0.8), ("crowd", 0.5)])
  func groupsAreNotMixedUp(_ name: String, _ part: Double) throws {
    let detector = try TrackMaterial.detector(frameScale: 1)
    let photograph = try ImageFile.read(Paths.reference("images/\(name).jpg"))
    let known = try detector.detect([photograph])[0].filter { $0.score > 0.9 }
    let width = Int(Double(photograph.width) * part)
    let height = Int(Double(photograph.height) * part)
    var generator = SeededGenerator(seed: 3)
    var tracker = FaceTracker()
    var truth: [[Int?]] = []
    for frame in 0..<25 {
      let x = Int.random(in: 0...photograph.width - width, using: &generator)
      let y = Int.random(in: 0...photograph.height - height, using: &generator)
      let scale = 0.9 + 0.8 * generator.uniform()
      let light = 0.85 + 0.3 * generator.uniform()
      let view = photograph.cropped(x: x, y: y, width: width, height: height).resized(
        width: Int(Float(width) * scale), height: Int(Float(height) * scale), method: .bilinear)
      let image = Image(
        width: view.width, height: view.height,
        pixels: view.pixels.map {
          UInt8(min(max(Float($0) * light + 4 * generator.uniform() - 2, 0), 255))
        })
      let faces = try detector.detect([image])[0].filter { $0.score > 0.8 }
      truth.append(
        faces.map { face in
          let center = face.box.center.scaled(x: 1 / scale, y: 1 / scale)
          return known.firstIndex { other in
            abs(other.box.center.x - center.x - Float(x)) < other.box.width / 2
              && abs(other.box.center.y - center.y - Float(y)) < other.box.height / 2
          }
        })
      tracker.add(faces, in: image, time: Double(frame) * 10)
    }
    let tracks = tracker.tracks().map { track in
      track.sightings.compactMap { truth[$0.frame][$0.index] }
    }
    let sightings = tracks.map(\.count).reduce(0, +)
    let people = Set(tracks.flatMap { $0 })
    // Those of a track that are not of the person it shows most.
    let wrong = tracks.map { seen in
      seen.count - (Dictionary(grouping: seen) { $0 }.values.map(\.count).max() ?? 0)
    }.reduce(0, +)
    if ProcessInfo.processInfo.environment["DFKIT_MEASURE"] != nil {
      print(
        "\(name), \(part) of it: \(people.count) people, \(tracks.count { !$0.isEmpty }) tracks,"
          + " \(sightings) sightings, \(wrong) in others' tracks")
    }
    #expect(wrong * 12 <= sightings)
    #expect(people.count * 10 >= known.count * 8)
    #expect(tracks.count { !$0.isEmpty } * 2 <= people.count * 3)
  }

  private func panels(_ name: String, _ count: Int) throws -> [(image: Image, time: Double)] {
    var panels: [(image: Image, time: Double)] = []
    try eachFrame(of: name, count) { image, time in
      let width = image.width * 360 / image.height
      let small = image.resized(width: width, height: 360, method: .area)
      panels.append((small.cropped(x: (width - 300) / 2, y: 0, width: 300, height: 360), time))
    }
    return panels
  }
}

/// A grey picture on which others are pasted.
private struct Canvas {
  private static let (width, height) = (960, 540)
  private var pixels = [UInt8](repeating: 90, count: width * height * 3)

  var image: Image { Image(width: Self.width, height: Self.height, pixels: pixels) }

  /// Pastes as much of a picture as is on the canvas.
  mutating func paste(_ picture: Image, x: Int, y: Int) {
    let columns = max(0, -x)..<min(picture.width, Self.width - x)
    for row in max(0, -y)..<min(picture.height, Self.height - y) {
      let from = (row * picture.width + columns.lowerBound) * 3
      let to = ((y + row) * Self.width + x + columns.lowerBound) * 3
      pixels.replaceSubrange(
        to..<to + columns.count * 3, with: picture.pixels[from..<from + columns.count * 3])
    }
  }
}
