/// One person of a video, judged.
public struct JudgedPerson: Sendable, Equatable {
  /// The number of the person's track.
  public var id: Int
  /// The probability that the person's face was manipulated.
  public var probability: Float
  /// Frames in which the face was judged.
  public var frames: Int
  /// The median area of the face's boxes, in pixels of the frame.
  public var faceArea: Float

  /// A judged person.
  public init(id: Int, probability: Float, frames: Int, faceArea: Float) {
    self.id = id
    self.probability = probability
    self.frames = frames
    self.faceArea = faceArea
  }
}

/// A way to make a video's probability out of those of the people in it.
///
/// ```swift
/// struct MeanByFrames: PeopleRule {
///   func probability(_ people: [JudgedPerson]) -> Float {
///     let frames = people.reduce(0) { $0 + $1.frames }
///     return people.reduce(0) { $0 + $1.probability * Float($1.frames) } / Float(frames)
///   }
/// }
/// ```
public protocol PeopleRule: Sendable {
  /// The one probability; `people`, in the order of their numbers, are those seen in enough frames,
  /// at least one.
  func probability(_ people: [JudgedPerson]) -> Float
}

/// The highest probability: a video is fake where one of its people is.
package struct HighestPersonRule: PeopleRule {
  /// The rule.
  package init() {}

  /// The maximum of the people's probabilities.
  package func probability(_ people: [JudgedPerson]) -> Float {
    requirePeople(people, of: self)
    return people.reduce(-.infinity) { max($0, $1.probability) }
  }
}

/// The probability of the person with the largest face, by the median area of its boxes: the one
/// whom the video is about.
package struct LargestPersonRule: PeopleRule {
  /// The rule.
  package init() {}

  /// The probability of the person with the largest face; of equals, of the first.
  package func probability(_ people: [JudgedPerson]) -> Float {
    requirePeople(people, of: self)
    return people.dropFirst().reduce(people[0]) { $1.faceArea > $0.faceArea ? $1 : $0 }.probability
  }
}

/// The plain mean of the people's probabilities.
package struct MeanPersonRule: PeopleRule {
  /// The rule.
  package init() {}

  /// The mean; every person weighs the same, however often seen.
  package func probability(_ people: [JudgedPerson]) -> Float {
    requirePeople(people, of: self)
    return MeanAggregator().aggregate(people.map(\.probability))
  }
}

extension PeopleRule where Self == HighestPersonRule {
  /// The highest probability.
  package static var highest: Self { Self() }
}

extension PeopleRule where Self == LargestPersonRule {
  /// The probability of the person with the largest face.
  package static var largest: Self { Self() }
}

extension PeopleRule where Self == MeanPersonRule {
  /// The mean of the people's probabilities.
  package static var mean: Self { Self() }
}

private func requirePeople(_ people: [JudgedPerson], of rule: some PeopleRule) {
  precondition(!people.isEmpty, "\(type(of: rule)): there are no people to judge by")
}
