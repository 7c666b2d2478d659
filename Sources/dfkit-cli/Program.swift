import ArgumentParser
import DFKit
import Foundation

/// The program: what was given to it, and the terminal that it writes to.
@main
enum Program {
  static func main() async {
    let arguments = ProgramArguments.given
    if let problem = ProgramArguments.problem(arguments) {
      Output.complain(problem)
      exit(ExitCode.validationFailure.rawValue)
    }
    await TextTable.$terminalWidth.withValue(Terminal.width(STDOUT_FILENO)) {
      await DFKitCommand.main(arguments)
    }
  }
}

/// What the program was called with.
enum ProgramArguments {
  /// The arguments after the program's name. Bytes that are no UTF-8 are kept (`FilePath`): a file
  /// may have such a name.
  static var given: [String] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { place in
      CommandLine.unsafeArgv[place].map { argument in
        FilePath.text(Array(UnsafeRawBufferPointer(start: argument, count: strlen(argument))))
      }
    }
  }

  /// What is wrong with the arguments before any command looks at them; nil where nothing is.
  ///
  /// The parser takes `-dash.mp4` for the options -d, -a, -s, -h and so on, and the -h among them
  /// for help.
  static func problem(_ arguments: [String]) -> String? {
    for argument in arguments {
      if argument == "--" { return nil }
      guard argument.utf8.count > 2, argument.hasPrefix("-"), !argument.hasPrefix("--"),
        !argument.hasPrefix("-o="), argument != "-help", Double(argument) == nil
      else { continue }
      return
        "'\(argument)' begins with a dash, as options do. For a file of that name write"
        + " ./\(argument);"
        + " options have two dashes, see 'dfkit --help'."
    }
    return nil
  }
}
