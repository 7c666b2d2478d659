import Classifiers
import DeepfakeCore
import FaceDetect

/// Makes the verdicts on a file and on the people in it out of their faces' scores: when they were just computed, or
/// again, by other rules, from a report of before.
public struct VerdictMaker: Sendable {
  /// How many frames a verdict needs, who counts, and what is left undecided. Its aggregation is not used here: that is
  /// `combination`.
  public var recipe: Recipe
  /// How a person's scores become one.
  public var combination: ScoreCombination
  /// Makes the file's probability out of the people's; nil where all faces are judged together.
  public var rule: (any PeopleRule)?

  /// The rules of a recipe.
  ///
  /// - Parameter rule: over people; nil for the recipe's.
  public init(_ recipe: Recipe, _ combination: ScoreCombination, rule: (any PeopleRule)? = nil) {
    self.recipe = recipe
    self.combination = combination
    self.rule = rule ?? recipe.people.verdict.rule
  }

  /// Why a file has no verdict before any face is judged, by the frames and faces that were found; nil where
  /// there is enough.
  public func obstacle(_ report: VideoReport) -> Verdict.Reason? {
    let needed = min(recipe.faces.minFrames, report.frames)
    let most = report.people.map(\.framesJudged).max() ?? 0
    if report.facesFound == 0 { return .noFaces }
    if report.facesFound < needed { return .tooFewFaces(found: report.facesFound, needed: needed) }
    let neededOfPerson = neededFrames(report)
    if rule != nil, most < neededOfPerson {
      return .tooFewFaces(found: most, needed: neededOfPerson)
    }
    return nil
  }

  /// Writes down the verdicts on the file and its people, by `frameScores`.
  ///
  /// - Parameter together: what the members say of all faces as if they were one person's, where that is asked for
  ///   and not the same as what they say of each.
  public func decide(_ report: inout VideoReport, together: [MemberScores]? = nil) {
    let needed = neededFrames(report)
    for index in report.people.indices {
      let found = report.people[index].framesJudged
      report.people[index].counts = false
      report.people[index].members = []
      report.people[index].fakeSpans = []
      report.people[index].familiarity = nil
      report.people[index].verdict = .undecided(.tooFewFaces(found: found, needed: needed))
    }
    report.members = []
    report.familiarity = nil
    report.isCalibrated = recipe.verdict.isCalibrated
    if let obstacle = obstacle(report) {
      report.verdict = .undecided(obstacle)
      return
    }
    let people = assess(&report, needed: needed)
    guard let rule else {
      let all = combination(together ?? report.frameScores.membersScores)
      for index in report.people.indices { report.people[index].counts = true }
      report.familiarity = familiarity(report.frameScores, report)
      report.verdict = verdict(all.probability, report.familiarity)
      report.members = all.members.map { .init($0) }
      return
    }
    let counted = Set(people.map(\.person.id))
    report.familiarity = familiarity(
      report.frameScores.filter { counted.contains($0.person) }, report)
    report.verdict = verdict(of: people.map(\.person), rule, report)
    let names = people.first?.assessment.members.map(\.name) ?? []
    report.members = names.enumerated().map { member, name in
      let alone = people.map { person, assessment in
        var person = person
        person.probability = assessment.members[member].probability
        return person
      }
      return VideoReport.MemberScore(name: name, probability: rule.probability(alone))
    }
  }

