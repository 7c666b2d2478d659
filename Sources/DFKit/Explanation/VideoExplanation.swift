import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// A verdict with the scores and faces that led to it, as `dfkit report` shows it.
package struct VideoExplanation: Sendable {
  package struct FileFacts: Sendable, Equatable {
    /// The path as it was given.
    package var path: String
    /// In bytes.
    package var size: Int
    /// The hash of the file's bytes.
    package var sha256: String
    /// The properties of a video; nil for an image.
    package var video: VideoInfo?
  }

  /// A network that was used.
  package struct Model: Sendable, Equatable {
    /// The member's name in the recipe, or `detector`.
    package var name: String
    package var architecture: String
    /// The name of its weights.
    package var weights: String
    /// The hash of the weights file's bytes.
    package var sha256: String
    /// The side of the input, in pixels; nil for a detector.
    package var size: Int?
  }

  /// One of the faces that influenced the verdict most.
  package struct DrivingFace: Sendable {
    /// Its index in the faces of the report's `scores`.
    package var place: Int
    /// In seconds; 0 for an image.
    package var time: Double
    /// The probability of "fake" for this face alone.
    package var probability: Float
    /// The crop that the networks saw.
    package var crop: Image
    /// Which places of the crop speak for "fake" (Grad-CAM), averaged over the networks; nil if no
    /// network has a map.
    package var heat: HeatMap?
    /// The weights of the face's regions, averaged over the networks. Empty if its landmarks are
    /// unknown.
    package var regions: [RegionOcclusion.Finding]
  }

  /// A person, with the faces that influenced the verdict most.
  package struct Person: Sendable {
    /// The person's verdict and where the person was seen.
    package var report: VideoReport.Person
    /// The time and probability of every scored face, in the order of time.
    package var scores: [(time: Double, probability: Float)]
    /// The range of the middle 80 % of the faces' probabilities; nil if no face was scored.
    package var spread: ClosedRange<Float>?
    /// The faces that influenced the verdict most, in the order of time.
    package var driving: [DrivingFace]
  }

  /// The verdict with all scores.
  package var report: VideoReport
  package var file: FileFacts
  /// The detector, then the recipe's members.
  package var models: [Model]
  /// The recipe that was used.
  package var recipe: Recipe
  /// The people, by `id`.
  package var people: [Person]
  /// What was not examined, in words, such as frames, sound or small faces.
  package var notLookedAt: [String]
}

