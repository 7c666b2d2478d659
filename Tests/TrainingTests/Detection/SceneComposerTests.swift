import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import TestSupport
import Testing
import Training

/// Scenes: the same for the same seed, and their faces where the pictures show them.
@Suite struct SceneComposerTests {
  private func scenes(
    _ folder: URL, count: Int = 40, size: Int = 128
  ) throws -> [DetectionScene] {
    let composer = SceneComposer(
      faces: try LabelledFaces(FaceManifest.read(folder)), size: size)
    return try (0..<count).map { index in
      var generator = SeededGenerator(seed: 7, label: "scene \(index)")
      return try composer.scene(using: &generator)
    }
  }

  @Test func scenesFollowFromTheGenerator() throws {
    try DrawnHeads.inFolder { folder in
      let first = try scenes(folder, count: 6)
      #expect(try scenes(folder, count: 6) == first)
      #expect(Set(first.map(\.image.pixels)).count == first.count)
    }
  }

  @Test func facesAreInTheScene() throws {
    try DrawnHeads.inFolder { folder in
      let scenes = try scenes(folder)
      let faces = scenes.flatMap(\.faces)
      #expect(faces.count > 40)
      #expect(scenes.contains { $0.faces.isEmpty })
      for face in faces {
        let box = face.box
        #expect(box.x1 >= 0 && box.y1 >= 0 && box.x2 <= 128 && box.y2 <= 128)
        #expect(max(box.width, box.height) >= 8)
        #expect(face.landmarks.count == 5)
        // Left is left, also in a mirror, and eyes are above the mouth.
        #expect(face.landmarks[0].x < face.landmarks[1].x)
        #expect(face.landmarks[0].y < face.landmarks[4].y)
      }
      let sides = faces.map { max($0.box.width, $0.box.height) }
      #expect((sides.min() ?? 0) < 20)
      #expect((sides.max() ?? 0) > 80)
    }
  }

  @Test func landmarksGoWithTheFace() throws {
    try DrawnHeads.inFolder { folder in
      // Between the eyes there is skin, which is lighter than the wall behind the head, whatever
      // the light.
      var lighter = 0
      var all = 0
      for scene in try scenes(folder, count: 60) {
        for face in scene.faces where min(face.box.width, face.box.height) > 40 {
          let points = face.landmarks
          let between = Point(
            x: (points[0].x + points[1].x) / 2, y: (points[0].y + points[1].y) / 2)
          func light(_ point: Point) -> Int? {
            let (x, y) = (Int(point.x), Int(point.y))
            guard (0..<128).contains(x), (0..<128).contains(y) else { return nil }
            let pixel = scene.image[x, y]
            return Int(pixel.red) + Int(pixel.green) + Int(pixel.blue)
          }
          guard let skin = light(between), let eye = light(points[0]), let other = light(points[1])
          else { continue }
          all += 1
          if skin > eye, skin > other { lighter += 1 }
        }
      }
      #expect(all > 10)
      // Some eyes are covered, or lost to noise and compression.
      #expect(Double(lighter) > 0.7 * Double(all))
    }
  }

  @Test func whatIsNoFaceIsRefused() throws {
    try DrawnHeads.inFolder { folder in
      let file = folder.appendingPathComponent("manifest.csv")
      for (line, word) in [
        ("face0.png,REAL,train,,", "neither"),
        ("face0.png,REAL,train,20 10 80 90,", "neither"),
        ("face0.png,REAL,train,20 10 20 90,38 40 62 40 50 52 40 70 60 70", "box"),
        ("face0.png,REAL,train,120 110 180 190,38 40 62 40 50 52 40 70 60 70", "box"),
        ("face0.png,REAL,train,0 0 1e30 1e30,38 40 62 40 50 52 40 70 60 70", "box"),
      ] {
        try Data("\(DrawnHeads.header)\n\(line)\n".utf8).write(to: file)
        let manifest = try FaceManifest.read(folder)
        do {
          _ = try LabelledFaces(manifest)
          Issue.record("\(line) was taken")
        } catch {
          #expect(word == "neither" || "\(error)".contains(word), "\(error)")
        }
      }
      // A picture that is not one is named.
      try Data("\(DrawnHeads.header)\n\(DrawnHeads.line("broken.png", "train"))\n".utf8)
        .write(to: file)
      try Data("no picture".utf8).write(to: folder.appendingPathComponent("broken.png"))
      do {
        _ = try scenes(folder, count: 3)
        Issue.record("a broken picture was taken")
      } catch {
        #expect("\(error)".contains("broken.png"))
      }
    }
  }
}
