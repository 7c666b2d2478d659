import ArgumentParser
import DFKit
import Foundation

extension Architecture: ExpressibleByArgument {}
extension Scheme: ExpressibleByArgument {}
extension Norm.Kind: ExpressibleByArgument {}
extension RetinaFaceBackbone: ExpressibleByArgument {}
extension Recipe.Detector.Kind: ExpressibleByArgument {}
extension FrameScale: ExpressibleByArgument {}
extension Recipe.People.Rule: ExpressibleByArgument {}
extension Recipe.Decision.Unfamiliar: ExpressibleByArgument {}
extension DetectionDrawing.Form: ExpressibleByArgument {}
extension Augmentation.Preset: ExpressibleByArgument {}

/// The values of `--fakes`: how fakes are made, or none.
enum FakeChoice: String, ExpressibleByArgument, CaseIterable {
  case none
  case selfBlended = "self-blended"
}

extension AggregatorName: ExpressibleByArgument {
  /// The aggregator with this name; nil if there is none.
  public init?(argument: String) { self.init(argument) }

  /// The possible names, for help and messages.
  public static var allValueStrings: [String] { forms }
}

/// Width and height in pixels, 16 to 8192 each, written as 960x544.
struct FrameDimensions: ExpressibleByArgument {
  let width: Int
  let height: Int

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let width = parts[0], let height = parts[1],
      (16...8192).contains(width), (16...8192).contains(height)
    else { return nil }
    self.init(width: width, height: height)
  }

  var defaultValueDescription: String { "\(width)x\(height)" }
}

/// Three finite numbers, written as 0.5,0.5,0.5.
struct ChannelValues: ExpressibleByArgument {
  let values: [Float]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      Float($0.trimmingPrefix(while: \.isWhitespace))
    }
    let values = parts.compactMap { $0 }
    guard parts.count == 3, values.count == 3, values.allSatisfy(\.isFinite) else { return nil }
    self.values = values
  }
}

/// Three scores of 0 to 1, written as 0.6,0.7,0.7.
struct ThreeScores: ExpressibleByArgument {
  let values: [Float]

  init?(argument: String) {
    let numbers = ChannelValues(argument: argument)?.values ?? []
    guard numbers.count == 3, numbers.allSatisfy({ (0...1).contains($0) }) else { return nil }
    values = numbers
  }
}

/// A range of probabilities, written as 0.01,0.99; or `none`.
struct ClipRange: ExpressibleByArgument {
  let range: ClosedRange<Float>?

  init?(argument: String) {
    if argument == "none" {
      range = nil
      return
    }
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
    guard parts.count == 2, let low = parts[0], let high = parts[1], low >= 0, low < high,
      high <= 1
    else { return nil }
    range = low...high
  }

  /// A change that sets a recipe's setting to the range, or to `none`.
  func change(_ option: String, _ key: String) -> SettingChange? {
    guard let range else { return SettingChange(option, key, "none") }
    return SettingChange(option, key, [range.lowerBound, range.upperBound])
  }
}

/// The number of frames of a video, 1 to 100000, or `all`.
struct FrameCount: ExpressibleByArgument {
  let choice: FrameChoice

  init(_ choice: FrameChoice) {
    self.choice = choice
  }

  init?(argument: String) {
    if argument == "all" {
      choice = .all
    } else if let number = Int(argument), (1...100_000).contains(number) {
      choice = .spread(number)
    } else {
      return nil
    }
  }

  var defaultValueDescription: String {
    switch choice {
    case .all: "all"
    case .spread(let number): "\(number)"
    }
  }
}

struct EmbedderOptions: ParsableArguments {
  @Option(
    name: .customLong("embedder"),
    help: """
      The weights of the face embedder: a look-alike network's ('dfkit identity train') or \
      facenet-pytorch's InceptionResnetV1. If not given, those that ship with dfkit.
      """, completion: .file())
  var path: String?

  /// The embedder's weights file; nil if the option is not given.
  var file: URL? { path.map { URL(fileURLWithPath: $0) } }
}

/// The option `--threads`.
struct ThreadOptions: ParsableArguments {
  @Option(help: "Number of threads, 1 to 256; one for each processor if not given.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads must be 1 to 256.")
    }
  }

  func apply() {
    if let threads { Parallel.threadCount = threads }
  }
}
