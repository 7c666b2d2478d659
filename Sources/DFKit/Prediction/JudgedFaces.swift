import Classifiers
import DeepfakeCore
import FaceDetect

/// Collects the faces of a file that are to be scored, with their crops.
struct JudgedFaces {
  private let choice: Recipe.Faces
  private let crop: Recipe.Crop
  private let view: CropView
  private var store = CropStore()
  /// The index in `faces` by frame number and the face's index in that frame, as in a track's
  /// sightings.
  private var places: [[Int]: Int] = [:]
  private var frames = 0
  /// The faces, without scores. Their `person` is 0 until `people` sets it.
  private(set) var faces: [ScoreTable.Face] = []
  /// The longer side of each face's crop, in pixels of the frame.
  private(set) var sides: [Int] = []
  /// The landmarks of each face in its crop, as fractions of the crop's sides.
  private var landmarks: [[Point]] = []
  private(set) var framesWithFaces = 0
  /// The number of faces without a crop of a later frame.
  private(set) var withoutLater = 0
  /// The largest number of faces in a frame that were not chosen.
  private(set) var maximumNotChosen = 0

  init(_ choice: Recipe.Faces, _ crop: Recipe.Crop, _ view: CropView) {
    self.choice = choice
    self.crop = crop
    self.view = view
  }

  /// The crop of each face in `faces`, with the later one.
  var crops: [MotionCrop] { store.motionCrops }

  /// Chooses the faces of the next frame and cuts them out.
  mutating func add(_ frame: MediaFrame, _ found: [Face]) {
    if !found.isEmpty { framesWithFaces += 1 }
    let chosen = choice.choice(from: found)
    maximumNotChosen = max(maximumNotChosen, found.count - chosen.count)
    for index in chosen {
      StageTimes.measure(.crop) {
        let cut = crop.crop(found[index], from: frame.image, size: nil)
        places[[frames, index]] = faces.count
        faces.append(
          ScoreTable.Face(frame: frames, time: frame.time ?? 0, person: 0, box: found[index].box))
        sides.append(max(cut.image.width, cut.image.height))
        landmarks.append(
          cut.landmarks.map {
            $0.scaled(x: 1 / Float(cut.image.width), y: 1 / Float(cut.image.height))
          })
        let later = crop.later(of: found[index], in: frame, size: nil)
        if later == nil { withoutLater += 1 }
        store.add(MotionCrop(cut.image, later: later).map { view($0) })
      }
    }
    frames += 1
  }

  /// Sets the person of each face.
  ///
  /// - Returns: The people with at least one chosen face, by `id`, without verdicts.
  mutating func people(_ tracks: [Track]) -> [VideoReport.Person] {
    tracks.compactMap { track in
      let own = track.sightings.compactMap { places[[$0.frame, $0.index]] }
      for place in own { faces[place].person = track.id }
      return own.isEmpty ? nil : VideoReport.Person(track, framesJudged: own.count)
    }
  }

  /// The crop and landmarks of each face in `faces`.
  var judgedCrops: [JudgedCrop] {
    zip(crops, landmarks).map { crop, landmarks in
      let (width, height) = (Float(crop.image.width), Float(crop.image.height))
      return JudgedCrop(
        image: crop.image, later: crop.later,
        landmarks: landmarks.map { $0.scaled(x: width, y: height) })
    }
  }
}

extension VideoReport.Person {
  /// A person without a verdict.
  fileprivate init(_ track: Track, framesJudged: Int) {
    let (sightings, surest) = (track.sightings, track.surest)
    self.init(
      id: track.id, verdict: .undecided(.noFaces), framesSeen: sightings.count,
      framesJudged: framesJudged, firstTime: sightings.first?.time ?? 0,
      lastTime: sightings.last?.time ?? 0,
      surest: Sample(time: surest.time, box: surest.face.box, score: surest.face.score))
  }
}

/// A crop as the networks saw it, with its landmarks.
package struct JudgedCrop: Sendable {
  package var image: Image
  /// The same place of a later frame; nil if none was read.
  package var later: Image?
  /// Left eye, right eye, nose, left and right corner of the mouth, in pixels of the crop. Empty if
  /// the detector found none.
  package var landmarks: [Point]

  /// The crop with its later one.
  var motion: MotionCrop { MotionCrop(image, later: later) }
}
