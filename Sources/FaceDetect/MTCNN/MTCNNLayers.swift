import DeepfakeCore

// The three networks of MTCNN with their parameters, with facenet-pytorch's keys, and their packing
// for inference. Heads that read the same features are joined into one layer.

/// The input normalisation of all three networks: (byte - 127.5) / 128.
private let mean: Float = 127.5
private let scale: Float = 0.0078125

/// The parameters of the three networks, in one store.
package struct MTCNNLayers {
  let pnet: PNetLayers
  let rnet: RNetLayers
  let onet: ONetLayers

  package init(_ scope: Scope) {
    pnet = PNetLayers(scope / MTCNNPart.pnet.rawValue)
    rnet = RNetLayers(scope / MTCNNPart.rnet.rawValue)
    onet = ONetLayers(scope / MTCNNPart.onet.rawValue)
  }
}

/// P-Net: proposes faces in windows of 12 pixels, with a stride of 2.
struct PNetLayers {
  let conv1, conv2, conv3, scores, boxes: Conv2d
  let prelu1, prelu2, prelu3: PReLU

  init(_ scope: Scope) {
    conv1 = Conv2d(scope / "conv1", 3, 10, kernel: 3)
    prelu1 = PReLU(scope / "prelu1", 10)
    conv2 = Conv2d(scope / "conv2", 10, 16, kernel: 3)
    prelu2 = PReLU(scope / "prelu2", 16)
    conv3 = Conv2d(scope / "conv3", 16, 32, kernel: 3)
    prelu3 = PReLU(scope / "prelu3", 32)
    scores = Conv2d(scope / "conv4_1", 32, 2, kernel: 1)
    boxes = Conv2d(scope / "conv4_2", 32, 4, kernel: 1)
  }

  func packed() -> PNet {
    PNet(
      pipeline: PixelPipeline(
        [
          .convolution(conv1, prelu1), .maxPool(kernel: 2, stride: 2),
          .convolution(conv2, prelu2), .convolution(conv3, prelu3),
          .convolution(Conv2d(joining: [scores, boxes]), nil),
        ], mean: mean, scale: scale))
  }
}

/// R-Net: judges crops of 24x24 pixels.
struct RNetLayers {
  let conv1, conv2, conv3: Conv2d
  let prelu1, prelu2, prelu3, prelu4: PReLU
  let dense, scores, boxes: Linear

  init(_ scope: Scope) {
    conv1 = Conv2d(scope / "conv1", 3, 28, kernel: 3)
    prelu1 = PReLU(scope / "prelu1", 28)
    conv2 = Conv2d(scope / "conv2", 28, 48, kernel: 3)
    prelu2 = PReLU(scope / "prelu2", 48)
    conv3 = Conv2d(scope / "conv3", 48, 64, kernel: 2)
    prelu3 = PReLU(scope / "prelu3", 64)
    dense = Linear(scope / "dense4", 576, 128)
    prelu4 = PReLU(scope / "prelu4", 128)
    scores = Linear(scope / "dense5_1", 128, 2)
    boxes = Linear(scope / "dense5_2", 128, 4)
  }

  func packed() -> CropNet {
    dense.readColumnByColumn(height: 3, width: 3)
    return CropNet(
      side: 24,
      trunk: PixelPipeline(
        [
          .convolution(conv1, prelu1), .maxPool(kernel: 3, stride: 2),
          .convolution(conv2, prelu2), .maxPool(kernel: 3, stride: 2),
        ], mean: mean, scale: scale),
      last: PackedConv2d(conv3, prelu: prelu3), dense: PackedLinear(dense, prelu: prelu4),
      heads: PackedLinear(Linear(joining: [scores, boxes])))
  }
}

/// O-Net: judges crops of 48x48 pixels and finds landmarks.
struct ONetLayers {
  let conv1, conv2, conv3, conv4: Conv2d
  let prelu1, prelu2, prelu3, prelu4, prelu5: PReLU
  let dense, scores, boxes, landmarks: Linear

