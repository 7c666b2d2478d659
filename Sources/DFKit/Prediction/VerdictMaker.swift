import Classifiers
import DeepfakeCore
import FaceDetect

/// Makes the verdicts on a file and its people from the scores of their faces. The scores can be
/// new, or come from an earlier report that is judged again by other rules.
package struct VerdictMaker: Sendable {
  /// The number of frames with a face, of any person, that a verdict needs. Never more than the
  /// number of searched frames.
  package var minFrames: Int
  /// The number of frames in which a person must be scored to get a verdict. Never more than the
  /// number of searched frames.
  package var minFramesOfPerson: Int
  /// The number of frames in which a person must be scored to count for the file's verdict, as a
  /// fraction of the frames of the person scored most.
  package var minShare: Float
  /// How a probability becomes a verdict.
  package var decision: Recipe.Decision
  /// How the scores of a person are combined into one probability.
  package var combination: ScoreCombination
  /// Combines the people's probabilities into the file's; nil: all faces are scored together.
  package var rule: (any PeopleRule)?

  /// The rules of a recipe.
  ///
  /// - Parameters:
  ///   - combination: Replaces the recipe's aggregation.
  ///   - rule: The rule over people; nil: the recipe's.
  package init(_ recipe: Recipe, _ combination: ScoreCombination, rule: (any PeopleRule)? = nil) {
    minFrames = recipe.faces.minFrames
    minFramesOfPerson = recipe.people.minFrames
    minShare = recipe.people.minShare
    decision = recipe.verdict
    self.combination = combination
    self.rule = rule ?? recipe.people.verdict.rule
  }

  /// Why a file gets no verdict because of too few frames or faces; nil if there are enough.
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

  /// Sets the verdicts on the file and its people from the report's `scores`.
  package func decide(_ report: inout VideoReport) { decide(&report) { _ in } }

  /// Sets the verdicts on the file and its people after scoring the faces.
  ///
  /// - Parameter judge: Fills in the scores. It is called only if there are enough frames with
  ///   faces for a verdict.
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

  /// Sets the verdicts on the people.
  ///
  /// - Returns: The people who count for the file's verdict.
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

  /// The people who are judged separately in an evaluation: they were scored in enough frames, also
  /// compared with the person scored most. Others are passers-by or false detections. This also
  /// applies if all faces are scored together.
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

  /// The verdict by a rule over the people who count.
  ///
  /// If some people's faces are unlike the training data, they could be fake or real. The verdict
  /// stands only if the rule gives the same answer for the other people alone. Unless that answer
  /// is `fake`, for which one person suffices, most faces must also be familiar.
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

  /// The verdict for a probability, taking into account whether the faces are familiar.
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
