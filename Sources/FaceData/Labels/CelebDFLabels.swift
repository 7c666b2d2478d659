import Foundation

/// Labels from the folders of Celeb-DF (Li et al. 2020): `Celeb-real/id3_0002.mp4`,
/// `YouTube-real/00017.mp4`, and `Celeb-synthesis/id3_id9_0002.mp4`, which is a fake of the first
/// with the face of person 9.
package struct CelebDFLabels: LabelSource {
  /// The name in messages.
  package let name = "Celeb-DF's folders"

  /// A source that uses only paths; it reads no file.
  package init() {}

  /// The label by the video's folder and name; nil outside Celeb-DF's folders.
  package func answer(for file: URL) -> LabelAnswer? {
    let path = VideoPath(file)
    let roots = ["Celeb-real", "YouTube-real", "Celeb-synthesis"]
    guard let root = path.folders.lastIndex(where: roots.contains) else { return nil }
    let folder = path.parts[root]
    let isFake = folder == roots[2]
    var result = VideoLabel(
      isFake ? .fake : .real, video: "\(folder)/\(path.stem)", file: path.path(from: root))
    result.origin = "celeb-df"
    let words = path.stem.split(separator: "_").map(String.init)
    if isFake, words.count == 3 {
      result.original = "Celeb-real/\(words[0])_\(words[2])"
      result.person = "celeb-df/\(words[1])"
    } else if folder == roots[0], words.count == 2 {
      result.person = "celeb-df/\(words[0])"
    }
    return .label(result)
  }
}
