import DeepfakeCore
import FaceData
import FaceDetect
import Measures

/// The face crops of one video, which are judged together. If the video is unknown: of one group,
/// or a single crop.
struct VideoSamples {
  /// The name of the video or group, or the path of the crop.
  var name: String
  var label: FaceLabel
  /// The group that is drawn as a whole for confidence intervals (`FaceManifest.groups`).
  var group: String
  /// The collection that the crops come from.
  var source: String?
  /// In the order of time. Crops without a time count as time 0 and keep their order.
  var samples: [FaceSample] = []

  /// The videos of a manifest, in the order of first appearance. A real and a fake video of the
  /// same name are kept apart, as are videos of different collections.
  static func all(of manifest: FaceManifest) -> [VideoSamples] {
    var videos: [VideoSamples] = []
    var places: [String: Int] = [:]
    let groups = manifest.groups()
    for (index, sample) in manifest.samples.enumerated() {
      let name = sample.judgedWith
      let key = "\(sample.label.rawValue)\(sample.origin ?? "")\n\(name)"
      let place = places[key] ?? videos.count
      if place == videos.count {
        places[key] = place
        videos.append(
          VideoSamples(
            name: name, label: sample.label, group: groups[index], source: sample.origin))
      }
      videos[place].samples.append(sample)
    }
    for index in videos.indices {
      // Stable sort: crops of the same time keep their order.
      let times = videos[index].samples.map { $0.time ?? 0 }
      let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
      videos[index].samples = order.map { videos[index].samples[$0] }
    }
    return videos
  }

  /// The table row of the sample at `place`, without scores. Crops of the same time get the same
  /// frame number. Without a known box, the box is the whole picture.
  func face(_ place: Int, _ picture: Image) -> ScoreTable.Face {
    func time(_ place: Int) -> Double { samples[place].time ?? Double(place) }
    let frame = samples[..<place].indices.last { time($0) != time(place) }.map { $0 + 1 } ?? 0
    return ScoreTable.Face(
      frame: frame, time: time(place), person: 1,
      box: samples[place].box
        ?? Box(x1: 0, y1: 0, x2: Float(picture.width), y2: Float(picture.height)))
  }
}

extension FaceSample {
  /// The name shared by the crops that are judged together: the video, else the group, else the
  /// path of this crop alone.
  var judgedWith: String { video ?? group ?? path }
}

extension VideoReport {
  /// The report for crops with given scores. All crops are of one person, and each counts as a
  /// frame.
  init(_ video: VideoSamples, _ scores: ScoreTable) {
    self.init(file: video.name, verdict: .undecided(.noFaces))
    frames = video.samples.count
    facesFound = video.samples.count
    self.scores = scores
    guard let first = scores.faces.first, let last = scores.faces.last else { return }
    people = [
      Person(
        id: 1, verdict: .undecided(.noFaces), framesSeen: frames, framesJudged: frames,
        firstTime: first.time, lastTime: last.time,
        surest: .init(time: first.time, box: first.box, score: video.samples.first?.score ?? 1))
    ]
  }
}
