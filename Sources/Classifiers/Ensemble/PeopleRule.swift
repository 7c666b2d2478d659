/// The result for one person of a video.
public struct JudgedPerson: Sendable, Equatable {
  /// The number of the person's face track.
  public var id: Int
  /// The probability that the person's face was manipulated.
  public var probability: Float
  /// The number of frames in which the face was judged.
  public var frames: Int
  /// The median area of the face's boxes, in square pixels of the frame.
  public var faceArea: Float

  /// Creates a result for one person.
  public init(id: Int, probability: Float, frames: Int, faceArea: Float) {
    self.id = id
    self.probability = probability
    self.frames = frames
    self.faceArea = faceArea
  }
}

/// A rule that combines the probabilities of a video's people into one for the video.
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
  /// Combines the people's probabilities into one. `people` is not empty, is in the order of `id`,
  /// and holds only people seen in enough frames.
  func probability(_ people: [JudgedPerson]) -> Float
}

/// The highest probability: a video is fake if any of its people is.
package struct HighestPersonRule: PeopleRule {
  /// Creates the rule.
  package init() {}

  /// The highest of the people's probabilities.
  package func probability(_ people: [JudgedPerson]) -> Float {
    requirePeople(people, of: self)
    return people.reduce(-.infinity) { max($0, $1.probability) }
  }
}

/// The probability of the person with the largest face, by the median area of the boxes. This is
/// taken to be the person whom the video is about.
package struct LargestPersonRule: PeopleRule {
  /// Creates the rule.
  package init() {}

  /// The probability of the person with the largest face; the first one if several are equally
  /// large.
  package func probability(_ people: [JudgedPerson]) -> Float {
    requirePeople(people, of: self)
    return people.dropFirst().reduce(people[0]) { $1.faceArea > $0.faceArea ? $1 : $0 }.probability
  }
}

/// The mean of the people's probabilities.
package struct MeanPersonRule: PeopleRule {
  /// Creates the rule.
  package init() {}

  /// The mean; all people have the same weight, in however many frames they were seen.
  package func probability(_ people: [JudgedPerson]) -> Float {
    requirePeople(people, of: self)
    return MeanAggregator().aggregate(people.map(\.probability))
  }
}

extension PeopleRule where Self == HighestPersonRule {
  /// The highest of the people's probabilities.
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
