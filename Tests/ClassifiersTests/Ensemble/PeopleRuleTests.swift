import Classifiers
import Testing

@Suite struct PeopleRuleTests {
  private let people = [
    JudgedPerson(id: 1, probability: 0.25, frames: 25, faceArea: 400),
    JudgedPerson(id: 2, probability: 0.875, frames: 3, faceArea: 100),
    JudgedPerson(id: 4, probability: 0.5, frames: 9, faceArea: 400),
  ]

  @Test func theHighest() {
    let rule: any PeopleRule = .highest
    #expect(rule.probability(people) == 0.875)
  }

  @Test func theLargestAndOfEqualsTheFirst() {
    let rule: any PeopleRule = .largest
    #expect(rule.probability(people) == 0.25)
    #expect(rule.probability(people.reversed()) == 0.5)
  }

  @Test func theMean() {
    let rule: any PeopleRule = .mean
    #expect(rule.probability(people) == Float((0.25 + 0.875 + 0.5) / 3))
  }

  @Test(
    arguments: [HighestPersonRule(), LargestPersonRule(), MeanPersonRule()] as [any PeopleRule])
  func onePersonIsTheVideo(_ rule: any PeopleRule) {
    #expect(rule.probability([people[1]]) == 0.875)
  }
}
