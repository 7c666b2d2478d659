import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import TestSupport
import Training

/// Drawn faces, and manifests of them.
enum DrawnHeads {
  /// A head of 60 x 80 pixels in a picture of 100 x 100, in colours of the seed's.
  static func picture(_ seed: UInt64) -> Image {
    var generator = SeededGenerator(seed: seed)
    func shade(_ range: ClosedRange<Int>) -> UInt8 {
      UInt8(Int.random(in: range, using: &generator))
    }
    var image = Image(width: 100, height: 100) { $0.initialize(repeating: shade(0...90)) }
    let skin = Color(red: shade(190...250), green: shade(140...180), blue: shade(110...140))
    image.drawLine(fromX: 50, fromY: 40, toX: 50, toY: 60, color: skin, thickness: 60)
    for point in landmarks.prefix(2) {
      image.drawDisc(x: point.x, y: point.y, radius: 6, color: .white)
      image.drawDisc(x: point.x, y: point.y, radius: 3, color: .black)
    }
    image.drawDisc(x: 50, y: 52, radius: 4, color: Color(red: 160, green: 100, blue: 80))
    image.drawLine(
      fromX: landmarks[3].x, fromY: landmarks[3].y, toX: landmarks[4].x, toY: landmarks[4].y,
      color: .red, thickness: 5)
    return image
  }

  static let box = Box(x1: 20, y1: 10, x2: 80, y2: 90)
  static let landmarks = [(38, 40), (62, 40), (50, 52), (40, 70), (60, 70)].map {
    Point(x: Float($0.0), y: Float($0.1))
  }

  /// The line of a manifest.
  static func line(_ name: String, _ split: String) -> String {
    let points = landmarks.map { "\($0.x) \($0.y)" }.joined(separator: " ")
    return "\(name),REAL,\(split),\(box.x1) \(box.y1) \(box.x2) \(box.y2),\(points)"
  }

  static let header = "path,label,split,box,landmarks"

  /// Calls `body` with a folder of eight faces, two of them held out, and a `manifest.csv`.
  static func inFolder<R>(_ body: (URL) throws -> R) throws -> R {
    try Paths.withTemporaryFolder { folder in
      var lines = [header]
      for index in 0..<8 {
        let name = "face\(index).png"
        try ImageFile.write(
          picture(UInt64(index)), to: folder.appendingPathComponent(name))
        lines.append(line(name, index < 6 ? "train" : "validation"))
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: folder.appendingPathComponent("manifest.csv"))
      return try body(folder)
    }
  }
}
