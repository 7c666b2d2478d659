import DFKit
import Foundation
import TestSupport
import Testing

/// What is done with scores that nothing makes probabilities.
@Suite struct UncalibratedTests {
  /// A recipe with weights that have no calibration, as training leaves them.
  private func recipe(_ verdict: String = "", calibration: String = "") throws -> Recipe {
    try Paths.withTemporaryFolder { folder in
      try Data().write(to: folder.appendingPathComponent("only.safetensors"))
      var recipe = try Recipe(
        yaml: """
          name: tiny
          members:
            - name: only
              architecture: efficientnet-b0
          \(calibration)
          \(verdict)
          """, file: "tiny.yaml")
      recipe.noteCalibration(of: try MemberFiles([folder.path], members: recipe.members))
      return recipe
    }
  }

  @Test func theyGetARangeThatIsUndecided() throws {
    let plain = try recipe()
    #expect(plain.verdict.isCalibrated == false)
    #expect(plain.verdict.undecided == Recipe.Decision.uncalibratedRange)
    let own = try recipe("verdict: {undecided: [0.3, 0.7]}")
    #expect(own.verdict.undecided == 0.3...0.7)
    let none = try recipe("verdict: {undecided: none}")
    #expect(none.verdict.undecided == nil && none.verdict.isCalibrated == false)
    #expect(try Recipe(yaml: none.yaml, file: "").verdict.hasNoUndecidedRange)
    let calibrated = try recipe(calibration: "aggregation: {calibration: {scale: 1.2}}")
    #expect(calibrated.verdict.isCalibrated == true && calibrated.verdict.undecided == nil)
    // What ships is calibrated.
    var shipped = try Recipe.named("default")
    let range = shipped.verdict.undecided
    shipped.noteCalibration(of: try MemberFiles([], members: shipped.members))
    #expect(shipped.verdict.isCalibrated == true && shipped.verdict.undecided == range)
  }

  @Test func theReportSaysSo() throws {
    let recipe = try recipe()
    let maker = VerdictMaker(recipe, try recipe.combination())
    let file = Evaluated.file("a.mp4", .real, [[0.58, 0.58, 0.58]], maker)
    #expect(file.report.verdict == .undecided(.unsure(probability: 0.58)))
    #expect([file.report].table().contains("too close to 0.5; not calibrated"))
    #expect(file.report.json.text.contains("\"calibrated\": false"))
    let sure = Evaluated.file("b.mp4", .fake, [[0.9, 0.9, 0.9]], maker)
    #expect(sure.report.verdict.answer == .fake)
    #expect([sure.report].table().hasSuffix("not calibrated"))
    // Where there is no probability, there is nothing to say of it.
    let empty = Evaluated.file("c.mp4", .real, [], maker)
    #expect(![empty.report].table().contains("calibrated"))
    let report = EvaluationReport([file, sure], maker)
    #expect(report.text.contains("This recipe is not calibrated"))
    #expect(report.json.text.contains("\"calibrated\": false"))
    var known = recipe
    known.verdict.isCalibrated = true
    let other = VerdictMaker(known, try known.combination())
    let answer = Evaluated.file("d.mp4", .fake, [[0.9, 0.9, 0.9]], other).report
    #expect(![answer].table().contains("calibrated"))
    #expect(answer.json.text.contains("\"calibrated\": true"))
  }
}
