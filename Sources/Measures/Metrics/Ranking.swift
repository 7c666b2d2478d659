/// Judgements by falling score: what is called fake, and how much of it rightly, at each threshold.
package struct Ranking: Sendable {
  /// What is called fake at a threshold.
  package struct Step: Sendable, Equatable {
    /// The threshold: judgements of this score and above are called fake.
    package var score: Double
    /// The weight of the reals among them.
    package var falseAlarms: Double
    /// The weight of the fakes among them.
    package var hits: Double
  }

  /// One step for each score that there is, from the highest down.
  package let steps: [Step]
  /// The weight of all reals.
  package let reals: Double
  /// The weight of all fakes.
  package let fakes: Double

  /// The ranking; nil unless both reals and fakes count. No score is NaN.
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

  /// The receiver operating characteristic, from (0, 0) to (1, 1): the share of reals called fake,
  /// and of fakes found.
  package var rocCurve: [(falseRate: Double, trueRate: Double)] {
    [(0, 0)] + steps.map { ($0.falseAlarms / reals, $0.hits / fakes) }
  }

  /// The precision-recall curve as scores go down: the share of fakes found, and of what is called
  /// fake that is.
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

  /// The mean precision, by the fakes that each step finds.
  package var averagePrecision: Double {
    var (sum, found) = (0.0, 0.0)
    for step in steps {
      sum += (step.hits - found) * step.hits / (step.hits + step.falseAlarms)
      found = step.hits
    }
    return sum / fakes
  }

  /// Where the ROC curve meets the line on which both errors are equally frequent.
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
