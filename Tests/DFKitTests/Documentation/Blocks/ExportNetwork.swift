import DFKit
import Foundation

/// Writes a network as an ONNX file for images of 64 pixels.
func export(_ network: any Module, to file: URL) throws {
  let model = try ONNXModel(tracing: .init(size: 64)) { images in
    [("logits", network(images, .inference))]
  }
  try model.write(to: file)
}
