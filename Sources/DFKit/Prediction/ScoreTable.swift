import Classifiers
import DeepfakeCore
import FaceDetect

/// The networks' scores of a file's faces: one row for each face, one column for each member.
/// Verdicts, the score cache, ablations and reports are computed from it.
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
    /// The limits beyond which a face is unfamiliar to the member; nil if its weights have none.
    package var limits: TraitValues?

    package init(_ name: String, limits: TraitValues? = nil) {
      self.name = name
      self.limits = limits
    }
  }

  /// A row: one scored face.
  package struct Face: Sendable, Equatable {
    /// The number of its frame among the searched frames, from 0.
    package var frame: Int
    /// The frame's time in seconds; 0 for an image.
    package var time: Double
    /// The `id` of the person.
    package var person: Int
    /// The face's box, in pixels of the frame.
    package var box: Box
    /// The probability of "fake" by each member. A member that scores several faces together has
    /// the same for all of them.
    package var scores: [Float]
    /// The traits measured by each member; nil for a member without limits.
    package var measures: [TraitValues?]

    /// A scored face. Without `measures`, no member has measured it.
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

  package init(members: [Member] = [], faces: [Face] = []) {
    self.members = members
    self.faces = faces
  }

  /// The table with the faces of these people only.
  func of(_ people: Set<Int>) -> ScoreTable {
    ScoreTable(members: members, faces: faces.filter { people.contains($0.person) })
  }

  /// The table with these members only.
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

  /// The faces' scores by member, as the input of a `ScoreCombination`.
  var columns: [MemberScores] {
    [MemberScores](faces.map(\.scores), members: members.map(\.name))
  }

  /// The traits of a face that are beyond a member's limits; empty if it has none.
  func traitsBeyond(_ face: Face, member: Int) -> [FamiliarityTrait] {
    guard let limits = members[member].limits, let measures = face.measures[member] else {
      return []
    }
    return limits.traitsBeyond(measures)
  }
}

extension ScoreTable {
  /// Scores the faces with one member after another and adds a column for each.
  ///
  /// Members that score each crop alone get all crops at once. Other scorers get the crops of one
  /// person at a time, in order, or all crops at once if `asOne`.
  ///
  /// - Parameters:
  ///   - crops: The crop of each face, with the later one if a member uses motion.
  ///   - sides: The side of each crop, in pixels of the frame that it was cut from.
  ///   - asOne: Whether all faces are scored as if they were one person's.
  ///   - unloading: Whether the memory of each network is released after it has scored.
  ///   - progress: Called with the fraction of members that are done.
  mutating func add(
    _ judges: [Ensemble.Member], crops: [MotionCrop], sides: [Int], asOne: Bool, unloading: Bool,
    progress: (Double) -> Void
  ) throws {
    // The picture traits are the same for all networks. They are computed only if a network needs
    // them.
    lazy var pictures = TraitValues.pictures(crops.map(\.image), sides: sides)
    for (done, judge) in judges.enumerated() {
      try Task.checkCancellation()
      let model = judge.scorer as? any PackedScorer
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

  /// Adds the next member's score and measures of one face.
  mutating func add(_ score: Float, _ measures: TraitValues?, to place: Int) {
    faces[place].scores.append(score)
    faces[place].measures.append(measures)
  }

  /// The indices of each person's faces, sorted by person.
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
