import Measures

/// Faces or videos with known labels, with the groups that decide how much each weighs and which
/// are drawn together by the bootstrap.
struct WeighedJudgements {
  /// The label of each judgement.
  let labels: [FaceLabel]
  /// The group of each: for a face its video, for a video itself. Within a source and label, all
  /// groups weigh the same.
  let groups: [Int]
  /// The group of each that the bootstrap draws as a whole.
  let clusters: [Int]
  /// The source of each, from 0.
  let sources: [Int]

  /// The number of groups that the bootstrap draws from.
  var clusterCount: Int { (clusters.max() ?? -1) + 1 }

  /// The number of judgements with this label.
  func count(_ label: FaceLabel) -> Int { labels.count { $0 == label } }

  /// The weight of each judgement. `times` is how often each cluster was drawn; nil: once each.
  func weights(_ times: [Double]? = nil) -> [Double] {
    var drawn: [Double]?
    if let times {
      var ofGroup = [Double](repeating: 0, count: (groups.max() ?? -1) + 1)
      for (group, cluster) in zip(groups, clusters) { ofGroup[group] = times[cluster] }
      drawn = ofGroup
    }
    return GroupWeights(groups: groups, labels: labels, sources: sources, times: drawn).weights
  }

  /// The judgements with these probabilities and their weights.
  func judgements(_ probabilities: [Float], _ times: [Double]? = nil) -> [Judgement] {
    let weights = weights(times)
    return labels.indices.map {
      Judgement(Double(probabilities[$0]), labels[$0], weight: weights[$0])
    }
  }

  /// The figures of these probabilities, with intervals from a bootstrap over whole clusters.
  func figures(
    _ probabilities: [Float], _ bootstrap: GroupBootstrap,
    _ metrics: [Metric] = CalibrationReport.metrics
  ) -> MetricFigures {
    MetricFigures(metrics, groups: clusterCount, bootstrap) {
      BinaryMetrics(judgements(probabilities, $0))
    }
  }

  /// The figures of `probabilities` minus those of `others`. The intervals draw the same clusters
  /// for both.
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

  /// The judgements at these places. Clusters are numbered anew from 0.
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

  /// The places of each source's judgements.
  var places: [[Int]] {
    var places = [[Int]](repeating: [], count: (sources.max() ?? -1) + 1)
    for (place, source) in sources.enumerated() { places[source].append(place) }
    return places
  }

  /// The judgements of each source with both labels, which weigh one half each, and the source's
  /// number.
  func bySource(_ probabilities: [Float]) -> [(source: Int, judgements: [Judgement])] {
    places.enumerated().compactMap { source, places in
      let own = subset(places)
      guard own.count(.real) > 0, own.count(.fake) > 0 else { return nil }
      return (source, own.judgements(places.map { probabilities[$0] }))
    }
  }
}
