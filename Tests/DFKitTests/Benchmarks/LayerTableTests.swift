import DFKit
import DeepfakeCore
import TestSupport
import Testing

@Suite struct LayerTableTests {
  private static func entry(
    _ key: String, _ kind: LayerWork.Kind, calls: Int, seconds: Double
  ) -> LayerTimes.Entry {
    let work = LayerWork(
      kind, input: [1, 4, 4, 10], output: [1, 4, 4, 20], weights: 200, multiplyAdds: 3_200)
    return LayerTimes.Entry(key: key, work: work, calls: calls, seconds: seconds)
  }

  /// Two layers of an expansion, in three runs over two images.
  private static let table = LayerTable(
    runs: [0.010, 0.030, 0.014].map { seconds in
      (
        seconds: seconds,
        entries: [
          entry("blocks.1.0.conv_pw", .pointwise, calls: 2, seconds: seconds / 10),
          entry("blocks.1.0.bn1", .norm, calls: 2, seconds: seconds / 5),
          entry("blocks.1.0.conv_pwl", .pointwise, calls: 2, seconds: seconds / 2),
          entry("blocks.1.1.conv_pw", .pointwise, calls: 2, seconds: seconds / 10),
          entry("blocks.1.1.conv_pwl", .pointwise, calls: 2, seconds: 0),
        ]
      )
    }, images: 2, machine: .measure(memory: false))

  @Test func layersAddUp() {
    let table = Self.table
    // The median run took 14 ms, so 7 ms an image.
    expectClose(table.wholeMilliseconds, 7)
    let names = ["pw", "bn1", "pwl", "pw", "pwl"]
    for (row, (name, expected)) in zip(table.layers, zip(names, [0.7, 1.4, 3.5, 0.7, 0])) {
      #expect(row.key.hasSuffix(name))
      expectClose(row.milliseconds, expected)
      #expect(row.shape == "4x4x10 > 4x4x20")
      #expect(row.count == 2)
      // Two calls for two images: 3,200 multiply-adds an image, of two operations each.
      expectClose(row.megaflop, 0.0064)
      expectClose(row.megabytes, 4 * (160 + 320 + 200) / 1e6)
    }
    expectClose(table.layers[0].gflops, 0.0064 / 0.7)
    #expect(table.layers[4].gflops == 0)
    expectClose(table.otherMilliseconds, 0.7)
    #expect(table.kinds.first?.kind == "project")
    #expect(Set(table.kinds.map(\.kind)) == ["project", "norm", "expand"])
    let expansions = table.kinds.first { $0.kind == "expand" }
    #expect(expansions?.count == 2)
    expectClose(expansions?.milliseconds ?? 0, 1.4)
    expectClose(expansions?.megaflop ?? 0, 0.0128)
  }

  @Test func theSlowestCanComeFirst() throws {
    var result = BenchmarkResult(
      work: "classify", architecture: "efficientnet-b0", norm: "group", size: .side(8), batch: 2,
      threads: 1, warmUps: 0, times: RunTimes([7]))
    result.layers = Self.table
    let executed = try #require(result.details.first).split(separator: "\n")
    #expect(executed[2].hasPrefix("blocks.1.0.conv_pw "))
    result.layers?.order = .time
    let sorted = try #require(result.details.first).split(separator: "\n")
    #expect(sorted[2].hasPrefix("blocks.1.0.conv_pwl"))
    #expect(sorted[0] == "classify efficientnet-b0 group 8 batch 2")
    #expect(sorted.last?.contains("GFLOP/s; reads from L2") == true)
    // Time shares are of the whole.
    #expect(sorted[2].contains("50.0 %"))
  }

  @Test(arguments: [
    ("conv_stem", "stem"), ("bn1", "norm"), ("blocks.0.0.conv_pw", "project"),
    ("blocks.1.0.conv_pw", "expand"), ("blocks.1.0.conv_pwl", "project"),
    ("blocks.1.0.se.conv_reduce", "squeeze"), ("blocks.1.0.se.conv_expand", "squeeze"),
    ("blocks.1.0.conv_dw", "depthwise"), ("conv_head", "head"), ("classifier", "head"),
    ("body.stage1.0.0", "backbone pointwise"), ("fpn.merge1.0", "pyramid pointwise"),
    ("ssh2.conv3X3.0+ssh2.conv5X5_1.0", "context pointwise"),
    ("ClassHead.0.conv1x1+BboxHead.0.conv1x1", "head pointwise"),
    ("pnet.conv1 to pnet.conv4_1+pnet.conv4_2", "pointwise"),
  ])
  func kindsComeFromKeys(_ key: String, _ kind: String) {
    let kinds = LayerKinds(keys: [
      "blocks.0.0.conv_pw", "blocks.1.0.conv_pw", "blocks.1.0.conv_pwl",
    ])
    #expect(kinds.kind(of: key, key == "bn1" ? .norm : .pointwise) == kind)
    #expect(kinds.kind(of: "blocks.1.0.conv_dw", .block) == "stage 1")
    #expect(kinds.kind(of: "pnet.conv1 to pnet.conv3", .block) == "block")
    #expect(kinds.name(of: "blocks.1.0.conv_dw", .block) == "blocks.1.0")
    #expect(kinds.name(of: "blocks.1.0.conv_dw", .depthwise) == "blocks.1.0.conv_dw")
  }
}

private func expectClose(
  _ found: Double, _ expected: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    abs(found - expected) <= 1e-9, "\(found), not \(expected)", sourceLocation: sourceLocation)
}
