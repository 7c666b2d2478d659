import ArgumentParser
import DFKit

/// The command `dfkit` with its subcommands.
struct DFKitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dfkit",
    abstract: "Tells how likely it is that the faces in a video were swapped or re-enacted.",
    discussion: """
      Everything runs on this computer's processor. No data is sent anywhere, and only 'weights \
      fetch' uses the internet.

        dfkit predict clip.mp4
        dfkit weights info default
        dfkit weights fetch mtcnn
        dfkit detect photo.jpg --detector mtcnn --draw boxes/
        dfkit extract videos/ --out faces/
        dfkit export --weights default --output lite0.onnx
        dfkit recipe show default

      Exit status: 0 if every input was processed, whatever the verdict; 1 if an input failed; 2 \
      if 'audit' found a leak; 64 for wrong usage; 130 if interrupted.

      Completion script for your shell: dfkit --generate-completion-script bash|zsh|fish
      """,
    version: dfkitVersion,
    groupedSubcommands: [
      CommandGroup(
        name: "Judge",
        subcommands: [
          PredictCommand.self, ReportCommand.self, DetectCommand.self, ClassifyCommand.self,
        ]),
      CommandGroup(
        name: "Make datasets",
        subcommands: [
          ExtractCommand.self, LandmarksCommand.self, SplitCommand.self, AuditCommand.self,
        ]),
      CommandGroup(
        name: "Train and measure",
        subcommands: [
          TrainCommand.self, PseudoLabelCommand.self, EvaluateCommand.self,
          CalibrateCommand.self, FamiliarityCommand.self, IdentityCommand.self,
          DetectorCommand.self,
        ]),
      CommandGroup(
        name: "Weights, recipes, speed",
        subcommands: [
          WeightsCommand.self, ExportCommand.self, RecipeCommand.self, BenchCommand.self,
        ]),
    ])
}
