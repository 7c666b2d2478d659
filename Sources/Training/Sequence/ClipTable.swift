import Classifiers
import DeepfakeCore
import FaceData
import Measures
import MediaIO

/// The clips of a dataset. A clip shows one person in one video; its frames are some of the
/// samples, in the order of time.
package struct ClipTable {
  /// For each person in a video, the samples in the order of time.
  package let tracks: [[Int]]
  /// The track of each clip. A track has a clip for each `frames` samples, and at least one.
  package let clips: [Int]
  /// One sample of each clip, which has the clip's label, video and person.
  package let manifest: FaceManifest
  private let settings: NetworkSettings.FrameSequence

  /// Makes clips of a manifest's samples. Samples without a video and a group are clips of a single
  /// frame. Samples of one video that have no time are in the order of the manifest.
  ///
  /// - Parameter isUsable: Whether a sample can be used.
  package init(
    _ manifest: FaceManifest, _ settings: NetworkSettings.FrameSequence,
    isUsable: (Int) -> Bool = { _ in true }
  ) {
    struct Key: Hashable {
      var place: Int32
      var kind: Int
      var person: Int32
      var label: FaceLabel
      var origin: Int32
    }
    self.settings = settings
    var tracks: [[Int]] = []
    var places: [Key: Int] = [:]
    for (index, row) in manifest.table.rows.enumerated() where isUsable(index) {
      let (place, kind) =
        row.video >= 0
        ? (row.video, 0) : row.group >= 0 ? (row.group, 1) : (Int32(clamping: index), 2)
      let key = Key(
        place: place, kind: kind, person: row.person, label: row.label, origin: row.origin)
      if let track = places[key] {
        tracks[track].append(index)
      } else {
        places[key] = tracks.count
        tracks.append([index])
      }
    }
    func time(_ index: Int) -> Double {
      let time = manifest.table.rows[index].time
      return time.isNaN ? 0 : time
    }
    let ordered = tracks.map { $0.sorted { (time($0), $0) < (time($1), $1) } }
    let clips = ordered.indices.flatMap { track in
      Array(repeating: track, count: max(1, ordered[track].count / settings.frames))
    }
    self.tracks = ordered
    self.clips = clips
    self.manifest = manifest.subset(clips.map { ordered[$0][0] })
  }

  /// The samples of a clip in an epoch, at most `frames` in the order of time, chosen at random:
  /// one of each of as many equal parts of the track, or consecutive ones.
  package func samples(of clip: Int, using generator: inout SeededGenerator) -> [Int] {
    let track = tracks[clips[clip]]
    let count = settings.frames
    guard track.count > count else { return track }
    switch settings.clips {
    case .consecutive:
      let start = Int.random(in: 0...track.count - count, using: &generator)
      return Array(track[start..<start + count])
    case .spread:
      return (0..<count).map { part in
        let range = part * track.count / count..<(part + 1) * track.count / count
        return track[Int.random(in: range, using: &generator)]
      }
    }
  }

  /// The clips by which a track is judged, each as its samples: all windows of consecutive frames,
  /// or at most `frames` that are evenly spread.
  package func judged(_ track: Int) -> [[Int]] {
    let track = tracks[track]
    switch settings.clips {
    case .consecutive: return settings.windows(of: track.count).map { Array(track[$0]) }
    case .spread:
      let frames = EvenSpread.indices(min(settings.frames, track.count), of: track.count)
      return [frames.map { track[$0] }]
    }
  }
}
