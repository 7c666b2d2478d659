import ArgumentParser
import DFKit

/// The classifiers that a benchmark measures.
struct BenchNetworkOptions: ParsableArguments {
  @Option(help: "The network's architecture; may be given several times.")
  var architecture: [Architecture] = [.efficientNetB4]

  @Option(
    help: """
      The kind of norm layers; may be given several times. If not given, batch for 'classify' and \
      group for 'train'.
      """)
  var norm: [Norm.Kind] = []

  @Option(help: "The side of the input in pixels; the architecture's own if not given.")
  var size: Int?

  @Option(help: "Number of stages to keep, counted from the first; all if not given.")
  var stages: Int?

  @Option(
    help: """
      Networks that also read the difference to a later frame: luma (4 input channels) or rgb (6).
      """)
  var difference: NetworkSettings.Difference.Channels?

  func validate() throws {
    if difference != nil, let other = architecture.first(where: { $0.differenceProblem != nil }) {
      throw ValidationError("--difference \(other.differenceProblem ?? "").")
    }
    for architecture in architecture where stages != nil {
      guard let allowed = architecture.family.stages else {
        throw ValidationError(
          "--stages does not apply to \(architecture.rawValue), which always has all its stages.")
      }
      guard let stages, allowed.contains(stages) else {
        throw ValidationError(
          "--stages must be \(allowed.lowerBound) to \(allowed.upperBound).")
      }
    }
    if let size, !(32...4096).contains(size) {
      throw ValidationError("--size must be 32 to 4096.")
    }
  }

  /// Settings of each network with each norm, in the given order. `usual` is the norm if none is
  /// given.
  func settings(otherwise usual: Norm.Kind) -> [ClassifierSettings] {
    architecture.flatMap { architecture in
      (norm.isEmpty ? [usual] : norm).map { norm in
        var settings = ClassifierSettings(architecture, norm: norm == .group ? .group : nil)
        settings.stages = stages
        if let size { settings.input.size = size }
        // The time does not change the network.
        settings.input.difference = difference.map { .init(seconds: 0.04, channels: $0) }
        return settings
      }
    }
  }
}

extension NetworkSettings.Difference.Channels: ExpressibleByArgument {}
