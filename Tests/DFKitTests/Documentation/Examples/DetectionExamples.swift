import DFKit
import Foundation

// The examples in the doc comments of FaceDetect.

enum DetectionExamples {
  static func box() -> Float {
    let box = Box(x1: 10, y1: 10, x2: 30, y2: 50)
    let other = Box(x1: 20, y1: 10, x2: 40, y2: 50)
    let overlap = box.intersectionOverUnion(with: other)
    print(box.area, overlap)  // 800.0 0.33333334
    return overlap
  }

  static func face(_ detector: any FaceDetector, _ photo: Image) throws {
    for face in try detector.detect([photo])[0] where face.score > 0.9 {
      print(face.box.center, face.box.width, face.landmarks)
    }
  }

  struct WholePicture: FaceDetector {
    func detect(_ frames: [Image]) throws -> [[Face]] {
      frames.map { frame in
        let box = Box(x1: 0, y1: 0, x2: Float(frame.width), y2: Float(frame.height))
        return [Face(box: box, score: 1)]
      }
    }
  }

  static func retinaFace(_ file: URL, _ photo: Image) throws -> [Face] {
    var options = RetinaFace.Options()
    options.threshold = 0.8
    let detector = try RetinaFace(weights: StateDict.read(file), options: options)
    let faces = try detector.detect([photo])[0]
    return faces
  }

  static func mtcnn(_ folder: URL, _ photo: Image) throws -> [Face] {
    var options = MTCNN.Options()
    options.minimumFaceSize = 40
    let detector = try MTCNN(weights: MTCNN.readWeights(folder), options: options)
    let faces = try detector.detect([photo])[0]
    return faces
  }

  static func frameScale() -> RetinaFace.Options {
    var options = RetinaFace.Options()
    options.frameScale = 0.5
    options.frameScale = .auto
    return options
  }

  static func detectorFamily(_ file: URL) throws -> any FaceDetector {
    DetectorFamilies.register(MyDetectorFamily())
    let weights = try StateDict.read(file)
    let detector = try DetectorFamilies.detector(of: weights)
    return detector
  }

  /// The family that an example registers: no weights are its own.
  private struct MyDetectorFamily: DetectorFamily {
    let name = "mine"
    let title = "Mine"
    let storeEntries: [String] = []

    func recognised(_ weights: StateDict) -> DetectorWeights? { nil }
    func converted(_ weights: StateDict) -> StateDict { weights }
    func makeDetector(_ weights: StateDict, _ settings: DetectorSettings) -> any FaceDetector {
      WholePicture()
    }
  }
}
