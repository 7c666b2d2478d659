import DeepfakeCore
import FaceData
import Foundation

/// Pictures, and which of them show the same face, as far as that is known.
///
/// A sample with a person in the manifest shows that person and no other named person. A sample
/// without a person may show anybody. It is only known to show the same face as the few
/// neighbouring files in its folder that look like the same shot.
package struct IdentityData: Sendable {
  /// The pictures and what is known about them.
  package let manifest: FaceManifest
  /// The samples of each named person, in order.
  package let people: [[Int]]
  /// The index in `people` of each sample's person; nil if the person is unknown.
  let person: [Int?]
  /// For each sample without a person, the neighbours that look like the same shot.
  package let neighbours: [Int: [Int]]

  /// Number of files on each side that are considered as neighbours.
  static let reach = 3
  /// The correlation of two sketches from which neighbours count as one shot. Of pictures of
  /// different people that are far apart, one in a thousand pairs reaches it.
  static let sameShot: Float = 0.8

  /// Finds the people and the neighbours in a manifest. Pictures of samples without a person are
  /// read once.
  ///
  /// - Throws: `DatasetError` for the first picture that cannot be read.
  package init(_ manifest: FaceManifest) throws(DatasetError) {
    self.manifest = manifest
    let samples = manifest.samples
    var numbers: [String: Int] = [:]
    var people: [[Int]] = []
    var person: [Int?] = []
    var unknown: [Int] = []
    for (index, sample) in samples.enumerated() {
      guard let name = sample.person else {
        person.append(nil)
        unknown.append(index)
        continue
      }
      let number = numbers[name, default: people.count]
      if number == people.count {
        numbers[name] = number
        people.append([])
      }
      people[number].append(index)
      person.append(number)
    }
    self.people = people
    self.person = person
    let sketches = try PictureSketch.sketches(of: unknown, in: manifest)
    var neighbours: [Int: [Int]] = [:]
    for index in unknown {
      guard let sketch = sketches[index] else { continue }
      let folder = samples[index].file.deletingLastPathComponent()
      let near = max(0, index - Self.reach)..<min(samples.count, index + Self.reach + 1)
      neighbours[index] = near.filter { other in
        guard other != index, let there = sketches[other] else { return false }
        return sketch.correlation(with: there) >= Self.sameShot
          && samples[other].file.deletingLastPathComponent() == folder
      }
    }
    self.neighbours = neighbours
  }

  /// The face that a sample shows, for `ContrastiveLoss`.
  package func face(_ index: Int) -> FaceIdentity {
    person[index].map { FaceIdentity.person($0) } ?? .unknown(index)
  }
}

/// The face that a view shows.
package enum FaceIdentity: Sendable, Hashable {
  /// A named person. Different numbers are different people.
  case person(Int)
  /// An unnamed person, who may be the same as another unnamed one. It is assumed to be none of
  /// the named people.
  case unknown(Int)

  /// Whether the two faces are known to show different people.
  package func differs(from other: FaceIdentity) -> Bool {
    if case .unknown = self, case .unknown = other { return false }
    return self != other
  }
}

extension IdentityData {
  /// Divides a manifest into training and held-out samples with `HoldOut`: by the column `split`,
  /// or else a fifth is held out. Samples without a video still have none afterwards.
  ///
  /// - Throws: `DatasetError` if nothing can be held out.
  package static func split(_ manifest: FaceManifest) throws(DatasetError) -> DataSplit {
    var split = try HoldOut().split(manifest)
    // Restores the original samples: video names made up by `HoldOut` would count as known videos.
    split.training = manifest.subset(having: split.training)
    split.heldOut = manifest.subset(having: split.heldOut)
    return split
  }
}
