import DeepfakeCore
import FaceData
import Foundation

/// Pictures and which of them show one face, as far as that is known.
///
/// A sample with a person in the manifest shows that person and nobody else of those named. One
/// without may show anybody: what is known of it is only that the few files next to it in its
/// folder that look like the same shot show the same face.
package struct IdentityData: Sendable {
  /// The pictures.
  package let manifest: FaceManifest
  /// The samples of each named person, in order.
  package let people: [[Int]]
  /// The number of the person that each sample shows, in `people`; nil for those of which it is not
  /// known.
  let person: [Int?]
  /// The neighbours of each sample without a person that look like the same shot.
  package let neighbours: [Int: [Int]]

  /// Files on either side that count as neighbours.
  static let reach = 3
  /// The correlation of two sketches from which neighbours are taken for one shot. Pictures of
  /// different people that lie far apart reach it once in a thousand pairs.
  static let sameShot: Float = 0.8

  /// The data of a manifest. The pictures of samples without a person are read once.
  ///
  /// - Throws: `DatasetError` of the first picture that cannot be read.
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

  /// The face of each sample for a `ContrastiveLoss`.
  package func face(_ index: Int) -> FaceIdentity {
    person[index].map { FaceIdentity.person($0) } ?? .unknown(index)
  }
}

/// Whose face a view shows.
package enum FaceIdentity: Sendable, Hashable {
  /// One of the named people, each different from the others.
  case person(Int)
  /// Somebody who may be anybody else without a name, but none of the named people.
  case unknown(Int)

  /// Whether the two are known to be different people.
  package func differs(from other: FaceIdentity) -> Bool {
    if case .unknown = self, case .unknown = other { return false }
    return self != other
  }
}

extension IdentityData {
  /// A manifest in a part to learn from and one to judge by, as `HoldOut` splits it: by the
  /// manifest's column `split`, or else a fifth. Samples without a video stay without one.
  ///
  /// - Throws: `DatasetError` where nothing can be held out.
  package static func split(_ manifest: FaceManifest) throws(DatasetError) -> DataSplit {
    var split = try HoldOut().split(manifest)
    // Groups made up for samples that the manifest says nothing of would count as known otherwise.
    split.training = manifest.subset(having: split.training)
    split.heldOut = manifest.subset(having: split.heldOut)
    return split
  }
}
