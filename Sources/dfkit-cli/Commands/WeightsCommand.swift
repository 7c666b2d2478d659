import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit weights`.
struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "Lists, downloads, inspects and converts weights.",
    subcommands: [List.self, Fetch.self, Info.self, Convert.self])

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the network that weights are for, and other facts that they state.",
      discussion: """
        Reads safetensors, PyTorch checkpoints and ONNX models. Code in a checkpoint is never run.

          dfkit weights info default
          dfkit weights info model.pth
          dfkit weights info model.pth --state ema
          dfkit weights info model.safetensors --json
        """)

    @Argument(
      help: """
        The weights file, the folder of MTCNN's three files, or the name of weights that ship with \
        dfkit (\(ShippedWeights.names)).
        """, completion: .file())
    var file: String

    @Option(
      help: """
        The state to use if a PyTorch checkpoint contains several: the name of its entry, or a \
        part of that name that no other entry has, such as ema.
        """)
    var state: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      let report = try WeightsReport(WeightsSource(argument: file, state: state))
      try json ? Output.write(report.json.text + "\n") : Output.show(report.text)
    }
  }

  struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: """
        Converts weights to safetensors with metadata, so that they need no options later.
        """,
      discussion: """
          dfkit weights convert b7.pth b7.safetensors --dtype f16
          dfkit weights convert b0.pth b0.safetensors --state ema --scheme timm-tf
          dfkit weights convert xception.pth xception.safetensors --scheme icpr2020dfdc
          dfkit weights convert mtcnn/ mtcnn.safetensors
        """)

    @Argument(
      help: """
        The weights file to read, the folder of MTCNN's three files, or the name of weights that \
        ship with dfkit.
        """, completion: .file())
    var input: String

    @Argument(help: "The safetensors file to write.", completion: .file())
    var output: String

    @Option(help: "How numbers are stored: f32, f16 or bf16.")
    var dtype: StoredPrecision = .f32

    @Option(
      help: "Margin around the face in the training crops, on each side, as a fraction of the box.")
    var cropMargin: Float?

    @OptionGroup(title: "Network") var network: NetworkOptions

    func validate() throws {
      if !output.hasSuffix(".safetensors") {
        throw ValidationError("the file to write must end in .safetensors.")
      }
      if let cropMargin, !(0...2).contains(cropMargin) {
        throw ValidationError("--crop-margin must be 0 to 2.")
      }
    }

    func run() throws {
      var conversion = WeightsConversion()
      conversion.options = network.options
      conversion.cropMargin = cropMargin
      conversion.dtype = dtype.elementType
      let report = try conversion.run(
        network.source(input), to: URL(fileURLWithPath: output))
      let state = report.checkpoint?.state.map { " of \($0)" } ?? ""
      let network = report.architecture ?? "unknown network"
      try Output.write("\(output): \(report.tensors.count) tensors\(state), \(network)\n")
    }
  }
}

/// The element types that `weights convert` can write.
enum StoredPrecision: String, ExpressibleByArgument, CaseIterable {
  case f32, f16, bf16

  var elementType: ElementType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}
