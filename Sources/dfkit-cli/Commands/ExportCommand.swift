import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit export`.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a network as an ONNX file for other programs.",
    discussion: """
      ONNX Runtime, OpenVINO, TensorRT and browsers run such files, on graphics cards too. The \
      file also says what its input must be: size, mean, deviation and order of the channels \
      (Docs/ONNX.md). Weights of any network that dfkit knows can be given: a classifier, a face \
      detector or a face embedder.

        dfkit export --weights b4.safetensors --output b4.onnx
        dfkit export --weights default --output lite0.onnx --probability --check
        dfkit export --recipe default --output nets/
        dfkit export --recipe default --member lite2-224 --output lite2.onnx --dtype f16
        dfkit export --detector retinaface --output detector.onnx
        dfkit export --detector mtcnn --detector-weights mtcnn/ --output mtcnn/
      """)

  @Option(
    help: """
      The weights of one network: safetensors, a PyTorch checkpoint, ONNX, or the name of weights \
      that ship with dfkit ('dfkit weights list'); with --recipe, the weights of its members, in \
      the form that 'predict' accepts.
      """, completion: .file())
  var weights: [String] = []

  @Option(
    help: "The recipe whose networks to write: the name of a built-in one or a YAML file.",
    completion: .file())
  var recipe: String?

  @Option(help: "The member of the recipe to write. If not given, all of them.")
  var member: String?

  @Option(help: "The face detector to write: the fetched weights, or those that ship with dfkit.")
  var detector: Recipe.Detector.Kind?

  @Option(help: "The detector's weights.", completion: .file())
  var detectorWeights: String?

  @Option(
    help: """
      The file to write, which ends in .onnx; for several networks, the folder. A model of more \
      than 2 GB gets a second file, with .data added to its name.
      """, completion: .file())
  var output: String

  @Option(
    help: """
      How numbers are stored and computed with: f32 or f16. Input and output are 32-bit in both.
      """)
  var dtype: ExportPrecision = .f32

  @Flag(
    help: """
      Give the probability of "fake", calibrated if the weights have a calibration, instead of \
      logits.
      """)
  var probability = false

  @Option(
    help: """
      The size of a detector's frames, such as 640x480 (width x height). If not given, the file \
      takes frames of any size.
      """)
  var frameSize: FrameExtent?

  @OptionGroup(title: "Network") var network: NetworkOptions

  @Flag(
    help: """
      Run each file with ONNX Runtime, if a python3 on the PATH has it, otherwise with dfkit's own \
      reader, and print the largest difference to dfkit's result.
      """)
  var check = false

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    let given = [
      recipe != nil, detector != nil || detectorWeights != nil, recipe == nil && !weights.isEmpty,
    ]
    guard given.count(where: { $0 }) == 1 else {
      throw ValidationError("Give one of --weights, --recipe and --detector.")
    }
    if recipe == nil, member != nil { throw ValidationError("--member needs --recipe.") }
    if recipe == nil, weights.count > 1 {
      throw ValidationError("--weights: give one file, or a recipe for several networks.")
    }
    if recipe != nil || detector != nil || detectorWeights != nil, !network.isEmpty {
      throw ValidationError("Options for one network cannot be given with a recipe or a detector.")
    }
  }

  func run() async throws {
    threads.apply()
    var job = ExportJob(try source())
    job.dtype = dtype.elementType
    job.givesProbability = probability
    job.frameSize = frameSize?.size
    var reports = try job.run(to: URL(fileURLWithPath: output))
    if check {
      for index in reports.indices { reports[index].check = try ExportCheck.run(reports[index]) }
    }
    if json {
      try Output.write(JSON.array(reports.map(\.json)).text + "\n")
    } else {
      try Output.show(reports.map(\.text).joined(separator: "\n"))
    }
    if reports.contains(where: { $0.check?.isClose == false }) { throw ExitCode.failure }
  }

  private func source() throws -> ExportJob.Source {
    if let recipe {
      let (recipe, files) = try RecipeOptions.loaded(recipe, weights)
      guard let member else { return .members(files.entries) }
      guard let entry = files.entries.first(where: { $0.member.name == member }) else {
        let names = recipe.members.map(\.name).joined(separator: ", ")
        throw ValidationError("The recipe has no member \(member); it has \(names).")
      }
      return .members([entry])
    }
    if let argument = weights.first { return .weights(network.source(argument), network.options) }
    var settings = Recipe.Detector()
    if let detector { settings.kind = detector }
    let given = detectorWeights.map { WeightsSource(argument: $0) }
    let choice = try settings.choice(given: given, in: try? WeightsStore(), allowsOther: false)
    if let remark = choice.remark { Output.note(remark) }
    return .weights(choice.weights, ClassifierOptions())
  }
}

/// The element types of an exported network.
enum ExportPrecision: String, ExpressibleByArgument, CaseIterable {
  case f32, f16

  var elementType: ElementType { self == .f16 ? .f16 : .f32 }
}

/// The size of frames as `640x480`.
struct FrameExtent: ExpressibleByArgument {
  let size: Size2d

  init?(argument: String) {
    let sides = argument.split(separator: "x").map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1],
      (32...8192).contains(width), (32...8192).contains(height)
    else { return nil }
    size = Size2d(height: height, width: width)
  }
}
