// MesoNet, a network that dfkit does not know, from training to a verdict: it is registered in
// code, trained on a manifest, saved, and loaded by a recipe that judges a video.
//
//     CustomNetwork [VIDEO [MANIFEST]]
//
// Without arguments, the networks learn from the faces of the sample video, unchanged ("real") and
// blurred ("fake"), and then judge the same video. This is a demonstration, not a detector.
import DFKit
import Foundation

ClassifierFamilies.register(MesoNet())

let arguments = CommandLine.arguments.dropFirst().map { URL(fileURLWithPath: $0) }
let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../../sample.mp4").standardizedFileURL
let video = arguments.first ?? sample
let folder = FileManager.default.temporaryDirectory
  .appendingPathComponent("custom-network-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }

/// Writes crops of the sample's faces, each one unchanged and once blurred, and a manifest of them.
/// Returns the manifest.
func writeData(_ recipe: Recipe) throws -> URL {
  let detector = try recipe.detector.load(WeightsSource(argument: "face-detector"))
  var lines = ["path,label,video,split"]
  var count = 0
  try Video(sample).evenlySpacedFrames(32) { frame in
    guard let face = try detector.detect([frame.image])[0].first else { return }
    let crop = frame.image.cropped(
      x: Int(face.box.x1), y: Int(face.box.y1), width: Int(face.box.width),
      height: Int(face.box.height), edges: .black)
    let small = crop.resized(width: 12, height: 12, method: .area)
    let smooth = small.resized(width: crop.width, height: crop.height, method: .bilinear)
    for (label, image) in [("REAL", crop), ("FAKE", smooth)] {
      let name = "\(label)-\(count).png"
      try ImageFile.write(image, to: folder.appendingPathComponent(name))
      // Every fourth frame is for validation, the others for training.
      lines.append("\(name),\(label),\(label)-\(count),\(count % 4 == 3 ? "validation" : "train")")
    }
    count += 1
  }
  let manifest = folder.appendingPathComponent("manifest.csv")
  try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: manifest)
  return manifest
}

/// A recipe with one network, identified by its name only.
func recipe(_ architecture: Architecture) throws -> Recipe {
  let yaml = """
    name: \(architecture.rawValue)
    frames: 10
    detector: {kind: retinaface, frameScale: auto}
    crop: {shape: square, margin: 0}
    members:
      - {name: only, architecture: \(architecture.rawValue), size: 64}
    training:
      epochs: 12
      batchSize: 8
      augmentation: none
      optimizer: {kind: adam, learningRate: 0.005}
    """
  return try Recipe(yaml: yaml, file: "\(architecture.rawValue).yaml")
}

let published = [(MesoNet.meso4, 27_977), (MesoNet.mesoInception4, 28_615)]
let data = try arguments.count > 1 ? arguments[1] : writeData(try recipe(MesoNet.meso4))
for (architecture, parameters) in published {
  // The network has the number of parameters stated in the paper.
  let network = ClassifierSettings(architecture).makeNetwork()
  precondition(network.store.learnableCount == parameters)
  print("\(architecture.rawValue): \(parameters) parameters at 256 pixels")

  let recipe = try recipe(architecture)
  let run = RunFolder(folder.appendingPathComponent(architecture.rawValue))
  let job = TrainingJob(recipe: recipe, member: recipe.members[0], data: [data], folder: run)
  let result = try job.run(try job.plan())
  if let measured = result.epochs.last?.frames {
    print("  after \(result.epochs.count) epochs, log loss on held-out faces: \(measured.logLoss)")
  }

  // The weights file stores the architecture and the input size.
  let state = try StateDict.read(run.best)
  let found = try ClassifierSettings.resolve(state)
  precondition(found.architecture == architecture && found.input.size == 64)

  let weights = try MemberFiles([run.best.path], members: recipe.members)
  let predictor = try VideoPredictor(
    recipe: recipe, weights: weights, detectorWeights: WeightsSource(argument: "face-detector"))
  let report = try predictor.predict(video)
  let probability = report.verdict.probability.map { "\($0)" } ?? "unknown"
  print("  \(video.lastPathComponent): \(report.verdict.answer.rawValue), P(fake) = \(probability)")
}
