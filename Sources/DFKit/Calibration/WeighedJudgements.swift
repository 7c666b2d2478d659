import Training

/// Faces or videos whose truth is known, with what decides how much each counts and which are drawn
/// together.
struct WeighedJudgements {
  /// The truth of each.
  let labels: [FaceLabel]
  /// The group of each that counts as one: a face's video, a video itself.
  let groups: [Int]
  /// The group of each that is drawn as one.
  let clusters: [Int]
  /// The source of each.
  let sources: [Int]

  /// The number of groups to draw.
  var clusterCount: Int { (clusters.max() ?? -1) + 1 }

  /// How many are of a label.
  func count(_ label: FaceLabel) -> Int { labels.count { $0 == label } }

  /// What each counts, given how often each cluster was drawn; nil is once each.
  func weights(_ times: [Double]? = nil) -> [Double] {
    var drawn: [Double]?
    if let times {
      var ofGroup = [Double](repeating: 0, count: (groups.max() ?? -1) + 1)
      for (group, cluster) in zip(groups, clusters) { ofGroup[group] = times[cluster] }
      drawn = ofGroup
    }
    return GroupWeights(groups: groups, labels: labels, sources: sources, times: drawn).weights
  }

  /// The judgements that probabilities make.
  func judgements(_ probabilities: [Float], _ times: [Double]? = nil) -> [Judgement] {
    let weights = weights(times)
    return labels.indices.map {
      Judgement(Double(probabilities[$0]), labels[$0], weight: weights[$0])
    }
  }

  /// The figures of probabilities, with intervals from whole clusters drawn anew.
  func figures(
    _ probabilities: [Float], _ bootstrap: GroupBootstrap,
    _ metrics: [Metric] = CalibrationReport.metrics
  ) -> MetricFigures {
    MetricFigures(metrics, groups: clusterCount, bootstrap) {
      BinaryMetrics(judgements(probabilities, $0))
    }
  }

  /// How much the figures of some probabilities exceed those of others; both are drawn at once.
  func difference(
    _ probabilities: [Float], from others: [Float], _ bootstrap: GroupBootstrap,
    _ metrics: [Metric]
  ) -> MetricFigures {
    MetricFigures(
      metrics, groups: clusterCount, bootstrap,
      values: { times in
        let after = BinaryMetrics(judgements(probabilities, times))
        let before = BinaryMetrics(judgements(others, times))
        return metrics.map { $0.value(after) - $0.value(before) }
      })
  }

  /// Those at some places.
  func subset(_ places: [Int]) -> WeighedJudgements {
    var numbers: [Int: Int] = [:]
    let drawn = places.map { place in
      let number = numbers[clusters[place]] ?? numbers.count
      numbers[clusters[place]] = number
      return number
    }
    return WeighedJudgements(
      labels: places.map { labels[$0] }, groups: places.map { groups[$0] }, clusters: drawn,
      sources: places.map { sources[$0] })
  }

  /// The places of each source, by its number.
  var places: [[Int]] {
    var places = [[Int]](repeating: [], count: (sources.max() ?? -1) + 1)
    for (place, source) in sources.enumerated() { places[source].append(place) }
    return places
  }

  /// The judgements of each source that has both labels, which count as half each, with its number.
  func bySource(_ probabilities: [Float]) -> [(source: Int, judgements: [Judgement])] {
    places.enumerated().compactMap { source, places in
      let own = subset(places)
      guard own.count(.real) > 0, own.count(.fake) > 0 else { return nil }
      return (source, own.judgements(places.map { probabilities[$0] }))
    }
  }
}
