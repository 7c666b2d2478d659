import DFKit
import Foundation

func train(on folder: URL, output: URL) throws {
  let manifest = try FaceManifest.read(folder)
  let split = try HoldOut(fraction: 0.2).split(manifest)
  var settings = ClassifierSettings(.efficientNetB0, norm: .group)
  settings.input.size = 128
  var options = TrainingOptions()
  options.epochs = 10
  let trainer = Trainer(TrainableNetwork(settings, dropout: 0.4), options)
  let result = try trainer.run(
    training: split.training, validation: split.heldOut, in: RunFolder(output))
  print(result.epochs.last?.frames?.logLoss ?? "no validation part")
}
