import DFKit
import Foundation

func screen(_ clip: URL) throws -> VideoReport {
  let predictor = try VideoPredictor(recipe: Recipe.named("default"))
  let report = try predictor.predict(clip)
  for person in report.people { print(person.id, person.verdict, person.fakeSpans) }
  return report
}
