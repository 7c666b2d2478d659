import DFKit
import Foundation
import TestSupport
import Testing

/// Files of known truth whose faces got given scores.
enum Evaluated {
  static let recipe = Recipe(
    name: "toy", members: [.init(name: "a", architecture: .efficientNetB0)])

  static func maker(undecided: ClosedRange<Float>? = nil) throws -> VerdictMaker {
    var recipe = recipe
    recipe.verdict.undecided = undecided
    return VerdictMaker(recipe, try recipe.combination())
  }

  /// A file whose people have these scores, one list a person, a frame an entry; members give the
  /// same unless `second` says what another one gives.
  static func file(
    _ name: String, _ label: FaceLabel, _ people: [[Float]], second: Float? = nil,
    group: String? = nil, source: String? = nil, side: Float = 100,
    _ maker: VerdictMaker
  ) -> EvaluatedFile {
    var report = VideoReport(file: name, verdict: .undecided(.noFaces))
    report.frames = people.map(\.count).max() ?? 0
    report.facesFound = report.frames
    report.scores.members = [.init("a")] + (second == nil ? [] : [.init("b")])
    let box = Box(x1: 0, y1: 0, x2: side, y2: side)
    for (index, scores) in people.enumerated() {
      report.people.append(
        .init(
          id: index + 1, verdict: .undecided(.noFaces), framesSeen: scores.count,
          framesJudged: scores.count, firstTime: 0, lastTime: Double(scores.count),
          surest: .init(time: 0, box: box, score: 1)))
      for (frame, score) in scores.enumerated() {
        report.scores.faces.append(
          .init(
            frame: frame, time: Double(frame), person: index + 1, box: box,
            scores: [score] + (second.map { [$0] } ?? [])))
      }
    }
    report.scores.faces.sort { ($0.time, $0.person) < ($1.time, $1.person) }
    maker.decide(&report)
    return EvaluatedFile(
      name: name, label: label, group: group ?? name, source: source, report: report)
  }
}

@Suite("Evaluation: figures") struct EvaluationReportTests {
  private func isClose(_ found: Double, _ expected: Double) -> Bool {
    abs(found - expected) < 1e-6
  }

  @Test func framesPeopleAndVideosAreCounted() throws {
    let maker = try Evaluated.maker()
    let files = [
      Evaluated.file("a", .fake, [[0.9, 0.8, 0.7], [0.2, 0.2, 0.2]], maker),
      Evaluated.file("b", .real, [[0.1, 0.2, 0.3]], maker),
      Evaluated.file("c", .real, [], maker),
    ]
    let report = EvaluationReport(files, maker)
    #expect(report.levels.map { $0.real + $0.fake } == [9, 3, 3])
    let videos = try #require(report.levels.last)
    #expect(videos.coverage == 2.0 / 3)
    // The file without faces is left out of one and counts as 0.5 in the other.
    #expect(isClose(videos.answered[.logLoss].value, -log(0.8)))
    #expect(isClose(videos.all[.logLoss].value, -(2 * log(0.8) + log(0.5)) / 3))
    #expect(videos.all[.auc].value == 1 && videos.all[.accuracy].value == 2.0 / 3)
    #expect(isClose(report.levels[0].all[.auc].value, 13.5 / 18))
    #expect(report.groups == 3)
  }

  @Test(arguments: [Recipe.People.Rule.highest, .together])
  func whoIsSeenOnceIsNoUnit(_ rule: Recipe.People.Rule) throws {
    var recipe = Evaluated.recipe
    recipe.people.verdict = rule
    let maker = VerdictMaker(recipe, try recipe.combination())
    let ten = [Float](repeating: 0.1, count: 20)
    let files = [
      // A false alarm of the detector, and somebody who passes by.
      Evaluated.file("a", .real, [ten, [0.9], [0.8, 0.8, 0.8]], maker),
      Evaluated.file("b", .fake, [[0.9, 0.9, 0.9]], maker),
    ]
    let report = EvaluationReport(files, maker)
    let people = report.levels[1]
    #expect(people.real == 1 && people.fake == 1 && people.coverage == 1)
    #expect(people.all[.accuracy].value == 1)
    #expect(!report.slices.contains { $0.facet == .people })
  }

  @Test func whatIsTooCloseToCallHasNoAnswer() throws {
    let maker = try Evaluated.maker(undecided: 0.3...0.7)
    let files = [
      Evaluated.file("a", .fake, [[0.6, 0.6, 0.6]], maker),
      Evaluated.file("b", .real, [[0.1, 0.1, 0.1]], maker),
    ]
    let videos = try #require(EvaluationReport(files, maker).levels.last)
    #expect(videos.coverage == 0.5 && videos.answered[.auc].value.isNaN)
    #expect(isClose(videos.all[.logLoss].value, -(log(0.6) + log(0.9)) / 2))
    #expect(isClose(videos.undecidedAsHalf[.logLoss].value, -(log(0.5) + log(0.9)) / 2))
    #expect(EvaluationReport(files, maker).text.contains("answered"))
    // One group tells no interval.
    let alone = EvaluationReport([files[0]], maker)
    #expect(alone.levels[2].all[.logLoss].interval == nil)
    #expect(alone.text.hasPrefix("1 video, 0 real and 1 fake, in 1 group\n"))
  }

