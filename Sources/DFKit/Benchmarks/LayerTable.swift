import DeepfakeCore

/// Where a network's time goes: the time and work of each layer, beside the peak speed of the
/// machine.
package struct LayerTable: Sendable, Equatable {
  /// One layer, or all layers of one kind. Numbers are for one image.
  package struct Row: Sendable, Equatable {
    /// The key of the layer's weight without the name `weight`; empty for several layers.
    package var key: String
    /// The layer's role in its network: `expand`, `depthwise`, `norm` and so on.
    package var kind: String
    /// Input and output shape without the batch, as `28x28x32 > 28x28x192`.
    package var shape: String
    /// For a layer, its calls in one run; for a kind, the number of its layers.
    package var count: Int
    /// Milliseconds per image: the median of the runs.
    package var milliseconds: Double
    /// Multiplications and additions per image, in millions (two for each multiply-add).
    package var megaflop: Double
    /// Megabytes per image that must be moved at least: weights, input and output, each once.
    package var megabytes: Double

    /// Speed in GFLOP/s; 0 if no time was measured.
    package var gflops: Double { milliseconds > 0 ? megaflop / milliseconds : 0 }
    /// Bandwidth in GB/s, counting only the bytes that must be moved; 0 if no time was measured.
    package var bandwidth: Double { milliseconds > 0 ? megabytes / milliseconds : 0 }
  }

  /// The order in which layers are listed.
  package enum Order: String, Sendable, CaseIterable {
    /// In the order of execution.
    case executed
    /// Slowest first.
    case time
  }

  /// The layers, in the order of execution.
  package var layers: [Row]
  /// The layers summed up by kind, slowest first.
  package var kinds: [Row]
  /// Milliseconds per image spent outside layers.
  package var otherMilliseconds: Double
  /// Milliseconds per image in total: the median of the recorded runs.
  package var wholeMilliseconds: Double
  /// The peak speed of the machine.
  package var machine: MachineTable
  /// The order in which `text` and JSON list the layers.
  package var order = Order.executed

  /// A table from recorded runs. Each run covers `images` images; there must be at least one run.
  package init(
    runs: [(seconds: Double, entries: [LayerTimes.Entry])], images: Int, machine: MachineTable
  ) {
    let images = Double(images)
    wholeMilliseconds = RunTimes(runs.map(\.seconds)).median * 1000 / images
    let byRun = runs.map { Dictionary(grouping: $0.entries, by: \.key) }
    var keys: [String] = []
    var seen: Set<String> = []
    for entry in runs.first?.entries ?? [] where seen.insert(entry.key).inserted {
      keys.append(entry.key)
    }
    let kinds = LayerKinds(keys: seen)
    layers = keys.map { key in
      let seconds = RunTimes(byRun.map { run in run[key, default: []].sum(\.seconds) }).median
      let entries = byRun[0][key, default: []]
      let work = entries[0].work
      return Row(
        key: kinds.name(of: key, work.kind), kind: kinds.kind(of: key, work.kind),
        shape: work.shape + (entries.count > 1 ? " ..." : ""),
        count: entries.reduce(0) { $0 + $1.calls }, milliseconds: seconds * 1000 / images,
        megaflop: entries.sum { 2 * Double($0.work.multiplyAdds * $0.calls) } / images / 1e6,
        megabytes: entries.sum { Double($0.work.bytes * $0.calls) } / images / 1e6)
    }
    self.kinds = Dictionary(grouping: layers, by: \.kind).map { kind, rows in
      Row(
        key: "", kind: kind, shape: "", count: rows.count, milliseconds: rows.sum(\.milliseconds),
        megaflop: rows.sum(\.megaflop), megabytes: rows.sum(\.megabytes))
    }.sorted { ($0.milliseconds, $0.kind) > ($1.milliseconds, $1.kind) }
    otherMilliseconds = max(0, wholeMilliseconds - layers.sum(\.milliseconds))
    self.machine = machine
  }

  /// The layers in the order `order`.
  private var listed: [Row] {
    order == .time ? layers.sorted { $0.milliseconds > $1.milliseconds } : layers
  }
}

