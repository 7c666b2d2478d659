/// Judgements sorted by falling score, with the number of hits and false alarms at each threshold.
package struct Ranking: Sendable {
  /// The judgements called fake at a threshold.
  package struct Step: Sendable, Equatable {
    /// The threshold: judgements with at least this score are called fake.
    package var score: Double
    /// The weight of the reals called fake.
    package var falseAlarms: Double
    /// The weight of the fakes called fake.
    package var hits: Double
  }

  /// One step for each distinct score, from the highest down.
  package let steps: [Step]
  /// The weight of all reals.
  package let reals: Double
  /// The weight of all fakes.
  package let fakes: Double

  /// Creates the ranking; nil unless both labels have positive weight. No score may be NaN.
  init?(_ judgements: [Judgement]) {
    var isSorted = true
    for index in judgements.indices.dropFirst()
    where judgements[index - 1].score < judgements[index].score {
      isSorted = false
      break
    }
    let sorted = isSorted ? judgements : judgements.sorted { $0.score > $1.score }
    var steps: [Step] = []
    var (falseAlarms, hits, place) = (0.0, 0.0, 0)
    while place < sorted.count {
      let score = sorted[place].score
      let before = falseAlarms + hits
      while place < sorted.count, sorted[place].score == score {
        if sorted[place].label == .fake {
          hits += sorted[place].weight
        } else {
          falseAlarms += sorted[place].weight
        }
        place += 1
      }
      if falseAlarms + hits > before {
        steps.append(Step(score: score, falseAlarms: falseAlarms, hits: hits))
      }
    }
    guard falseAlarms > 0, hits > 0 else { return nil }
    self.steps = steps
    (reals, fakes) = (falseAlarms, hits)
  }

  /// The ROC curve, from (0, 0) to (1, 1): the fraction of reals called fake and the fraction of
  /// fakes called fake.
  package var rocCurve: [(falseRate: Double, trueRate: Double)] {
    [(0, 0)] + steps.map { ($0.falseAlarms / reals, $0.hits / fakes) }
  }

  /// The precision-recall curve, by falling score: recall is the fraction of fakes called fake,
  /// precision the fraction of those called fake that are fake.
  package var precisionRecallCurve: [(recall: Double, precision: Double)] {
    steps.map { ($0.hits / fakes, $0.hits / ($0.hits + $0.falseAlarms)) }
  }

  /// The area under the ROC curve.
  package var auc: Double {
    var (area, last) = (0.0, Step(score: .infinity, falseAlarms: 0, hits: 0))
    for step in steps {
      area += (step.falseAlarms - last.falseAlarms) * (step.hits + last.hits) / 2
      last = step
    }
    return area / (reals * fakes)
  }

  /// The mean precision, weighted by the fakes that each step finds.
  package var averagePrecision: Double {
    var (sum, found) = (0.0, 0.0)
    for step in steps {
      sum += (step.hits - found) * step.hits / (step.hits + step.falseAlarms)
      found = step.hits
    }
    return sum / fakes
  }

  /// The false positive rate at which the ROC curve meets the line of equal error rates.
  package var equalErrorRate: Double {
    var (last, below) = (0.0, -1.0)
    for point in rocCurve.dropFirst() {
      let above = point.falseRate - (1 - point.trueRate)
      if above >= 0 {
        return last + -below / (above - below) * (point.falseRate - last)
      }
      (last, below) = (point.falseRate, above)
    }
    return last
  }
}
