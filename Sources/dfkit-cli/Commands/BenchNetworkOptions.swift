import ArgumentParser
import DFKit

/// Which classifiers a benchmark times.
struct BenchNetworkOptions: ParsableArguments {
  @Option(help: "The network; may be given several times.")
  var architecture: [Architecture] = [.efficientNetB4]

  @Option(
    help: """
      The norm; may be given several times. If not given, batch for 'classify' and group for 'train'.
      """)
  var norm: [ClassifierOptions.NormKind] = []

  @Option(help: "The side of the input in pixels; the architecture's own if not given.")
  var size: Int?

  @Option(help: "The stages of an EfficientNet that are there, from the first; all if not given.")
  var stages: Int?

  func validate() throws {
    if let stages, !(1...7).contains(stages) {
      throw ValidationError("--stages must be 1 to 7.")
    }
    if stages != nil, architecture.contains(where: { $0.efficientNet == nil }) {
      throw ValidationError("--stages is for EfficientNets.")
    }
    if let size, !(32...4096).contains(size) {
      throw ValidationError("--size must be 32 to 4096.")
    }
  }

  /// Each network with each norm, in the order given.
  func settings(otherwise usual: ClassifierOptions.NormKind) -> [ClassifierSettings] {
    architecture.flatMap { architecture in
      (norm.isEmpty ? [usual] : norm).map { norm in
        var settings = ClassifierSettings(architecture, norm: norm == .group ? .group : nil)
        settings.stages = stages
        if let size { settings.input.size = size }
        return settings
      }
    }
  }
}
