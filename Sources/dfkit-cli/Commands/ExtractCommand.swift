import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit extract`.
struct ExtractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Crops the faces of videos into a dataset for 'split', 'audit' and 'train'.",
    discussion: """
      The folder gets manifest.csv with a row for each crop, the crops under faces/, videos.csv \
      with a row for each video, and extract.json with the settings. If a run ended early, run the \
      same command again: it continues and skips finished videos. More videos may be added later. \
      The result does not depend on interruptions or on the number of threads.

      Labels are read from DFDC's metadata.json, the folders of FaceForensics++ and Celeb-DF, a \
      labels.csv, or the names of folders (real, fake).

        dfkit extract dfdc_train_part_0 --out faces/
        dfkit extract videos/ --labels labels.csv --out faces/ --frames 10 --size 224 --jpeg 95
        dfkit extract 'dfdc_train_part_*' --out faces-3/ --preset faces-3
        dfkit extract FaceForensics/ --out ff/ --frames 20 --balance --crop aligned --people largest
      """)

  @OptionGroup var input: InputOptions

  @Option(help: "The dataset's folder.", completion: .directory)
  var out: String

  @Option(
    help: """
      The source of the labels: auto, dfdc, faceforensics, celeb-df, folders, or a CSV file with \
      the columns path (or filename) and label, and, if known, video, original, person, split, \
      origin.
      """, completion: .file())
  var labels = "auto"

  @Flag(
    help:
      "Labels of files that do not exist are an error; otherwise they are counted and ignored.")
  var strict = false

  @Option(
    help: """
      The settings of a dataset of a silver-medal team of DFDC: faces-1 (MTCNN, the first face of \
      each video), faces-3 (RetinaFace, 200,000 faces, half of them real), or faces-6 (2,000,000 \
      faces). Other options override them.
      """)
  var preset: ExtractionOptions.Preset?

  @Option(
    help: """
      Frames to search in a video: a number, evenly spread; 'all'; or 'first' (every tenth from \
      the start, until one has a face). 25 if not given.
      """)
  var frames: ExtractedFrames?

  @Flag(
    help: """
      Search more frames of the videos of the rarer label, so that there are about as many real as \
      fake crops.
      """)
  var balance = false

  @Option(help: "The most frames that --balance searches in a video; 200 if not given.")
  var maxFrames: Int?

  @Option(
    help: """
      Also write, for each crop, the same box cut out of the frame that many seconds later, 0.001 \
      to 2, for networks with a difference (see 'input' in Docs/Formats.md). PNG avoids \
      differences that are only JPEG blocks.
      """)
  var difference: Float?

  @Option(
    help: """
      The faces to crop: all, largest (of the person with the largest face), or surest (in each \
      frame, the face with the highest detection score). all if not given.
      """)
  var people: ExtractionOptions.People?

  @Option(
    help: """
      The number of frames in which a person must be seen, as a fraction of the frames of the \
      person seen most, 0 to 1; 0.25 if not given.
      """)
  var minShare: Float?

  @OptionGroup(title: "Face detection") var detector: DetectorOptions

  @OptionGroup(title: "Crops") var crop: CropOptions

  @Flag(help: "Write the dataset's own split into the manifest.")
  var keepSplit = false

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if let maxFrames, !(1...100_000).contains(maxFrames) {
      throw ValidationError("--max-frames must be 1 to 100000.")
    }
    if maxFrames != nil, !balance, preset == nil {
      throw ValidationError("--max-frames needs --balance.")
    }
    if let minShare, !(0...1).contains(minShare) {
      throw ValidationError("--min-share must be 0 to 1.")
    }
    if let difference, !NetworkSettings.Difference.times.contains(difference) {
      throw ValidationError("--difference must be 0.001 to 2 seconds.")
    }
    if out.isEmpty { throw ValidationError("--out must name a folder.") }
  }

  func run() async throws {
    threads.apply()
    var options = try options()
    let choice = try detector.choice(for: options.detector, quiet: json)
    options.detector = choice.settings
    let job = ExtractionJob(
      options, detector: try choice.load(), detectorDigest: try choice.weights.digest(),
      labels: try DatasetLabels(labelChoice), folder: URL(fileURLWithPath: out))
    let inputs = input.files([.video])
    let (json, name) = (json, choice.name)
    try await Interruption.handled {
      let plan = try job.plan(inputs)
      if !json { try Output.show(plan.text) }
      let bar = ProgressBar()
      var summary = try job.run(plan, progress: bar.update) { failure in
        bar.clear()
        Output.note(failure.text)
      }
      summary.detector = name
      bar.clear()
      for warning in summary.warnings { Output.note("\(warning.file): \(warning.text)") }
      try json ? Output.write(summary.json.text + "\n") : Output.show(summary.text)
      if !json, !summary.failures.isEmpty {
        let names = summary.failures.prefix(20).map { "  \(TextTable.printable($0.file))" }
        let rest = summary.failures.count - names.count
        try Output.write(
          "failed, see above:\n" + names.joined(separator: "\n")
            + (rest > 0 ? "\n  and \(rest) more" : "") + "\n")
      }
      try summary.outcome.exit()
    }
  }

  private func options() throws -> ExtractionOptions {
    var options = preset.map { ExtractionOptions(preset: $0) } ?? ExtractionOptions()
    options.frames = frames?.choice ?? options.frames
    if balance { options.isBalanced = true }
    options.maxFrames = maxFrames ?? options.maxFrames
    options.difference = difference
    options.people = people ?? options.people
    options.minShare = minShare ?? options.minShare
    try crop.apply(to: &options)
    options.keepsSplit = keepSplit
    options.isStrict = strict
    return options
  }

  private var labelChoice: DatasetLabels.Choice {
    DatasetLabels.Choice.words.first { $0.word == labels }?.choice
      ?? .table(URL(fileURLWithPath: labels))
  }
}

extension ExtractionOptions.Preset: ExpressibleByArgument {}
extension ExtractionOptions.People: ExpressibleByArgument {}
extension Recipe.Crop.Shape: ExpressibleByArgument {}

/// Options of the face crops: shape, margin, size and file format.
struct CropOptions: ParsableArguments {
  @Option(
    name: .customLong("crop"),
    help: """
      How a face is cropped: square (around the box), aligned (rotated upright by the landmarks) \
      or framed (not rotated, around eyes and mouth); square if not given.
      """)
  var shape: Recipe.Crop.Shape?

  @Option(help: .setting("crop.margin", "0.15 if not given"))
  var margin: Float?

  @Option(
    help: "The side of the crops in pixels, 16 to 4096; or 0 to keep their size, as if not given.")
  var size: Int?

  @Option(
    help: """
      Write JPEG files of this quality, 1 to 100, instead of PNG; colour has full resolution from \
      90 on.
      """)
  var jpeg: Int?

  func validate() throws {
    var crop = Recipe.Crop()
    try crop.apply(changes)
    if let size, size != 0, !(16...4096).contains(size) {
      throw ValidationError("--size must be 0 or 16 to 4096.")
    }
    if let jpeg, !(1...100).contains(jpeg) { throw ValidationError("--jpeg must be 1 to 100.") }
  }

  /// The given options as changes of a recipe's crop settings.
  private var changes: [SettingChange] {
    [
      SettingChange("--crop", "shape", shape?.rawValue),
      SettingChange("--margin", "margin", margin),
    ].compactMap { $0 }
  }

  func apply(to options: inout ExtractionOptions) throws {
    try options.crop.apply(changes)
    if let size { options.size = size == 0 ? nil : size }
    if let jpeg { options.format = .jpeg(quality: jpeg) }
  }
}

/// The frames to search: a number, `all`, or `first` for those up to the first face.
struct ExtractedFrames: ExpressibleByArgument {
  let choice: ExtractionOptions.Frames

  init?(argument: String) {
    switch argument {
    case "all": choice = .all
    case "first": choice = .firstFace
    default:
      guard let number = Int(argument), (1...100_000).contains(number) else { return nil }
      choice = .spread(number)
    }
  }
}
