import DFKit
import Foundation

func makeFakes(outOf folder: URL) throws {
  let whole = try FaceManifest.read(folder).withMadeFakes()
  var settings = FaceLoader.Options(batchSize: 20, input: InputSpec(size: 128))
  settings.blending.donor = 0.3
  let order = try Sampler(whole, order: .balanced, madeShare: 0.5, seed: 1).indices(epoch: 0)
  let loader = FaceLoader(whole, order: order, settings)
  while let batch = try loader.next() { print(batch.images.shape, batch.labels.scalars) }
}
