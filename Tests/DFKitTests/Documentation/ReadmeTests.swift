import DFKit
import Foundation
import TestSupport
import Testing

// The README's example, compiled here; a test below compares the two.
func screen(_ clip: URL, weights: String, detectorWeights: URL) throws -> VideoReport {
  let recipe = try Recipe.named("dfdc-silver")
  let predictor = try VideoPredictor(
    recipe: recipe, weights: MemberFiles([weights], members: recipe.members),
    detectorWeights: detectorWeights)
  let report = try predictor.predict(clip)
  for person in report.people { print(person.id, person.verdict, person.fakeSpans) }
  return report
}

@Suite struct ReadmeTests {
  private func text(_ path: String) throws -> String {
    try String(contentsOf: Paths.package.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func theExampleIsTheOneCompiledHere() throws {
    let readme = try text("README.md")
    let blocks = readme.components(separatedBy: "```swift\nimport DFKit\n\n")
    try #require(blocks.count == 2)
    let example = try #require(blocks[1].components(separatedBy: "```").first)
    #expect(try text("Tests/DFKitTests/Documentation/ReadmeTests.swift").contains(example))
    #expect(throws: MemberFilesError.self) {
      try screen(
        URL(fileURLWithPath: "a.mp4"), weights: "/nowhere",
        detectorWeights: URL(fileURLWithPath: "/nowhere"))
    }
  }

  @Test func documentedRecipeKeysAreTheKnownOnes() throws {
    let formats = try text("Docs/Formats.md")
    for key in [
      "frames", "detector.kind", "detector.frameScale", "detector.threshold", "detector.nms",
      "detector.minFace", "faces.perFrame", "faces.choose", "faces.minFrames", "crop.shape",
      "crop.margin", "people.verdict", "people.minFrames", "people.minShare", "members",
      "aggregation.frames",
      "aggregation.models", "aggregation.clip",
      "training",
    ] {
      #expect(formats.contains("| `\(key)` |"), "\(key)")
    }
    for name in AggregatorName.forms { #expect(formats.contains("`\(name)`"), "\(name)") }
    for scheme in Scheme.allCases { #expect(formats.contains("`\(scheme.rawValue)`")) }
  }
}
