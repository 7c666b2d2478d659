import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit split`.
struct SplitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Splits face crops into parts so that nothing leaks from one part into another.",
    discussion: """
      Samples of one person or video, fakes and their originals, copies, neighbouring frames and \
      faces that look alike form groups. Whole groups are drawn at random for each part, with the \
      same share of every label and collection. The same data, options and seed give the same \
      parts. The rows are written with the columns split and group (and fold); all other columns \
      stay the same.

        dfkit split faces/ --in-place
        dfkit split faces.csv --output split.csv --validation 0.2 --test 0.1
        dfkit split dfdc/ ff.csv --folds 5 --folders --output all.csv
        dfkit train --data all.csv --fold 2 ...

      Look-alike faces are found by a network that does not recognise people: it may join \
      strangers, and it may miss faces of the same person. 'dfkit audit' measures the leaks that \
      remain.
      """)

  @OptionGroup var data: DatasetOptions

  @Option(help: "The file to write.", completion: .file())
  var output: String?

  @Flag(help: "Write the columns into the manifest itself.")
  var inPlace = false

  @Option(help: "The fraction for validation, 0 to 0.9; 0.2 if not given.")
  var validation: Double?

  @Option(help: "The fraction for the final test, 0 to 0.9.")
  var test = 0.0

  @Option(
    help: """
      Number of equal parts that are each held out once, 2 to 100; also writes the column fold.
      """)
  var folds: Int?

  @Option(help: "Random seed; the same seed gives the same split.")
  var seed: UInt64 = 0

  @Flag(
    help: """
      Keep the videos of one folder together, as is needed for the parts of DFDC (the folder in \
      the video's name).
      """
  )
  var folders = false

  @Option(
    help: """
      Similarity from which two faces are joined, 0 to 1, or 'none' to join none; the embedder's \
      threshold if not given.
      """)
  var lookAlike: LookAlikeLimit?

  @Flag(
    help: """
      Use only the manifest. Samples without person, video and original are grouped in blocks of \
      neighbouring files.
      """)
  var withoutPictures = false

  @Flag(
    help: """
      Assign each sample to a part at random, without groups. Such a split leaks; it shows the \
      effect of leaks on scores.
      """)
  var atRandom = false

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if (output == nil) == !inPlace {
      throw ValidationError("Give --output FILE, or --in-place.")
    }
    if inPlace, data.manifests.count > 1 {
      throw ValidationError("--in-place works with one manifest; give --output to join several.")
    }
    if inPlace, data.only != nil || data.origin != nil {
      throw ValidationError(
        "--in-place would drop the rows that --only and --origin leave out; give --output.")
    }
    if let validation, !(0...0.9).contains(validation) {
      throw ValidationError("--validation must be 0 to 0.9.")
    }
    guard (0...0.9).contains(test) else { throw ValidationError("--test must be 0 to 0.9.") }
    if let folds {
      guard (2...100).contains(folds) else { throw ValidationError("--folds must be 2 to 100.") }
      if validation != nil {
        throw ValidationError(
          "--folds and --validation cannot be combined: each fold is a validation part.")
      }
    } else if (validation ?? 0.2) + test > 0.95 || (validation ?? 0.2) + test == 0 {
      throw ValidationError("--validation and --test must add up to more than 0 and at most 0.95.")
    }
    if atRandom, withoutPictures || folders || lookAlike != nil {
      throw ValidationError(
        "--at-random cannot be combined with --without-pictures, --folders or --look-alike.")
    }
    if withoutPictures, lookAlike != nil {
      throw ValidationError("--look-alike and --without-pictures cannot be combined.")
    }
  }

  func run() async throws {
    threads.apply()
    var job = SplitJob(try data.input())
    job.splitter.validation = validation ?? 0.2
    job.splitter.test = test
    job.splitter.folds = folds
    job.splitter.seed = seed
    job.splitter.joinsFolders = folders
    job.splitter.isRandom = atRandom
    if withoutPictures { job.search = nil }
    lookAlike?.apply(to: &job.search)
    let file = URL(fileURLWithPath: output ?? data.manifests[0])
    try await Interruption.handled { [job, json, inPlace] in
      let bar = ProgressBar()
      let result = try job.run(progress: bar.update)
      bar.clear()
      try job.write(result, to: inPlace ? FaceManifest.file(of: file) : file)
      try json ? Output.write(result.json.text + "\n") : Output.show(result.text)
    }
  }
}

enum LookAlikeLimit: ExpressibleByArgument {
  case none
  case similarity(Float)

  init?(argument: String) {
    if argument == "none" {
      self = .none
    } else if let number = Float(argument), (0...1).contains(number) {
      self = .similarity(number)
    } else {
      return nil
    }
  }

  func apply(to search: inout LinkSearch?) {
    switch self {
    case .none: search?.joinsLookAlikes = false
    case .similarity(let similarity): search?.copies.lookAlikeSimilarity = similarity
    }
  }
}
