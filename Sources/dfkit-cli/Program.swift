import ArgumentParser
import DFKit
import Foundation

/// The entry point of the program: checks the arguments, measures the terminal and runs the
/// command.
@main
enum Program {
  static func main() async {
    let arguments = ProgramArguments.given
    if let problem = ProgramArguments.problem(arguments) {
      Output.note(problem)
      exit(ExitCode.validationFailure.rawValue)
    }
    await TextTable.$terminalWidth.withValue(Terminal.width(STDOUT_FILENO)) {
      await DFKitCommand.main(arguments)
    }
  }
}

/// The arguments of the program.
enum ProgramArguments {
  /// The arguments after the program's name. File names may contain bytes that are not UTF-8;
  /// `FilePath` preserves these.
  static var given: [String] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { place in
      CommandLine.unsafeArgv[place].map { argument in
        FilePath.text(Array(UnsafeRawBufferPointer(start: argument, count: strlen(argument))))
      }
    }
  }

  /// What is wrong with the arguments before any command parses them, or nil if nothing is.
  ///
  /// A file name such as `-dash.mp4` is rejected. The parser would read it as the options -d, -a,
  /// -s, -h and so on, and show the help because of -h.
  static func problem(_ arguments: [String]) -> String? {
    for argument in arguments {
      if argument == "--" { return nil }
      guard argument.utf8.count > 2, argument.hasPrefix("-"), !argument.hasPrefix("--"),
        !argument.hasPrefix("-o="), argument != "-help", Double(argument) == nil
      else { continue }
      return
        "'\(argument)' begins with a dash, as options do. For a file of that name, write"
        + " ./\(argument)."
        + " Options begin with two dashes; see 'dfkit --help'."
    }
    return nil
  }
}