extension LayerTable {
  /// The tables that `--layers` shows: layers, then kinds, then a line on the machine's peak speed.
  package var text: String {
    var table = TextTable(
      [.init("layer"), .init("kind"), .init("shape"), .init("calls", .right)] + Self.columns)
    for row in listed {
      table.add([row.key, row.kind, row.shape, "\(row.count)"] + cells(row))
    }
    var sums = TextTable([.init("kind"), .init("layers", .right)] + Self.columns)
    for row in kinds { sums.add([row.kind, "\(row.count)"] + cells(row)) }
    sums.add(["other", "", otherMilliseconds.fixed(3), percent(otherMilliseconds), "", "", ""])
    let all = Row(
      key: "", kind: "all", shape: "", count: layers.count, milliseconds: wholeMilliseconds,
      megaflop: layers.sum(\.megaflop), megabytes: layers.sum(\.megabytes))
    sums.add(["all", "\(all.count)"] + cells(all))
    return [table.text, sums.text, machine.line].joined(separator: "\n\n")
  }

  private static let columns: [TextTable.Column] = [
    .init("ms/image", .right), .init("time", .right), .init("GFLOP/s", .right),
    .init("of peak", .right), .init("GB/s", .right),
  ]

  private func cells(_ row: Row) -> [String] {
    [
      row.milliseconds.fixed(3), percent(row.milliseconds), row.gflops.fixed(0),
      machine.peak > 0 ? "\((100 * row.gflops / machine.peak).fixed(0)) %" : "",
      row.bandwidth.fixed(1),
    ]
  }

  private func percent(_ milliseconds: Double) -> String {
    guard wholeMilliseconds > 0 else { return "" }
    return "\((100 * milliseconds / wholeMilliseconds).fixed(1)) %"
  }

  /// The members that the layers add to the JSON of a result.
  var members: [JSON.Member] {
    [
      .init(key: "layers", value: .array(listed.map { json($0, names: "calls") })),
      .init(key: "kinds", value: .array(kinds.map { json($0, names: "layers") })),
      .init(key: "otherMilliseconds", value: .rounded(otherMilliseconds)),
      .init(key: "machine", value: machine.json),
    ]
  }

  private func json(_ row: Row, names count: String) -> JSON {
    .object(
      (row.key.isEmpty ? [] : [.init(key: "layer", value: .string(row.key))])
        + [.init(key: "kind", value: .string(row.kind))]
        + (row.key.isEmpty ? [] : [.init(key: "shape", value: .string(row.shape))]) + [
          .init(key: count, value: .integer(row.count)),
          .init(key: "millisecondsPerImage", value: .rounded(row.milliseconds)),
          .init(key: "megaflop", value: .rounded(row.megaflop)),
          .init(key: "megabytes", value: .rounded(row.megabytes)),
          .init(key: "gflops", value: .rounded(row.gflops)),
          .init(
            key: "shareOfPeak",
            value: machine.peak > 0 ? .rounded(row.gflops / machine.peak) : .null),
          .init(key: "gigabytesPerSecond", value: .rounded(row.bandwidth)),
        ])
  }
}

extension JSON {
  /// The number rounded to four decimals.
  static func rounded(_ value: Double) -> JSON { .double((value * 10_000).rounded() / 10_000) }
}

extension Sequence {
  fileprivate func sum(_ value: (Element) -> Double) -> Double {
    reduce(0) { $0 + value($1) }
  }
}

extension LayerWork {
  /// The shapes of input and output without the batch, as `28x28x32 > 28x28x192`.
  fileprivate var shape: String {
    [input, output].map { shape in
      shape.dropFirst().map(String.init).joined(separator: "x")
    }.joined(separator: " > ")
  }
}
