extension PlantedLeaks {
  /// How many of some planted things were found.
  package struct Share: Sendable, Equatable {
    package var planted = 0
    package var found = 0
    /// The part that was found, 0 to 1.
    package var value: Float { planted == 0 ? 1 : Float(found) / Float(planted) }
  }

  /// What links say of planted leaks.
  package struct Score: Sendable {
    /// Of each kind of copy, how many have a link to their original's video.
    package var copies: [PlantedCopy: Share] = [:]
    /// Crops, planted copies apart, with a link to a crop that is no copy of anything in their
    /// video.
    package var falseAlarms = 0
    /// Crops, planted copies apart.
    package var clean = 0
    /// Such crops in 10,000.
    package var falseAlarmsInTenThousand: Float {
      Float(falseAlarms) * 10_000 / Float(max(1, clean))
    }
    /// All copies together.
    package var all: Share {
      copies.values.reduce(into: Share()) {
        $0.planted += $1.planted
        $0.found += $1.found
      }
    }
  }

  /// The video that a sample's content is from.
  private var roots: [Int32] {
    var roots = groups
    for plant in plants { roots[plant.sample] = groups[plant.original] }
    return roots
  }

  /// Holds links of copies against what was planted.
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

  /// Holds links of alike backgrounds against the places: the share of the videos in a place with
  /// others that have a link to one of these, and the samples with a link to another place.
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
