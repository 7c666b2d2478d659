import DFKit
import Foundation

// The examples in the doc comments of MediaIO.

enum MediaExamples {
  static func video(_ clip: URL) throws {
    let video = try Video(clip)
    print(video.info.width, video.info.height, video.info.frameRate ?? 0)
    let summary = try video.evenlySpacedFrames(25) { frame in
      print(frame.index, frame.time, frame.image[0, 0])
    }
    print(summary.warnings)
  }

  static func videoFrame(_ clip: URL, _ folder: URL) throws {
    try Video(clip).forEachFrame(stride: 30) { frame in
      let file = folder.appendingPathComponent("\(frame.index).png")
      try ImageFile.write(frame.image, to: file)
    }
  }

  static func imageFile(_ file: URL) throws {
    let photo = try ImageFile.read(file)
    let small = photo.resized(width: photo.width / 2, height: photo.height / 2, method: .area)
    try ImageFile.write(small, to: URL(fileURLWithPath: "small.jpg"), format: .jpeg(quality: 90))
  }

  static func mediaFiles() {
    let found = MediaFiles.expand(["clips/", "photos/*.jpg"])
    for file in found.files { print(file.path) }
    for problem in found.problems { print(problem) }
  }
}