  @Test func filesAreToldApartByWhatTheyAre() throws {
    let maker = try Evaluated.maker()
    let files = [
      Evaluated.file("a", .fake, [[0.9, 0.9, 0.9]], source: "x", side: 50, maker),
      Evaluated.file("b", .real, [[0.1, 0.1, 0.1]], source: "x", side: 300, maker),
      Evaluated.file("c", .real, [[0.8, 0.8, 0.8]], source: "y", side: 300, maker),
    ]
    let slices = EvaluationReport(files, maker).slices
    #expect(slices.map(\.value) == ["x", "y", "0 to 63 px", "256 px and more"])
    #expect(slices[0].videos[.accuracy].value == 1 && slices[1].videos[.accuracy].value == 0)
    // One number of people says nothing.
    #expect(!slices.contains { $0.facet == .people })
  }

  @Test func plotsAreDrawnAsTextAndAsPixels() throws {
    let maker = try Evaluated.maker()
    let files = (0..<12).map { (index: Int) -> EvaluatedFile in
      let label: FaceLabel = index.isMultiple(of: 2) ? .fake : .real
      let score: Float = (label == .fake ? 0.6 : 0.3) + Float(index) / 40
      return Evaluated.file("\(index)", label, [[score]], source: "\(index % 3)", maker)
    }
    let plots = EvaluationReport(files, maker).plots
    #expect(
      plots.map(\.name)
        == ["roc", "precision-recall", "reliability", "scores-frames", "scores-videos", "slices"])
    for (name, plot) in plots {
      let svg = plot.svg
      #expect(svg.hasSuffix("</svg>\n") && !svg.contains("nan"), "\(name)")
      let image = plot.drawing.image(scale: 1)
      #expect(abs(Double(image.width) - plot.drawing.size.width) < 2, "\(name)")
      #expect(image.pixels.contains { $0 < 128 }, "\(name) shows nothing")
    }
  }
}

@Suite("Evaluation: ablation and comparison") struct AblationTests {
  private func files(_ maker: VerdictMaker) -> [EvaluatedFile] {
    [
      Evaluated.file("a", .fake, [[0.9, 0.9, 0.9, 0.1]], second: 0.6, maker),
      Evaluated.file("b", .real, [[0.1, 0.1, 0.1, 0.9]], second: 0.6, maker),
      Evaluated.file("c", .fake, [[0.8, 0.7, 0.9, 0.6]], second: 0.6, maker),
      Evaluated.file("d", .real, [[0.2, 0.3, 0.1, 0.4]], second: 0.6, maker),
    ]
  }

  @Test func aMedianForgivesSingleFrames() throws {
    let maker = try Evaluated.maker()
    let rows = Ablation(files(maker), maker).rows(.aggregators)
    #expect(rows[0].isRecipe && rows[0].difference[.logLoss].value == 0)
    let median = try #require(rows.first { $0.setting == "median" })
    #expect(median.difference[.logLoss].value < 0)
    #expect(rows.text.contains("median") && rows.plot.svg.contains("median"))
  }

  @Test func everySubsetOfMembersIsTried() throws {
    let maker = try Evaluated.maker()
    let rows = Ablation(files(maker), maker).rows(.members)
    #expect(rows.map(\.setting) == ["all 2", "a", "b"])
    // The second member says the same of all.
    #expect(rows[2].videos[.auc].value == 0.5 && rows[1].videos[.auc].value == 1)
  }

  @Test func fewerFramesAreEvenlySpread() throws {
    let maker = try Evaluated.maker()
    var recipe = Evaluated.recipe
    recipe.people.minFrames = 1
    let lenient = VerdictMaker(recipe, maker.combination)
    let rows = Ablation(files(lenient), lenient).rows(.frames)
    #expect(rows.map(\.setting) == ["4, all that were looked at", "1", "2", "3"])
    #expect(rows.allSatisfy { $0.videos[.logLoss].value.isFinite })
  }

  @Test func stretchingAndClippingChangeTheLoss() throws {
    let maker = try Evaluated.maker()
    let ablation = Ablation(files(maker), maker)
    let stretched = ablation.rows(.postprocess)
    #expect(stretched.count == 7 && stretched[0].isRecipe)
    // All are on the right side: the surer the better.
    #expect(stretched[6].videos[.logLoss].value < stretched[1].videos[.logLoss].value)
    let clipped = ablation.rows(.clip)
    #expect(clipped.map(\.setting).contains("0.1 to 0.9"))
  }

  @Test func viewsAreAveraged() throws {
    let maker = try Evaluated.maker()
    var ablation = Ablation(files(maker), maker)
    ablation.views = [(.flipped, files(maker))]
    let rows = ablation.rows(.tta)
    #expect(rows.map(\.setting) == ["plain", "plain + flipped"])
    #expect(abs(rows[1].difference[.logLoss].value) < 1e-6, "the same scores twice change nothing")
  }

  @Test func comparisonsDrawTheSameGroups() throws {
    let maker = try Evaluated.maker()
    let one = (0..<40).map { index in
      Evaluated.file(
        "\(index)", index % 2 == 0 ? .fake : .real, [[Float(0.05) + Float(index % 19) / 20]], maker)
    }
    // Every file a little better: the difference is sure though either figure is not.
    let better = one.map { file in
      var file = file
      let toward: Float = file.label == .fake ? 1 : 0
      for face in file.report.scores.faces.indices {
        let score = file.report.scores.faces[face].scores[0]
        file.report.scores.faces[face].scores[0] = score + 0.1 * (toward - score)
      }
      maker.decide(&file.report)
      return file
    }
    let comparison = try Comparison(one, maker, better.shuffled(), maker)
    let difference = comparison.difference[.logLoss]
    let interval = try #require(difference.interval)
    let alone = try #require(comparison.first[.logLoss].interval)
    #expect(difference.value < 0 && interval.upperBound < 0)
    #expect(interval.upperBound - interval.lowerBound < alone.upperBound - alone.lowerBound)
    #expect(throws: DatasetError.self) { try Comparison(one, maker, [], maker) }
  }
}
