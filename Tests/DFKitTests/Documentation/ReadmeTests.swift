import DFKit
import Foundation
import TestSupport
import Testing

// The README's example, compiled here; a test below compares the two.
func screen(_ clip: URL) throws -> VideoReport {
  let predictor = try VideoPredictor(recipe: Recipe.named("default"))
  let report = try predictor.predict(clip)
  for person in report.people { print(person.id, person.verdict, person.fakeSpans) }
  return report
}

// That of Docs/Training.md, likewise.
func train(_ folder: URL, to output: URL) throws {
  let manifest = try FaceManifest.read(folder)
  let split = try HoldOut(fraction: 0.2).split(manifest)
  var settings = ClassifierSettings(.efficientNetB0, norm: .group)
  settings.input.size = 128
  var options = TrainingOptions()
  options.epochs = 10
  let trainer = Trainer(TrainableNetwork(settings, dropout: 0.4), options)
  let result = try trainer.run(
    training: split.training, validation: split.heldOut, in: RunFolder(output))
  print(result.epochs.last?.frames?.logLoss as Any)
}

// What it says of fakes, likewise.
func showFakes(_ folder: URL) throws {
  let whole = try FaceManifest.read(folder).withMadeFakes()
  var settings = FaceLoader.Options(batchSize: 20, input: InputSpec(size: 128))
  settings.blending.donor = 0.3
  let order = try Sampler(whole, order: .balanced, madeShare: 0.5, seed: 1).indices(epoch: 0)
  let loader = FaceLoader(whole, order: order, settings)
  while let batch = try loader.next() { print(batch.images.shape, batch.labels.scalars) }
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
    #expect(throws: MediaError.self) { try screen(URL(fileURLWithPath: "/nowhere/a.mp4")) }
    let sample = Paths.package.appendingPathComponent("Examples/sample.mp4")
    #expect(try screen(sample).people.contains { $0.framesJudged > 20 })
  }

  @Test func theExampleOfTrainingIsTheOneCompiledHere() throws {
    let blocks = try text("Docs/Training.md").components(separatedBy: "```swift\n")
    try #require(blocks.count == 3)
    let own = try text("Tests/DFKitTests/Documentation/ReadmeTests.swift")
    for block in blocks.dropFirst() {
      let example = try #require(block.components(separatedBy: "```").first)
      let indented = example.split(separator: "\n").map { "  \($0)\n" }.joined()
      #expect(own.contains(indented))
    }
    let nowhere = URL(fileURLWithPath: "/nowhere")
    #expect(throws: DatasetError.self) { try train(nowhere, to: nowhere) }
    #expect(throws: DatasetError.self) { try showFakes(nowhere) }
  }

  @Test func theReferenceOfRecipesIsThatOfTheProgram() throws {
    let formats = try text("Docs/Formats.md")
    #expect(
      formats.contains(Recipe.reference),
      "Docs/Formats.md does not have what 'dfkit recipe keys' prints")
    for name in Augmentation.operationNames { #expect(formats.contains("`\(name)`"), "\(name)") }
  }
}
