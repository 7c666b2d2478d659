import Foundation

/// Labels from the folders of FaceForensics++ (Rössler et al. 2019):
/// `original_sequences/youtube/c23/videos/004.mp4` and
/// `manipulated_sequences/Deepfakes/c23/videos/004_982.mp4`. The latter is a fake of video 004 with
/// the face, or the expressions, of the person of video 982.
///
/// Videos are named `youtube/004`, `Deepfakes/004_982`; `variant` is the compression.
package struct FaceForensicsLabels: LabelSource {
  /// The name in messages.
  package let name = "FaceForensics++'s folders"

  /// Methods that change the expression but not the person.
  private static let reenactments: Set<String> = ["Face2Face", "NeuralTextures"]
  private static let compressions: Set<String> = ["raw", "c0", "c23", "c40"]

  /// A source that uses only paths; it reads no file.
  package init() {}

  /// The label by the video's folders and name; nil outside FaceForensics++'s folders. Videos of
  /// masks are left out.
  package func answer(for file: URL) -> LabelAnswer? {
    let path = VideoPath(file)
    let roots = ["original_sequences", "manipulated_sequences"]
    guard let root = path.folders.lastIndex(where: roots.contains),
      root + 2 < path.parts.count
    else { return nil }
    let method = path.parts[root + 1]
    let between = path.parts[(root + 2)...].dropLast()
    if between.contains("masks") { return .leftOut("FaceForensics++'s masks") }
    let isFake = path.parts[root] == roots[1]
    var result = VideoLabel(
      isFake ? .fake : .real, video: "\(method)/\(path.stem)", file: path.path(from: root))
    result.variant = between.first(where: Self.compressions.contains)
    result.origin = "faceforensics"
    if isFake {
      (result.original, result.person) = Self.source(of: path.stem, method)
    } else {
      result.person = Self.person(Self.actor(path.stem).map { "actor-\($0)" } ?? path.stem)
    }
    return .label(result)
  }

  /// The real video that a fake was made from and the person seen in the fake.
  private static func source(
    of stem: String, _ method: String
  ) -> (original: String?, person: String?) {
    // TARGET_SOURCE, or for actors TARGET_SOURCE__SCENE__CODE.
    let words = stem.components(separatedBy: "__")
    let pair = words[0].split(separator: "_").map(String.init)
    guard pair.count == 2 else { return (nil, nil) }
    let prefix = words.count > 1 ? "actor-" : ""
    let seen = reenactments.contains(method) ? pair[0] : pair[1]
    let original = words.count > 1 ? "actors/\(pair[0])__\(words[1])" : "youtube/\(pair[0])"
    return (original, person(prefix + seen))
  }

  /// The actor's number, such as 01 in `01__talking`; nil if the video is not of an actor.
  private static func actor(_ stem: String) -> String? {
    let words = stem.components(separatedBy: "__")
    return words.count > 1 ? words[0] : nil
  }

  private static func person(_ name: String) -> String { "faceforensics/\(name)" }
}