  /// The verdicts on the people, and those of them who count.
  private func assess(
    _ report: inout VideoReport, needed: Int
  ) -> [(person: JudgedPerson, assessment: Assessment)] {
    var faces: [Int: [VideoReport.FrameScore]] = [:]
    for face in report.frameScores { faces[face.person, default: []].append(face) }
    let most = Float(report.people.map(\.framesJudged).max() ?? 0)
    var counted: [(JudgedPerson, Assessment)] = []
    for index in report.people.indices where report.people[index].framesJudged >= needed {
      let own = faces[report.people[index].id] ?? []
      guard !own.isEmpty else { continue }
      let assessment = combination(own.membersScores)
      let familiarity = familiarity(own, report)
      report.people[index].familiarity = familiarity
      report.people[index].verdict = verdict(assessment.probability, familiarity)
      report.people[index].members = assessment.members.map { .init($0) }
      report.people[index].fakeSpans = .init(
        own.map { ($0.time, combination.models.aggregate($0.scores.map(\.probability))) })
      let judged = Float(report.people[index].framesJudged)
      guard judged >= recipe.people.minShare * most else { continue }
      report.people[index].counts = true
      let person = JudgedPerson(
        id: report.people[index].id, probability: assessment.probability,
        frames: report.people[index].framesJudged,
        faceArea: MedianAggregator().aggregate(own.map(\.box.area)))
      counted.append((person, assessment))
    }
    return counted
  }

  /// The people of a file who are judged by themselves: in enough frames, and in enough of those of
  /// the person judged most. Others are passers-by, or no faces at all, also where all faces are
  /// judged together.
  public func people(of report: VideoReport) -> [VideoReport.Person] {
    let needed = Float(max(1, neededFrames(report)))
    let most = Float(report.people.map(\.framesJudged).max() ?? 0)
    return report.people.filter {
      Float($0.framesJudged) >= max(needed, recipe.people.minShare * most)
    }
  }

  private func neededFrames(_ report: VideoReport) -> Int {
    min(recipe.people.minFrames, report.frames)
  }

  /// The verdict that a rule makes out of the people who count.
  ///
  /// People whose faces are unlike those learned from can be fake or real. The verdict stands where
  /// the rule makes the same of the others alone, and, unless it is `fake`, for which one person
  /// suffices, most faces are theirs.
  private func verdict(
    of people: [JudgedPerson], _ rule: any PeopleRule, _ report: VideoReport
  ) -> Verdict {
    let verdict = verdict(rule.probability(people), nil)
    guard recipe.verdict.unfamiliar == .refuse else { return verdict }
    let strangers = report.people.filter { $0.familiarity?.isUnfamiliar == true }
    let others = people.filter { person in !strangers.contains { $0.id == person.id } }
    guard others.count < people.count else { return verdict }
    if !others.isEmpty, self.verdict(rule.probability(others), nil).name == verdict.name,
      verdict.name == "fake" || report.familiarity?.isUnfamiliar != true
    {
      return verdict
    }
    let counted = Set(people.map(\.id))
    let traits = strangers.filter { counted.contains($0.id) }.flatMap {
      $0.familiarity?.traits ?? []
    }
    return .undecided(
      .unfamiliar(
        probability: rule.probability(people),
        traits: FamiliarityTrait.allCases.filter(traits.contains)))
  }

  private func familiarity(
    _ faces: [VideoReport.FrameScore], _ report: VideoReport
  ) -> FaceFamiliarity? {
    recipe.verdict.unfamiliar == .ignore ? nil : FaceFamiliarity(faces, report.limits)
  }

  /// The verdict that a probability means where the faces are as familiar as that.
  private func verdict(_ probability: Float, _ familiarity: FaceFamiliarity?) -> Verdict {
    if recipe.verdict.unfamiliar == .refuse, let familiarity, familiarity.isUnfamiliar {
      return .undecided(.unfamiliar(probability: probability, traits: familiarity.traits))
    }
    return Verdict(probability: probability, undecided: recipe.verdict.undecided)
  }
}

extension [VideoReport.FrameScore] {
  /// Each member's scores of these faces.
  var membersScores: [MemberScores] {
    guard let first else { return [] }
    return first.scores.indices.map { member in
      MemberScores(
        name: first.scores[member].name, frames: map { $0.scores[member].probability })
    }
  }
}

extension VideoReport.MemberScore {
  fileprivate init(_ member: Assessment.Member) {
    self.init(name: member.name, probability: member.probability)
  }
}
