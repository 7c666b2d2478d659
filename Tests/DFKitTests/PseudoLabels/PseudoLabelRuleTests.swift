import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct PseudoLabelRuleTests {
  private func manifest(
    _ count: Int, video: (Int) -> String? = { _ in nil }, person: (Int) -> String? = { _ in nil }
  ) -> FaceManifest {
    FaceManifest(
      (0..<count).map { index in
        var sample = FaceSample(path: "\(index).png", label: .real)
        sample.video = video(index)
        sample.person = person(index)
        return sample
      })
  }

  @Test func onlySureFacesAreKept() {
    var rule = PseudoLabelRule()
    rule.isBalanced = false
    let probabilities: [Float?] = [0.9, 0.89, 0.1, 0.11, nil, 0.5, 0.99, 0]
    #expect(rule.choice(manifest(8), probabilities) == [0, 2, 6, 7])
    rule.sure = 0.99
    // 1 - 0.01 is less than 0.99 in floating point; the clip of a recipe must count as sure.
    #expect(rule.choice(manifest(4), [0.99, 0.01, 0.98, 0.02]) == [0, 1])
    rule.sure = 0.5
    #expect(rule.choice(manifest(8), probabilities) == [0, 1, 2, 3, 5, 6, 7])
    rule.sure = 1
    #expect(rule.choice(manifest(3), [1, 0, 0.999]) == [0, 1])
    #expect(rule.choice(manifest(2), [0.6, nil]).isEmpty)
  }

  @Test func asManyFakesAsRealsTheSurestOnes() {
    let rule = PseudoLabelRule()
    let probabilities: [Float?] = [0.91, 0.97, 0.93, 0.99, 0.05, 0.02]
    #expect(rule.choice(manifest(6), probabilities) == [1, 3, 4, 5])
    #expect(rule.choice(manifest(2), [0.95, 0.99]).isEmpty)
    // Equally sure ones are not taken by their place in the file, but the same ones every time.
    let many = manifest(400)
    let equal = (0..<400).map { Float?.some($0 < 300 ? 0.99 : 0.01) }
    let kept = rule.choice(many, equal)
    #expect(kept.count == 200 && kept.filter { $0 < 300 }.count == 100)
    #expect(kept.contains { (150..<300).contains($0) })
    #expect(kept == rule.choice(many, equal) && kept == kept.sorted())
  }

  @Test func noVideoDominates() {
    var rule = PseudoLabelRule()
    rule.isBalanced = false
    rule.perVideo = 2
    let probabilities: [Float?] = [0.95, 0.97, 0.96, 0.99, 0.01, 0.02, 0.91, 0.92]
    // The first six are of one video, which is called real twice; the last two are of another.
    let videos = manifest(8, video: { $0 < 6 ? "a" : "b" })
    #expect(rule.choice(videos, probabilities) == [1, 3, 4, 5, 6, 7])
    // A person counts where no video is known; where nothing is known, there is no limit.
    let people = manifest(8, person: { $0 < 6 ? "p" : nil })
    #expect(rule.choice(people, probabilities) == [1, 3, 4, 5, 6, 7])
    #expect(rule.choice(manifest(8), probabilities).count == 8)
    rule.perVideo = 1
    #expect(rule.choice(videos, probabilities) == [3, 4, 7])
    // What is balanced is what the videos leave.
    rule.isBalanced = true
    #expect(rule.choice(videos, probabilities) == [3, 4])
    rule.perVideo = nil
    #expect(rule.choice(videos, probabilities) == [1, 3, 4, 5])
  }
}
