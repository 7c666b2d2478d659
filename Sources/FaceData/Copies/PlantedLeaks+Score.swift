extension PlantedLeaks {
  /// How many of some planted items were found.
  package struct Share: Sendable, Equatable {
    package var planted = 0
    package var found = 0
    /// The fraction that was found, 0 to 1; 1 if nothing was planted.
    package var value: Float { planted == 0 ? 1 : Float(found) / Float(planted) }
  }

  /// How well a search found the planted copies.
  package struct Score: Sendable {
    /// For each kind of copy, how many are linked to their original's video.
    package var copies: [PlantedCopy: Share] = [:]
    /// Original crops with a link to a crop whose content is from another video.
    package var falseAlarms = 0
    /// Number of original crops (planted copies not counted).
    package var clean = 0
    /// False alarms for every 10,000 original crops.
    package var falseAlarmsInTenThousand: Float {
      Float(falseAlarms) * 10_000 / Float(max(1, clean))
    }
    /// All kinds of copies together.
    package var all: Share {
      copies.values.reduce(into: Share()) {
        $0.planted += $1.planted
        $0.found += $1.found
      }
    }
  }

  /// The video that each sample's content is from: for a copy, its original's.
  private var roots: [Int32] {
    var roots = groups
    for plant in plants { roots[plant.sample] = groups[plant.original] }
    return roots
  }

  /// Compares found links of copies with the planted ones.
  package func score(_ links: [SampleLink]) -> Score {
    let roots = roots
    var isFound = [Bool](repeating: false, count: groups.count)
    var isFalse = isFound
    for link in links {
      let isRight = roots[link.first] == roots[link.second]
      for sample in [link.first, link.second] {
        if isRight { isFound[sample] = true } else { isFalse[sample] = true }
      }
    }
    var score = Score()
    for plant in plants {
      score.copies[plant.kind, default: Share()].planted += 1
      if isFound[plant.sample] { score.copies[plant.kind, default: Share()].found += 1 }
    }
    score.clean = groups.count - plants.count
    score.falseAlarms = isFalse.prefix(score.clean).count { $0 }
    return score
  }

  /// Compares found links of similar backgrounds with the planted places.
  ///
  /// - Returns: How many of the videos that share a place with another video are linked to such a
  ///   video, and the number of samples with a link to another place.
  package func scorePlaces(_ links: [SampleLink]) -> (videos: Share, falseAlarms: Int) {
    let roots = roots
    var videos: [Int32: Set<Int32>] = [:]
    for sample in groups.indices where places[sample] >= 0 {
      videos[places[sample], default: []].insert(roots[sample])
    }
    var linked: Set<Int32> = []
    var wrong: Set<Int> = []
    for link in links where roots[link.first] != roots[link.second] {
      if places[link.first] == places[link.second] {
        linked.formUnion([roots[link.first], roots[link.second]])
      } else {
        wrong.formUnion([link.first, link.second])
      }
    }
    let shared = videos.values.filter { $0.count > 1 }.flatMap { $0 }
    return (Share(planted: shared.count, found: shared.count { linked.contains($0) }), wrong.count)
  }
}
