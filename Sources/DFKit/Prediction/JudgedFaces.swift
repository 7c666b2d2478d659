import DeepfakeCore
import FaceDetect

/// The faces of a file that are judged, with their crops.
struct JudgedFaces {
  /// One of them.
  struct Face {
    /// The frame and the face's place in its list: what a track's sighting says of it.
    let frame: Int
    let index: Int
    let time: Double
    let box: Box
    /// The longer side of its crop in pixels of the frame.
    let side: Int
    /// Where its landmarks are in the crop, as parts of the crop's sides.
    let landmarks: [Point]
  }

  private let recipe: Recipe
  private let view: CropView
  private var store = CropStore()
  private(set) var faces: [Face] = []
  private(set) var framesWithFaces = 0
  /// The most faces that a frame had beyond those judged.
  private(set) var mostLeftOut = 0
  private var frames = 0

  init(_ recipe: Recipe, _ view: CropView) {
    self.recipe = recipe
    self.view = view
  }

  /// One crop for each of `faces`.
  var crops: [Image] { store.crops }

  /// Chooses and cuts the faces of the next frame.
  mutating func add(_ frame: MediaFrame, _ found: [FaceDetect.Face]) {
    if !found.isEmpty { framesWithFaces += 1 }
    let chosen = recipe.faces.choice(from: found)
    mostLeftOut = max(mostLeftOut, found.count - chosen.count)
    for index in chosen {
      let crop = StageTimes.measure(.crop) {
        recipe.crop.crop(found[index], from: frame.image, size: nil)
      }
      faces.append(
        Face(
          frame: frames, index: index, time: frame.time ?? 0, box: found[index].box,
          side: max(crop.image.width, crop.image.height),
          landmarks: crop.landmarks.map {
            $0.scaled(x: 1 / Float(crop.image.width), y: 1 / Float(crop.image.height))
          }))
      StageTimes.measure(.crop) { store.add(view(crop.image)) }
    }
    frames += 1
  }
}

/// A face as the networks saw it.
public struct JudgedCrop: Sendable {
  /// The crop.
  public var image: Image
  /// Left eye, right eye, nose, left and right corner of the mouth, in pixels of the crop; empty where the detector
  /// found none.
  public var landmarks: [Point]
}

extension JudgedFaces {
  /// The crops of the faces that belong to somebody.
  func judgedCrops(of candidates: [Candidate]) -> [JudgedCrop] {
    let places = Set(candidates.flatMap(\.places))
    return faces.indices.filter(places.contains).map { place in
      let image = crops[place]
      return JudgedCrop(
        image: image,
        landmarks: faces[place].landmarks.map {
          $0.scaled(x: Float(image.width), y: Float(image.height))
        })
    }
  }
}

/// A person of a file whose face is judged in at least one frame.
struct Candidate {
  let track: Track
  /// The places of its faces in `JudgedFaces.faces`, in the order of time.
  let places: [Int]

  /// The people to whom the faces belong, in the order of their numbers.
  static func all(_ tracks: [Track], _ faces: [JudgedFaces.Face]) -> [Candidate] {
    var placeOf: [[Int]: Int] = [:]
    for (place, face) in faces.enumerated() { placeOf[[face.frame, face.index]] = place }
    return tracks.compactMap { track in
      let places = track.sightings.compactMap { placeOf[[$0.frame, $0.index]] }
      guard !places.isEmpty else { return nil }
      return Candidate(track: track, places: places)
    }
  }
}
