import Classifiers
import DeepfakeCore

/// What every member of an ensemble said of a file's faces, by person and, where the recipe pools them,
/// together.
struct FileScores {
  /// The members' scores of each person, in the order of the candidates.
  private(set) var people: [[MemberScores]]
  /// The members' scores of all faces as if they were one person's; empty unless asked for.
  private(set) var together: [MemberScores] = []
  /// What each face is like, of the members whose weights say what is familiar, in their order.
  private(set) var measures: [MemberMeasures] = []

  /// What a member measured of the faces.
  struct MemberMeasures {
    let name: String
    let limits: FamiliarityLimits
    /// One entry a crop.
    let faces: [FamiliarityMeasures]
  }

  /// Lets the members judge one after the other.
  ///
  /// Networks that judge each crop by itself see all crops at once; other scorers see each person's crops
  /// alone and in order, as their contract says.
  ///
  /// - Parameters:
  ///   - crops: all crops, in the order of frames.
  ///   - sides: the side of each in pixels of the frame that it was cut from.
  ///   - people: the places of each person's crops.
  ///   - pooling: whether all crops are also judged together.
  ///   - unloading: whether each network's memory is given back once it has judged.
  ///   - progress: called with the members done.
  init(
    _ ensemble: Ensemble, crops: [Image], sides: [Int], people: [[Int]], pooling: Bool,
    unloading: Bool, progress: (Int) -> Void
  ) throws {
    self.people = people.map { _ in [] }
    // The same for all networks, and only for those that ask.
    lazy var pictures = FamiliarityMeasures.pictures(crops, sides: sides)
    for (done, member) in ensemble.members.enumerated() {
      try Task.checkCancellation()
      StageTimes.measure(.load) { (member.scorer as? ClassifierModel)?.prepare() }
      let judgesEach = member.scorer is any FrameClassifier
      var all: [Float]?
      if let scorer = member.scorer as? any FamiliarityScorer, let known = scorer.familiarity {
        let judged = try scorer.judge(crops, pictures: pictures)
        let scores = judged.map(\.score)
        try member.check(scores, crops: crops.count)
        all = scores
        measures.append(
          MemberMeasures(name: member.name, limits: known.limits, faces: judged.map(\.measures)))
      } else if judgesEach || pooling {
        all = try ensemble.scores(of: member, crops)
      }
      for (person, places) in people.enumerated() {
        let scores: [Float]
        if let all, judgesEach || places.count == crops.count {
          scores = all.count == crops.count ? places.map { all[$0] } : all
        } else {
          try Task.checkCancellation()
          scores = try ensemble.scores(of: member, places.map { crops[$0] })
        }
        self.people[person].append(MemberScores(name: member.name, frames: scores))
      }
      if pooling, let all { together.append(MemberScores(name: member.name, frames: all)) }
      if unloading { (member.scorer as? ClassifierModel)?.unload() }
      progress(done + 1)
    }
  }
}

extension [MemberScores] {
  /// The members' scores of one crop; a member with one score for all counts with that.
  func at(_ crop: Int) -> [Float] {
    map { $0.frames.count == 1 ? $0.frames[0] : $0.frames[crop] }
  }
}
