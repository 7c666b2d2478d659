import DeepfakeCore
import FaceDetect

/// The faces of a file that are judged, with their crops.
struct JudgedFaces {
  private let choice: Recipe.Faces
  private let crop: Recipe.Crop
  private let view: CropView
  private var store = CropStore()
  /// Where each face of a frame is in `faces`: what a track's sighting says of it.
  private var places: [[Int]: Int] = [:]
  private var frames = 0
  /// Rows without scores; whose faces they are, `people` finds out.
  private(set) var faces: [ScoreTable.Face] = []
  /// The longer side of each face's crop in pixels of the frame.
  private(set) var sides: [Int] = []
  /// Where each face's landmarks are in its crop, as parts of the crop's sides.
  private var landmarks: [[Point]] = []
  private(set) var framesWithFaces = 0
  /// The most faces that a frame had beyond those judged.
  private(set) var mostLeftOut = 0

  init(_ choice: Recipe.Faces, _ crop: Recipe.Crop, _ view: CropView) {
    self.choice = choice
    self.crop = crop
    self.view = view
  }

  /// A crop for each of `faces`.
  var crops: [Image] { store.crops }

  /// Chooses and cuts the faces of the next frame.
  mutating func add(_ frame: MediaFrame, _ found: [Face]) {
    if !found.isEmpty { framesWithFaces += 1 }
    let chosen = choice.choice(from: found)
    mostLeftOut = max(mostLeftOut, found.count - chosen.count)
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
        store.add(view(cut.image))
      }
    }
    frames += 1
  }

  /// Gives each face its person.
  ///
  /// - Returns: the people of whom a face is judged in at least one frame, in the order of their
  ///   numbers, without verdicts.
  mutating func people(_ tracks: [Track]) -> [VideoReport.Person] {
    tracks.compactMap { track in
      let own = track.sightings.compactMap { places[[$0.frame, $0.index]] }
      for place in own { faces[place].person = track.id }
      return own.isEmpty ? nil : VideoReport.Person(track, framesJudged: own.count)
    }
  }

  /// The crops with their landmarks, one for each of `faces`.
  var judgedCrops: [JudgedCrop] {
    zip(crops, landmarks).map { image, landmarks in
      JudgedCrop(
        image: image,
        landmarks: landmarks.map { $0.scaled(x: Float(image.width), y: Float(image.height)) })
    }
  }
}

extension VideoReport.Person {
  /// A person who is not judged yet.
  fileprivate init(_ track: Track, framesJudged: Int) {
    let (sightings, surest) = (track.sightings, track.surest)
    self.init(
      id: track.id, verdict: .undecided(.noFaces), framesSeen: sightings.count,
      framesJudged: framesJudged, firstTime: sightings.first?.time ?? 0,
      lastTime: sightings.last?.time ?? 0,
      surest: Sample(time: surest.time, box: surest.face.box, score: surest.face.score))
  }
}

/// A face as the networks saw it.
package struct JudgedCrop: Sendable {
  /// The face as the networks saw it.
  package var image: Image
  /// Left eye, right eye, nose, left and right corner of the mouth, in pixels of the crop; empty
  /// where the detector found none.
  package var landmarks: [Point]
}
