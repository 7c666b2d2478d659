import DFKit
import Foundation

// The examples in the doc comments of DFKit.

enum PredictionExamples {
  static func recipe() throws -> Recipe {
    var recipe = try Recipe.named("default")  // or a file of one's own: Recipe(contentsOf: file)
    recipe.frames = 50
    recipe.people.verdict = .mean
    print(recipe.members.map(\.name))
    return recipe
  }

  static func videoPredictor(_ clip: URL) throws {
    let predictor = try VideoPredictor(recipe: Recipe.named("default"))
    let report = try predictor.predict(clip)
    print(report.verdict.answer, report.verdict.probability ?? .nan)
  }

  static func predictionJob() throws {
    let job = try PredictionJob(predictor: VideoPredictor(recipe: Recipe.named("default")))
    let outcome = job.run(MediaFiles.expand(["clips/"])) { report in
      print(report.file, report.verdict.answer, report.error ?? "")
    }
    print("\(outcome.failures) files without an answer")
  }

  static func videoReport(_ predictor: VideoPredictor, _ clip: URL) throws {
    let report = try predictor.predict(clip)
    print("\(report.facesFound) faces in \(report.frames) frames: \(report.verdict.answer)")
    for person in report.people { print(person.id, person.verdict, person.fakeSpans) }
    for warning in report.warnings { print(warning) }
  }

  static func verdict(_ report: VideoReport) {
    switch report.verdict {
    case .real(let probability): print("real: P(fake) = \(probability)")
    case .fake(let probability): print("fake: P(fake) = \(probability)")
    case .undecided(let reason): print("undecided: \(reason.words)")
    }
  }

  static func memberFiles(_ detectorFile: URL) throws -> VideoPredictor {
    let recipe = try Recipe.named("dfdc-silver")
    // A folder of b6-200.safetensors and so on; or ["b6-200=first.pt", ...], a file a member.
    let weights = try MemberFiles(["networks/"], members: recipe.members)
    let predictor = try VideoPredictor(
      recipe: recipe, weights: weights, detectorWeights: detectorFile)
    return predictor
  }

  static func weightsSource() throws -> ClassifierModel {
    let weights = WeightsSource(argument: "runs/b4/best.safetensors")  // or a name, as "default"
    print(weights.name, try weights.digest())
    let model = try ClassifierModel(weights.read())
    return model
  }

  static func shippedWeights(_ photo: Image) throws {
    for weights in ShippedWeights.all { print(weights.name, weights.card?.about ?? "") }
    if let weights = ShippedWeights.named("face-detector") {
      let detector = try RetinaFace(weights: weights.read())
      print(try detector.detect([photo])[0].count, "faces")
    }
  }
}
