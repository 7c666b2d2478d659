import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing

/// MTCNN's networks and the steps between them, each against facenet-pytorch.
@Suite struct MTCNNStageTests {
  @Test func proposalNetwork() throws {
    let golden = try MTCNNGolden.load()
    let pnet = try MTCNNNetworks(golden.weights).pnet
    let windows = golden.proposals.enumerated().map { index, p in
      PixelWindow(
        image: index, x: 0, y: 0, width: p.width, height: p.height, toWidth: p.toWidth,
        toHeight: p.toHeight)
    }
    let images = golden.proposals.map {
      Image.blocks($0.picture, width: $0.width, height: $0.height)
    }
    for (output, p) in zip(pnet(windows, of: images), golden.proposals) {
      #expect(output.shape == [p.rows, p.columns, 6])
      let rows = output.reshaped([p.rows * p.columns, 6])
      let logits = rows.slice(axis: 1, 0..<2).softmax(axis: 1).slice(axis: 1, 1..<2)
      expectClose(logits.scalars, p.scores, tolerance: 2e-6, "\(p.picture) scores")
      expectClose(
        rows.slice(axis: 1, 2..<6).scalars, p.offsets, tolerance: 5e-6, "\(p.picture) offsets")
    }
  }

  @Test func cropNetworks() throws {
    let golden = try MTCNNGolden.load()
    let networks = try MTCNNNetworks(golden.weights)
    for g in golden.crops {
      let net = g.network == "rnet" ? networks.rnet : networks.onet
      let image = Image.blocks(g.picture, width: g.width, height: g.height)
      let windows = g.crops.map { crop in
        let r = crop.rectangle
        return PixelWindow(
          image: 0, x: r[0], y: r[1], width: r[2], height: r[3], toWidth: net.side,
          toHeight: net.side)
      }
      let output = net(windows, of: [image])
      let scores = output.slice(axis: 1, 0..<2).softmax(axis: 1).slice(axis: 1, 1..<2)
      expectClose(scores.scalars, g.crops.map(\.score), tolerance: 2e-6, "\(g.network) scores")
      let rest = output.slice(axis: 1, 2..<output.shape[1])
      expectClose(
        rest.scalars, g.crops.flatMap(\.values), tolerance: 5e-6, "\(g.network) values")
      // One crop alone gives the same to the bit.
      #expect(net([windows[2]], of: [image]).scalars == output.slice(axis: 0, 2..<3).scalars)
    }
  }

  @Test func pyramids() throws {
    for g in try MTCNNGolden.load().pyramids {
      let pyramid = ImagePyramid(
        width: g.width, height: g.height, minimumFaceSize: g.smallest, factor: g.factor)
      #expect(pyramid.levels.map(\.scale) == g.levels.map(\.scale))
      #expect(pyramid.levels.map(\.width) == g.levels.map(\.width))
      #expect(pyramid.levels.map(\.height) == g.levels.map(\.height))
    }
    let small = ImagePyramid(width: 500, height: 19, minimumFaceSize: 20, factor: 0.7)
    #expect(small.levels.isEmpty)
  }

  @Test func boxes() throws {
    let golden = try MTCNNGolden.load().boxes
    var outside = 0
    for row in golden.boxes {
      let offsets = SIMD4(row.offsets[0], row.offsets[1], row.offsets[2], row.offsets[3])
      let moved = Box(row.box).moved(by: offsets, extra: 1)
      expectClose(moved.edges, row.moved, tolerance: 1e-6)
      let squared = moved.squared()
      expectClose(squared.edges, row.squared, tolerance: 1e-6)
      let pixels = Box(row.squared).pixels(width: golden.width, height: golden.height)
      #expect(pixels.map { [$0.x, $0.y, $0.width, $0.height] } ?? [] == row.pixels)
      outside += row.pixels.isEmpty ? 1 : 0
    }
    #expect(outside > 0 && outside < golden.boxes.count)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 1e30, -1e30])
  func pixelsOfImpossibleBoxes(value: Float) {
    for edge in 0..<4 {
      var edges: [Float] = [3, 4, 9, 8]
      edges[edge] = value
      let pixels = Box(edges).pixels(width: 20, height: 10)
      if let pixels {
        #expect(pixels.x >= 0 && pixels.width > 0 && pixels.x + pixels.width <= 20)
        #expect(pixels.y >= 0 && pixels.height > 0 && pixels.y + pixels.height <= 10)
      }
    }
  }

  @Test func suppression() throws {
    for g in try MTCNNGolden.load().suppression {
      let candidates = zip(g.boxes, g.scores).map {
        Candidate(box: Box($0), score: $1, offsets: .zero)
      }
      let suppression = CandidateSuppression(
        threshold: g.threshold, measure: g.measure == "smaller" ? .smaller : .union)
      #expect(suppression(candidates) == g.kept.map { candidates[$0] })
      #expect(g.kept.count > 3 && g.kept.count < candidates.count)
    }
  }

  @Test func onlyTheSurestCandidatesAreLookedAt() {
    let candidates = (0..<10).map { i in
      let x = Float(i) * 10
      return Candidate(
        box: Box(x1: x, y1: 0, x2: x + 5, y2: 5), score: Float(i) / 10, offsets: .zero)
    }
    let kept = CandidateSuppression(threshold: 0.5)(candidates, limit: 3)
    #expect(kept == [9, 8, 7].map { candidates[$0] })
  }

  /// Of equally sure candidates torchvision looks at the earlier one first, facenet-pytorch's "Min"
  /// at the later one.
  @Test func equallySureCandidates() {
    let candidates = [0, 1].map { i in
      Candidate(
        box: Box(x1: 0, y1: 0, x2: 50, y2: 50 + Float(i)), score: 0.5, offsets: .zero)
    }
    #expect(CandidateSuppression(threshold: 0.5)(candidates) == [candidates[0]])
    let smaller = CandidateSuppression(threshold: 0.5, measure: .smaller)
    #expect(smaller(candidates) == [candidates[1]])
  }
}