  init(_ scope: Scope) {
    conv1 = Conv2d(scope / "conv1", 3, 32, kernel: 3)
    prelu1 = PReLU(scope / "prelu1", 32)
    conv2 = Conv2d(scope / "conv2", 32, 64, kernel: 3)
    prelu2 = PReLU(scope / "prelu2", 64)
    conv3 = Conv2d(scope / "conv3", 64, 64, kernel: 3)
    prelu3 = PReLU(scope / "prelu3", 64)
    conv4 = Conv2d(scope / "conv4", 64, 128, kernel: 2)
    prelu4 = PReLU(scope / "prelu4", 128)
    dense = Linear(scope / "dense5", 1152, 256)
    prelu5 = PReLU(scope / "prelu5", 256)
    scores = Linear(scope / "dense6_1", 256, 2)
    boxes = Linear(scope / "dense6_2", 256, 4)
    landmarks = Linear(scope / "dense6_3", 256, 10)
  }

  func packed() -> CropNet {
    dense.readColumnByColumn(height: 3, width: 3)
    return CropNet(
      side: 48,
      trunk: PixelPipeline(
        [
          .convolution(conv1, prelu1), .maxPool(kernel: 3, stride: 2),
          .convolution(conv2, prelu2), .maxPool(kernel: 3, stride: 2),
          .convolution(conv3, prelu3), .maxPool(kernel: 2, stride: 2),
        ], mean: mean, scale: scale),
      last: PackedConv2d(conv4, prelu: prelu4), dense: PackedLinear(dense, prelu: prelu5),
      heads: PackedLinear(Linear(joining: [scores, boxes, landmarks])))
  }
}

extension MTCNNLayers {
  /// The networks' input: bytes minus 127.5, divided by 128.
  static let normalization = PixelNormalization(
    mean: [0.5, 0.5, 0.5], std: [128.0 / 255, 128.0 / 255, 128.0 / 255])

  /// The outputs of a network for prepared images, in plain layers: boxes, scores (background,
  /// face) and, of O-Net, landmarks. Detection runs the packed networks instead.
  func outputs(of part: MTCNNPart, _ x: Tensor) -> [(name: String, value: Tensor)] {
    func layer(_ x: Tensor, _ conv: Conv2d, _ prelu: PReLU, pool: Int? = nil) -> Tensor {
      let y = prelu(conv(x))
      return pool.map { y.maxPool(Size2d($0), stride: 2, ceilMode: true) } ?? y
    }
    func dense(_ x: Tensor, _ linear: Linear, _ prelu: PReLU) -> Tensor {
      // The published weights read the maps column by column.
      let rows = x.transposed([0, 2, 1, 3]).reshaped([x.shape[0], x.count / x.shape[0]])
      return prelu(linear(rows))
    }
    switch part {
    case .pnet:
      let first = layer(x, pnet.conv1, pnet.prelu1, pool: 2)
      let maps = layer(layer(first, pnet.conv2, pnet.prelu2), pnet.conv3, pnet.prelu3)
      return [("boxes", pnet.boxes(maps)), ("scores", pnet.scores(maps).softmax(axis: 3))]
    case .rnet:
      let maps = layer(layer(x, rnet.conv1, rnet.prelu1, pool: 3), rnet.conv2, rnet.prelu2, pool: 3)
      let row = dense(layer(maps, rnet.conv3, rnet.prelu3), rnet.dense, rnet.prelu4)
      return [("boxes", rnet.boxes(row)), ("scores", rnet.scores(row).softmax(axis: 1))]
    case .onet:
      var maps = layer(x, onet.conv1, onet.prelu1, pool: 3)
      maps = layer(maps, onet.conv2, onet.prelu2, pool: 3)
      maps = layer(maps, onet.conv3, onet.prelu3, pool: 2)
      let row = dense(layer(maps, onet.conv4, onet.prelu4), onet.dense, onet.prelu5)
      return [
        ("boxes", onet.boxes(row)), ("scores", onet.scores(row).softmax(axis: 1)),
        ("landmarks", onet.landmarks(row)),
      ]
    }
  }
}

extension Linear {
  /// Reorders the weights' input features. In the published order, the rows of a column follow each
  /// other; in this package's maps, the columns of a row do.
  fileprivate func readColumnByColumn(height: Int, width: Int) {
    let (inputs, outputs) = (weight.shape[0], weight.shape[1])
    let channels = inputs / (height * width)
    weight.value = weight.value.reshaped([width, height, channels, outputs])
      .transposed([1, 0, 2, 3]).reshaped([inputs, outputs])
  }
}
