import Classifiers

extension VideoExplanation {
  /// The content of the page, as `dfkit report --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
    [
      "version": .string(dfkitVersion),
      "file": [
        "path": .string(file.path), "bytes": .integer(file.size), "sha256": .string(file.sha256),
        "width": .integer(file.video?.width), "height": .integer(file.video?.height),
        "duration": file.video?.duration.map { .seconds($0) } ?? .null,
        "codec": .string(file.video?.codec),
      ],
      "verdict": report.json, "recipe": .string(recipe.name), "settings": .string(recipe.yaml),
      "models": .array(
        models.map {
          [
            "name": .string($0.name), "architecture": .string($0.architecture),
            "weights": .string($0.weights), "sha256": .string($0.sha256),
            "size": .integer($0.size),
          ]
        }), "people": .array(people.map(\.json)),
      "notLookedAt": .array(notLookedAt.map { .string($0) }),
    ]
  }
}

extension VideoExplanation.Person {
  fileprivate var json: JSON {
    [
      "id": .integer(report.id),
      "spread": spread.map { .numbers([$0.lowerBound, $0.upperBound]) } ?? .null,
      "scores": .array(
        scores.map { ["time": .seconds($0.time), "probability": .number($0.probability)] }),
      "driving": .array(
        driving.map { face in
          [
            "time": .seconds(face.time), "probability": .number(face.probability),
            "regions": .object(
              face.regions.map { .init(key: $0.region.rawValue, value: .number($0.weight)) }),
            "heat": face.heat.map {
              [
                "width": .integer($0.width), "height": .integer($0.height),
                "values": .numbers($0.values),
              ]
            } ?? .null,
          ]
        }),
    ]
  }
}
