import DeepfakeCore

/// Where a network's time goes: its layers as they ran, beside what the machine could do.
package struct LayerTable: Sendable, Equatable {
  /// A layer, or the layers of one kind, for one image.
  package struct Row: Sendable, Equatable {
    /// The layer's key, that of its weight less the name `weight`; of several layers, empty.
    package var key: String
    /// What the layer is to its network: `expand`, `depthwise`, `norm` ...
    package var kind: String
    /// Input and output without the batch, as in `28x28x32 > 28x28x192`.
    package var shape: String
    /// Calls in a run; of a kind, its layers.
    package var count: Int
    /// Milliseconds for one image: the median of the runs.
    package var milliseconds: Double
    /// Multiplications and additions for one image, in millions.
    package var megaflop: Double
    /// Bytes for one image that must be moved at least, in millions.
    package var megabytes: Double

    /// Thousand millions of operations a second.
    package var gflops: Double { milliseconds > 0 ? megaflop / milliseconds : 0 }
    /// GB/s of what must be moved at least.
    package var bandwidth: Double { milliseconds > 0 ? megabytes / milliseconds : 0 }
  }

  /// In which order layers are listed.
  package enum Order: String, Sendable, CaseIterable {
    /// As they ran.
    case executed
    /// The slowest first.
    case time
  }

  /// The layers, in the order in which they ran.
  package var layers: [Row]
  /// The layers of each kind together, the slowest first.
  package var kinds: [Row]
  /// Milliseconds for one image outside of layers.
  package var otherMilliseconds: Double
  /// Milliseconds for one image in all: the median of the runs that were recorded.
  package var wholeMilliseconds: Double
  /// What the machine can do.
  package var machine: MachineTable
  /// How `text` and JSON list the layers.
  package var order = Order.executed

  /// The layers of several runs over `images` images each.
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

  /// The layers in the order that was asked for.
  private var listed: [Row] {
    order == .time ? layers.sorted { $0.milliseconds > $1.milliseconds } : layers
  }
}

extension LayerTable {
  /// The tables that `--layers` shows: layers, then kinds, then what the machine can do.
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

  /// What a result's JSON says of its layers.
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
  /// A number to four decimals.
  static func rounded(_ value: Double) -> JSON { .double((value * 10_000).rounded() / 10_000) }
}

extension Sequence {
  fileprivate func sum(_ value: (Element) -> Double) -> Double {
    reduce(0) { $0 + value($1) }
  }
}

extension LayerWork {
  /// Input and output of one image.
  fileprivate var shape: String {
    [input, output].map { shape in
      shape.dropFirst().map(String.init).joined(separator: "x")
    }.joined(separator: " > ")
  }
}
