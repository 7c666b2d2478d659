import ArgumentParser
import DFKit

/// `dfkit recipe`
struct RecipeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe",
    abstract: "Shows how verdicts are reached: frames, detector, networks, aggregation.",
    subcommands: [List.self, Show.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the built-in recipes.")

    func run() throws {
      var table = TextTable([.init("recipe"), .init("description")])
      for name in Recipe.builtInNames {
        table.add([name, try Recipe.named(name).description])
      }
      try Output.show(table.text)
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks a recipe and prints it, with the names of its members.",
      discussion: """
        What is printed can be saved, changed and given to 'dfkit predict --recipe'.

          dfkit recipe show dfdc-silver
          dfkit recipe show mine.yaml
        """)

    @Argument(help: "A built-in recipe's name or a YAML file.", completion: .file())
    var recipe: String

    func run() throws {
      let members = try Recipe.named(recipe).members.map(\.name)
      let text = try Recipe.text(named: recipe)
      let heading = "# members: \(members.joined(separator: ", "))\n"
      // A recipe that was saved from here has the line already.
      try Output.write(text.hasPrefix(heading) ? "" : heading)
      try Output.write(text.hasSuffix("\n") ? text : text + "\n")
    }
  }
}
