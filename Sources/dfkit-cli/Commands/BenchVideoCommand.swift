import ArgumentParser
import DFKit
import Foundation

extension BenchCommand {
  /// `dfkit bench video`
  struct Video: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Times whole predictions, from reading the weights to the verdict, by stages.",
      discussion: """
        Every run reads the weights anew, as a new process would; the files stay in the system's cache. \
        'ms/image' is the time of a frame looked at. Stages that overlap add up to more than the whole.

          dfkit bench video clip.mp4
          dfkit bench video footage/ --repeats 5 --warm-up 1 --json
          dfkit bench video clip.mp4 --recipe dfdc-silver --weights nets/ --detector-weights rf.pth
        """)

    @OptionGroup var input: InputOptions

    @Option(help: "The recipe: a built-in one's name or a YAML file.", completion: .file())
    var recipe = Recipe.defaultName

    @Option(
      help: """
        The networks' weights: a folder of MEMBER.safetensors, MEMBER=FILE for each member, or one file \
        for a recipe of one member; those that the recipe names if not given.
        """, completion: .file())
    var weights: [String] = []

    @OptionGroup(title: "Face detection") var detector: DetectorOptions

    @OptionGroup var options: Options

    func run() async throws {
      let benchmark = options.benchmark(repeats: 3, warmUps: 0)
      var settings = try Recipe.named(recipe)
      settings.detector = try detector.settled(settings.detector)
      let members = try MemberFiles.given(weights, members: settings.members)
      if members.replacesNamed { settings.forgetCalibration() }
      let detectorWeights = try detector.weights(of: settings.detector)
      let files = input.files([.image, .video])
      if let problem = files.problems.first { throw problem }
      let ready = settings
      try await Interruption.handled {
        try options.print(
          files.files.map { file in
            try benchmark.predict(file) {
              try VideoPredictor(recipe: ready, weights: members, detectorWeights: detectorWeights)
            }
          })
      }
    }
  }
}
