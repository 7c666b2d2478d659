import ArgumentParser
import DFKit
import Foundation

extension BenchCommand {
  /// The command `dfkit bench video`.
  struct Video: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measures the speed of whole predictions, from reading the weights to the verdict.",
      discussion: """
        Each run reads the weights again, as a new process would; the files stay in the system's \
        cache. 'ms/image' is the time per analysed frame. The times of the stages can add up to \
        more than the whole, since stages overlap.

          dfkit bench video clip.mp4
          dfkit bench video footage/ --repeats 5 --warm-up 1 --json
          dfkit bench video clip.mp4 --recipe dfdc-silver --weights nets/ --detector-weights rf.pth
        """)

    @OptionGroup var input: InputOptions

    @OptionGroup var recipe: RecipeOptions

    @OptionGroup(title: "Face detection") var detector: DetectorOptions

    @OptionGroup var options: Options

    func run() async throws {
      let benchmark = options.benchmark(repeats: 3, warmUps: 0)
      var (settings, members) = try recipe.loaded()
      let choice = try detector.choice(
        for: settings.detector, quiet: options.json, allowsOther: true)
      settings.detector = choice.settings
      let files = input.files([.image, .video])
      if let problem = files.problems.first { throw problem }
      let (ready, weights) = (settings, members)
      try await Interruption.handled {
        try options.print(
          files.files.map { file in
            try benchmark.predict(file, recipe: ready.name) {
              try VideoPredictor(recipe: ready, weights: weights, detectorWeights: choice.weights)
            }
          })
      }
    }
  }
}
