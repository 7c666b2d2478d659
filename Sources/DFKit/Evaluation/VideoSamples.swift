import DeepfakeCore
import FaceDetect
import Training

/// The face crops of one video, or of what stands in for it.
struct VideoSamples {
  /// The video, the group or the crop.
  var name: String
  var label: FaceLabel
  /// What is drawn as one for intervals (`FaceManifest.groups`).
  var group: String
  /// The collection.
  var source: String?
  /// In the order of time, as far as that is known.
  var samples: [FaceSample] = []

  /// The videos of a manifest, in the order in which they come; what a real video and a fake one
  /// name are stay two.
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
      // A stable order: crops of one time stay as they come.
      let times = videos[index].samples.map { $0.time ?? 0 }
      let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
      videos[index].samples = order.map { videos[index].samples[$0] }
    }
    return videos
  }

  /// The row of a sample, whose picture is given, without scores. Crops of one time are of one
  /// frame.
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
  /// What is judged as one with this crop: its video; where that is not known, its group; where
  /// neither is, it alone.
  var judgedWith: String { video ?? group ?? path }
}

extension VideoReport {
  /// A report on crops, whose scores are given: all are one person's, and each counts as a frame.
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
