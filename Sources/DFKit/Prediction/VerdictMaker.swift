import Classifiers
import DeepfakeCore
import FaceDetect

/// Makes the verdicts on a file and on the people in it out of their faces' scores: when they were
/// just computed, or again, by other rules, from a report of before.
package struct VerdictMaker: Sendable {
  /// Frames with a face, whosever, that a verdict needs; fewer where fewer were looked at.
  package var minFrames: Int
  /// Frames in which a person must be judged to get a verdict; fewer where fewer were looked at.
  package var minFramesOfPerson: Int
  /// Frames in which a person must be judged to count for the file's verdict, as a part of those of
  /// the person judged most.
  package var minShare: Float
  /// What a probability is called.
  package var decision: Recipe.Decision
  /// How a person's scores become one.
  package var combination: ScoreCombination
  /// Makes the file's probability out of the people's; nil where all faces are judged together.
  package var rule: (any PeopleRule)?

  /// The rules of a recipe.
  ///
  /// - Parameters:
  ///   - combination: stands for the recipe's aggregation.
  ///   - rule: over people; nil for the recipe's.
  package init(_ recipe: Recipe, _ combination: ScoreCombination, rule: (any PeopleRule)? = nil) {
    minFrames = recipe.faces.minFrames
    minFramesOfPerson = recipe.people.minFrames
    minShare = recipe.people.minShare
    decision = recipe.verdict
    self.combination = combination
    self.rule = rule ?? recipe.people.verdict.rule
  }

  /// Why a file has no verdict whatever its faces look like, by the frames and faces that were
  /// found; nil where there is enough.
  private func obstacle(_ report: VideoReport) -> Verdict.Reason? {
    let needed = min(minFrames, report.frames)
    let most = report.people.map(\.framesJudged).max() ?? 0
    if report.facesFound == 0 { return .noFaces }
    if report.facesFound < needed { return .tooFewFaces(found: report.facesFound, needed: needed) }
    let neededOfPerson = neededFrames(report)
    if rule != nil, most < neededOfPerson {
      return .tooFewFaces(found: most, needed: neededOfPerson)
    }
    return nil
  }

  /// Writes down the verdicts on the file and its people, by the report's `scores`.
  package func decide(_ report: inout VideoReport) { decide(&report) { _ in } }

  /// The same where networks are still to be asked.
  ///
  /// - Parameter judge: fills the scores. It is called only where the frames and faces that were
  ///   found suffice for a verdict.
  func decide(
    _ report: inout VideoReport, judge: (inout ScoreTable) throws -> Void
  ) rethrows {
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
    report.isCalibrated = decision.isCalibrated
    if let obstacle = obstacle(report) {
      report.verdict = .undecided(obstacle)
      return
    }
    try judge(&report.scores)
    let people = assess(&report, needed: needed)
    guard let rule else {
      let all = combination(report.scores.columns)
      for index in report.people.indices { report.people[index].counts = true }
      report.familiarity = familiarity(report.scores)
      report.verdict = verdict(all.probability, report.familiarity)
      report.members = all.members.map { .init($0) }
      return
    }
    report.familiarity = familiarity(report.scores.of(Set(people.map(\.person.id))))
    report.verdict = verdict(of: people.map(\.person), rule, report)
    report.members = report.scores.members.enumerated().map { member, column in
      let alone = people.map { person, assessment in
        var person = person
        person.probability = assessment.members[member].probability
        return person
      }
      return VideoReport.MemberScore(name: column.name, probability: rule.probability(alone))
    }
  }

  /// Writes down the verdicts on the people.
  ///
  /// - Returns: those of them who count.
  private func assess(
    _ report: inout VideoReport, needed: Int
  ) -> [(person: JudgedPerson, assessment: Assessment)] {
    let most = Float(report.people.map(\.framesJudged).max() ?? 0)
    var counted: [(JudgedPerson, Assessment)] = []
    for index in report.people.indices where report.people[index].framesJudged >= needed {
      let own = report.scores.of([report.people[index].id])
      guard !own.faces.isEmpty else { continue }
      let assessment = combination(own.columns)
      let familiarity = familiarity(own)
      report.people[index].familiarity = familiarity
      report.people[index].verdict = verdict(assessment.probability, familiarity)
      report.people[index].members = assessment.members.map { .init($0) }
      report.people[index].fakeSpans = .init(
        own.faces.map { ($0.time, combination.models.aggregate($0.scores)) })
      let judged = Float(report.people[index].framesJudged)
      guard judged >= minShare * most else { continue }
      report.people[index].counts = true
      let person = JudgedPerson(
        id: report.people[index].id, probability: assessment.probability,
        frames: report.people[index].framesJudged,
        faceArea: MedianAggregator().aggregate(own.faces.map(\.box.area)))
      counted.append((person, assessment))
    }
    return counted
  }

  /// The people of a file who are judged by themselves: in enough frames, and in enough of those of
  /// the person judged most. Others are passers-by, or no faces at all, also where all faces are
  /// judged together.
  package func people(of report: VideoReport) -> [VideoReport.Person] {
    let needed = Float(max(1, neededFrames(report)))
    let most = Float(report.people.map(\.framesJudged).max() ?? 0)
    return report.people.filter {
      Float($0.framesJudged) >= max(needed, minShare * most)
    }
  }

  private func neededFrames(_ report: VideoReport) -> Int {
    min(minFramesOfPerson, report.frames)
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
    guard decision.unfamiliar == .refuse else { return verdict }
    let strangers = report.people.filter { $0.familiarity?.isUnfamiliar == true }
    let others = people.filter { person in !strangers.contains { $0.id == person.id } }
    guard others.count < people.count else { return verdict }
    if !others.isEmpty, self.verdict(rule.probability(others), nil).answer == verdict.answer,
      verdict.answer == .fake || report.familiarity?.isUnfamiliar != true
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

  private func familiarity(_ faces: ScoreTable) -> FaceFamiliarity? {
    decision.unfamiliar == .ignore ? nil : FaceFamiliarity(faces)
  }

  /// The verdict that a probability means where the faces are as familiar as that.
  private func verdict(_ probability: Float, _ familiarity: FaceFamiliarity?) -> Verdict {
    if decision.unfamiliar == .refuse, let familiarity, familiarity.isUnfamiliar {
      return .undecided(.unfamiliar(probability: probability, traits: familiarity.traits))
    }
    return Verdict(probability: probability, undecided: decision.undecided)
  }
}

extension VideoReport.MemberScore {
  fileprivate init(_ member: Assessment.Member) {
    self.init(name: member.name, probability: member.probability)
  }
}
