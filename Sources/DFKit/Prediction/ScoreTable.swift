import Classifiers
import DeepfakeCore
import FaceDetect

/// What the networks said of a file's faces: a row a face, a column a member. Verdicts, the cache
/// of scores, ablations and reports are all made of it.
///
/// ```swift
/// let table = try predictor.predict(file).scores
/// for face in table.faces { print(face.time, face.person, face.scores) }
/// ```
package struct ScoreTable: Sendable, Equatable {
  /// A column: one network of the ensemble.
  package struct Member: Sendable, Equatable {
    /// The member's name in the recipe.
    package var name: String
    /// How far a face may be from those that the member learned from; nil where its weights do not
    /// say.
    package var limits: TraitValues?

    /// A member.
    package init(_ name: String, limits: TraitValues? = nil) {
      self.name = name
      self.limits = limits
    }
  }

  /// A row: a judged face.
  package struct Face: Sendable, Equatable {
    /// The number of its frame among those that were looked at, from 0.
    package var frame: Int
    /// The frame's time in seconds; 0 for an image.
    package var time: Double
    /// The number of the person whose face it is.
    package var person: Int
    /// In pixels of the frame.
    package var box: Box
    /// Each member's probability. A member that judges faces together has the same for each.
    package var scores: [Float]
    /// What each member measured of the face; nil for a member without limits.
    package var measures: [TraitValues?]

    /// A judged face; nothing is measured of it where `measures` are not given.
    package init(
      frame: Int, time: Double, person: Int, box: Box, scores: [Float] = [],
      measures: [TraitValues?]? = nil
    ) {
      self.frame = frame
      self.time = time
      self.person = person
      self.box = box
      self.scores = scores
      self.measures = measures ?? scores.map { _ in nil }
    }
  }

  /// The members, in the recipe's order.
  package var members: [Member]
  /// The judged faces, in order of time.
  package var faces: [Face]

  /// A table.
  package init(members: [Member] = [], faces: [Face] = []) {
    self.members = members
    self.faces = faces
  }

  /// The table with the faces of some people only.
  func of(_ people: Set<Int>) -> ScoreTable {
    ScoreTable(members: members, faces: faces.filter { people.contains($0.person) })
  }

  /// The table with some of the members only.
  func having(members places: [Int]) -> ScoreTable {
    ScoreTable(
      members: places.map { members[$0] },
      faces: faces.map { face in
        var face = face
        face.scores = places.map { face.scores[$0] }
        face.measures = places.map { face.measures[$0] }
        return face
      })
  }

  /// The faces' scores member by member, for what makes one score of them.
  var columns: [MemberScores] {
    [MemberScores](faces.map(\.scores), members: members.map(\.name))
  }

  /// The traits of a face that are beyond a member's limits.
  func traitsBeyond(_ face: Face, member: Int) -> [FamiliarityTrait] {
    guard let limits = members[member].limits, let measures = face.measures[member] else {
      return []
    }
    return limits.traitsBeyond(measures)
  }
}

extension ScoreTable {
  /// Lets members judge the faces, one member after the other, and adds a column for each.
  ///
  /// Networks that judge each crop by itself see all crops at once. Other scorers see those of one
  /// person at a time, in order; all of them at once where everybody is judged as one person.
  ///
  /// - Parameters:
  ///   - crops: a crop for each face.
  ///   - sides: the side of each in pixels of the frame that it was cut from.
  ///   - asOne: whether all faces are judged as if they were one person's.
  ///   - unloading: whether each network's memory is given back once it has judged.
  ///   - progress: called with the part of the members that is done.
  mutating func add(
    _ judges: [Ensemble.Member], crops: [Image], sides: [Int], asOne: Bool, unloading: Bool,
    progress: (Double) -> Void
  ) throws {
    // The same for all networks, and only for those that ask.
    lazy var pictures = TraitValues.pictures(crops, sides: sides)
    for (done, judge) in judges.enumerated() {
      try Task.checkCancellation()
      let model = judge.scorer as? ClassifierModel
      StageTimes.measure(.load) { model?.prepare() }
      if let scorer = judge.scorer as? any FamiliarityScorer, let known = scorer.familiarity {
        let judged = try scorer.judge(crops, pictures: pictures)
        try judge.check(judged.map(\.score), crops: crops.count)
        members.append(Member(judge.name, limits: known.limits))
        for (place, face) in judged.enumerated() { add(face.score, face.measures, to: place) }
      } else {
        members.append(Member(judge.name))
        let together = asOne || judge.scorer is any FrameClassifier
        let groups = together ? [Array(faces.indices)] : placesByPerson
        for places in groups {
          try Task.checkCancellation()
          let scores = try judge.scoreOfEach(places.map { crops[$0] })
          for (place, score) in zip(places, scores) { add(score, nil, to: place) }
        }
      }
      if unloading { model?.unload() }
      progress(Double(done + 1) / Double(judges.count))
    }
  }

  /// Adds what the next member says of a face.
  mutating func add(_ score: Float, _ measures: TraitValues?, to place: Int) {
    faces[place].scores.append(score)
    faces[place].measures.append(measures)
  }

  /// The places of each person's faces, people in the order of their numbers.
  private var placesByPerson: [[Int]] {
    Dictionary(grouping: faces.indices) { faces[$0].person }.sorted { $0.key < $1.key }
      .map(\.value)
  }
}

extension ScoreTable {
  /// The faces as `dfkit predict --json` prints them.
  var json: JSON {
    .array(
      faces.map { face in
        [
          "time": .seconds(face.time), "person": .integer(face.person), "box": face.box.json,
          "scores": .object(
            zip(members, face.scores).map { .init(key: $0.name, value: .number($1)) }),
        ]
      })
  }
}
