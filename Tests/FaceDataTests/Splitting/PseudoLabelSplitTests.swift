import FaceData
import Foundation
import Measures
import TestSupport
import Testing

@Suite struct PseudoLabelSplitTests {
  private func sample(
    _ path: String, _ label: FaceLabel, person: String? = nil, video: String? = nil,
    split: String? = nil, fold: Int? = nil, probability: Float? = nil
  ) -> FaceSample {
    var sample = FaceSample(path: path, label: label)
    sample.person = person
    sample.video = video
    sample.split = split
    sample.fold = fold
    sample.probability = probability
    return sample
  }

  /// Two labelled samples of each of forty people.
  private var labelled: [FaceSample] {
    (0..<80).map { sample("l\($0).jpg", $0 % 2 == 0 ? .real : .fake, person: "p\($0 / 2)") }
  }

  /// Pseudo-labelled samples of the first twenty of these, of twenty others, and of nobody known.
  private var pseudo: [FaceSample] {
    (0..<60).map { index in
      sample(
        "s\(index).jpg", index % 3 == 0 ? .fake : .real,
        person: index < 40 ? "p\(index < 20 ? index : index + 100)" : nil,
        probability: index % 3 == 0 ? 0.95 : 0.02)
    }
  }

  private func paths(_ manifest: FaceManifest) -> Set<String> { Set(manifest.samples.map(\.path)) }

  @Test func theyNeitherAreHeldOutNorChangeWhatIs() throws {
    let plain = try HoldOut().split(FaceManifest(labelled))
    let both = try HoldOut().split(FaceManifest(pseudo + labelled))
    #expect(paths(both.heldOut) == paths(plain.heldOut))
    #expect(both.heldOut.pseudoLabelledCount == 0 && both.rule == plain.rule)
    #expect(paths(both.training.withKnownLabels) == paths(plain.training))
    // Those of held-out people are used by nobody, the others are all learned from.
    let people = Set(both.heldOut.samples.compactMap(\.person))
    let barred = pseudo.filter { $0.person.map(people.contains) ?? false }
    #expect(!barred.isEmpty && both.pseudoLabelledLeftOut == barred.count)
    #expect(both.leftOut == barred.count)
    #expect(both.training.pseudoLabelledCount == pseudo.count - barred.count)
    #expect(paths(both.training).isDisjoint(with: barred.map(\.path)))
  }

  @Test func theColumnOfTheLabelledOnesDecides() throws {
    let samples = [
      sample("a", .real, person: "p", split: "train"),
      sample("b", .real, person: "q", video: "v", split: "validation"),
      sample("c", .fake, person: "r", split: "test"),
      sample("d", .fake, person: "x", split: "unused"),
      sample("1", .real, person: "p", probability: 0.1),
      sample("2", .real, person: "q", probability: 0.1),
      sample("3", .real, video: "v", probability: 0.1),
      sample("4", .fake, person: "r", probability: 0.9),
      sample("5", .fake, person: "x", probability: 0.9),
      sample("6", .fake, split: "validation", probability: 0.9),
      sample("7", .fake, split: "train", probability: 0.9),
      sample("8", .fake, probability: 0.9),
    ]
    let split = try HoldOut().split(FaceManifest(samples))
    #expect(paths(split.training) == ["a", "1", "5", "7", "8"])
    #expect(paths(split.heldOut) == ["b"])
    #expect(split.leftOut == 6 && split.pseudoLabelledLeftOut == 4 && split.rule == .column)
  }

  @Test func noFoldHoldsThemOut() throws {
    let samples = [
      sample("a", .real, person: "p", fold: 1), sample("b", .real, person: "q", fold: 2),
      sample("1", .real, person: "p", probability: 0.1),
      sample("2", .real, person: "q", probability: 0.1),
      sample("3", .real, fold: 2, probability: 0.1), sample("4", .real, probability: 0.1),
    ]
    var holdOut = HoldOut()
    holdOut.fold = 2
    let split = try holdOut.split(FaceManifest(samples))
    #expect(paths(split.training) == ["a", "1", "4"] && paths(split.heldOut) == ["b"])
  }

  @Test func aStudentMayLearnFromThemAlone() throws {
    let samples = [
      sample("a", .real, person: "p", split: "validation"),
      sample("1", .real, probability: 0.1), sample("2", .fake, probability: 0.9),
    ]
    let split = try HoldOut().split(FaceManifest(samples))
    #expect(paths(split.training) == ["1", "2"] && paths(split.heldOut) == ["a"])
    let error = #expect(throws: DatasetError.self) {
      try HoldOut().split(FaceManifest(pseudo))
    }
    #expect(error?.description.contains("a teacher gave all labels") == true)
  }

  @Test func neighboursOfHeldOutFilesAreLeftOut() throws {
    // Frames of no known video: every fourth of a folder has a pseudo-label.
    let samples = (0..<400).map { index in
      sample("d/\(index).jpg", .real, probability: index % 4 == 0 ? 0.05 : nil)
    }
    let split = try HoldOut().split(FaceManifest(samples))
    #expect(split.heldOut.pseudoLabelledCount == 0 && !split.heldOut.isEmpty)
    func numbers(_ manifest: FaceManifest) -> [Int] {
      manifest.samples.compactMap { Int($0.path.dropFirst(2).dropLast(4)) }
    }
    let learned = Set(numbers(split.training))
    for number in numbers(split.heldOut) { #expect(!learned.contains(number / 4 * 4)) }
    #expect(split.training.pseudoLabelledCount > 0 && split.pseudoLabelledLeftOut > 0)
  }
}
