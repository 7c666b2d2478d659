import Classifiers
import Foundation

extension FamiliarityReport {
  /// The report as text for the terminal.
  package var text: String {
    var lines = [
      "weights   \(TextTable.printable(weights))",
      "fitted to \(learnedFrom.real) real and \(learnedFrom.fake) fake faces of the training part,"
        + " \(familiarity.dimensions) of \(familiarity.featureCount) directions",
      "limits    "
        + FamiliarityTrait.allCases.compactMap { trait in
          familiarity.limits[trait].map {
            "\(trait.rawValue) \(trait.limitIsHighest ? "up to" : "from") \($0.measure)"
          }
        }.joined(separator: ", "),
      "",
    ]
    let traits = FamiliarityTrait.allCases
    var held = TextTable(
      [.init("held out"), .init("real", .right), .init("fake", .right), .init("refused", .right)]
        + traits.map { .init($0.rawValue, .right) })
    for source in sources {
      held.add(
        [source.name, "\(source.real)", "\(source.fake)", source.count.share]
          + traits.map(source.count.share))
    }
    var copies = TextTable(
      [.init("copies"), .init("faces", .right), .init("AUC", .right), .init("refused", .right)]
        + traits.map { .init($0.rawValue, .right) })
    copies.add(
      ["unchanged", "\(undamaged.faces)", "-", undamaged.share] + traits.map(undamaged.share))
    for damage in damages {
      copies.add(
        [
          damage.damage.words, "\(damage.count.faces)", damage.auc.fixed(3), damage.count.share,
        ] + traits.map(damage.count.share))
    }
    lines += [held.text, "", copies.text, ""]
    lines.append(
      "refused: the faces beyond at least one limit, in per cent; then beyond each limit. AUC: how"
        + " well the features separate copies from unchanged faces.")
    return lines.joined(separator: "\n")
  }

  /// The report as `dfkit familiarity --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
    [
      "weights": .string(weights),
      "learnedFrom": ["real": .integer(learnedFrom.real), "fake": .integer(learnedFrom.fake)],
      "dimensions": .integer(familiarity.dimensions),
      "features": .integer(familiarity.featureCount),
      "limits": familiarity.limits.json,
      "sources": .array(
        sources.map {
          [
            "name": .string($0.name), "real": .integer($0.real), "fake": .integer($0.fake),
            "refused": $0.count.json,
          ]
        }), "undamaged": undamaged.json,
      "copies": .array(
        damages.map {
          [
            "damage": .string($0.damage.rawValue), "refused": $0.count.json,
            "auc": .double($0.auc), "mahalanobisAUC": .double($0.mahalanobisAUC),
            "residualAUC": .double($0.residualAUC),
          ]
        }),
    ]
  }
}

extension FamiliarityReport.Count {
  fileprivate var share: String { Self.percent(unfamiliar, of: faces) }

  fileprivate func share(_ trait: FamiliarityTrait) -> String {
    Self.percent(traits[trait] ?? 0, of: faces)
  }

  private static func percent(_ part: Int, of all: Int) -> String {
    all == 0 ? "-" : (100 * Double(part) / Double(all)).fixed(1)
  }

  fileprivate var json: JSON {
    [
      "faces": .integer(faces), "unfamiliar": .integer(unfamiliar),
      "traits": .object(
        FamiliarityTrait.allCases.map {
          .init(key: $0.rawValue, value: .integer(traits[$0] ?? 0))
        }),
    ]
  }
}

extension TraitValues {
  /// An object with the traits that have a value.
  var json: JSON {
    .object(
      FamiliarityTrait.allCases.compactMap { trait in
        self[trait].map { .init(key: trait.rawValue, value: .number($0)) }
      })
  }
}

extension Float {
  /// The value for tables: four decimals below 0.1, two below 10, otherwise none.
  var measure: String {
    switch abs(self) {
    case ..<0.1: fixed(4)
    case ..<10: fixed(2)
    default: fixed(0)
    }
  }
}