/// Makes verdicts together with their explanations.
package struct VideoExplainer: Sendable {
  /// Makes the verdicts.
  package var predictor: VideoPredictor
  /// The number of faces shown for each person.
  package var drivingFaces = 6
  private let recipe: Recipe
  private let models: [VideoExplanation.Model]
  private let maps: [GradCAM]

  /// An explainer for a recipe with its weights.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the weights cannot be used.
  package init(recipe: Recipe, weights: MemberFiles, detectorWeights: WeightsSource) throws {
    var recipe = recipe
    recipe.noteCalibration(of: weights)
    self.recipe = recipe
    predictor = try VideoPredictor(
      recipe: recipe, weights: weights, detectorWeights: detectorWeights)
    var models = [
      VideoExplanation.Model(
        name: "detector", architecture: recipe.detector.kind.rawValue,
        weights: detectorWeights.name,
        sha256: try detectorWeights.digest())
    ]
    var maps: [GradCAM] = []
    for entry in weights.entries {
      let cam = try GradCAM(try entry.weights.read(), entry.member.network)
      maps.append(cam)
      models.append(
        VideoExplanation.Model(
          name: entry.member.name, architecture: cam.settings.architecture.rawValue,
          weights: entry.weights.name,
          sha256: try entry.weights.digest(),
          size: cam.settings.input.size))
    }
    self.models = models
    self.maps = maps
  }

  /// The verdict on a file, with its explanation.
  ///
  /// - Throws: The errors of `VideoPredictor.predict`.
  package func explain(
    _ file: URL, progress: (Double) -> Void = { _ in }
  ) throws -> VideoExplanation {
    let (report, crops) = try predictor.judge(file) { progress(0.8 * $0) }
    var people: [VideoExplanation.Person] = []
    for (index, person) in report.people.enumerated() {
      try Task.checkCancellation()
      people.append(explained(person, report, crops))
      progress(0.8 + 0.2 * Double(index + 1) / Double(report.people.count))
    }
    let facts = try Self.facts(file)
    return VideoExplanation(
      report: report, file: facts, models: models, recipe: recipe, people: people,
      notLookedAt: notLookedAt(report, facts.video))
  }

  private func explained(
    _ person: VideoReport.Person, _ report: VideoReport, _ crops: [JudgedCrop]
  ) -> VideoExplanation.Person {
    let models = predictor.maker.combination.models
    let faces = report.scores.faces.enumerated().filter { $0.element.person == person.id }
      .map { place, face in
        (place: place, time: face.time, probability: models.aggregate(face.scores))
      }
    let sorted = faces.map(\.probability).sorted()
    let spread = sorted.first.map { _ in
      sorted[sorted.count / 10]...sorted[sorted.count - 1 - sorted.count / 10]
    }
    // For "real", show the faces with the lowest probability of "fake"; otherwise those with the
    // highest.
    let isReal = person.verdict.answer == .real
    let ranked = faces.sorted {
      isReal ? $0.probability < $1.probability : $0.probability > $1.probability
    }
    let driving = ranked.prefix(drivingFaces).sorted { $0.time < $1.time }
    return VideoExplanation.Person(
      report: person, scores: faces.map { ($0.time, $0.probability) }, spread: spread,
      driving: driving.map { face in
        let crop = crops[face.place]
        return VideoExplanation.DrivingFace(
          place: face.place, time: face.time, probability: face.probability, crop: crop.image,
          heat: HeatMap.mean(maps.map { $0(crop.motion).map }), regions: regions(crop))
      })
  }

  /// The weight of each region, averaged over the members.
  private func regions(_ crop: JudgedCrop) -> [RegionOcclusion.Finding] {
    var sums: [RegionOcclusion.Region: Float] = [:]
    var count: Float = 0
    for member in predictor.members {
      guard let classifier = member.scorer as? any FrameClassifier,
        let findings = RegionOcclusion(classifier)(crop.motion, landmarks: crop.landmarks)
      else { continue }
      count += 1
      for finding in findings { sums[finding.region, default: 0] += finding.weight }
    }
    return sums.map { .init(region: $0.key, weight: $0.value / count) }
      .sorted { ($0.weight, $1.region.rawValue) > ($1.weight, $0.region.rawValue) }
  }

  private static func facts(_ file: URL) throws -> VideoExplanation.FileFacts {
    let (digits, size) = try SHA256.digits(ofFile: file)
    let isVideo = try MediaKind.of(file) == .video
    return VideoExplanation.FileFacts(
      path: file.relativePath, size: size, sha256: digits,
      video: isVideo ? (try? Video(file))?.info : nil)
  }

  /// What was not examined, in words.
  private func notLookedAt(_ report: VideoReport, _ video: VideoInfo?) -> [String] {
    var lines: [String] = []
    if let video {
      if let all = video.containerFrames, all > report.frames {
        lines.append(
          "\(all - report.frames) of its \(all) frames; \(report.frames) were analysed, evenly"
            + " spread"
        )
      } else {
        lines.append("all frames except the \(report.frames) that were analysed, evenly spread")
      }
      lines.append(video.hasAudio ? "the sound" : "sound: the video has none")
    }
    let empty = report.frames - report.facesFound
    if empty > 0 { lines.append("\(empty) of the analysed frames, in which no face was found") }
    if let least = recipe.detector.minFace, least > 0 {
      lines.append("faces smaller than \(Int(least)) pixels")
    }
    let seldom = report.people.count { !$0.counts }
    if seldom > 0 {
      lines.append(
        "\(seldom) \(seldom == 1 ? "person" : "people") seen in too few frames for the verdict")
    }
    lines.append("everything except faces: hands, background, captions")
    return lines
  }
}
