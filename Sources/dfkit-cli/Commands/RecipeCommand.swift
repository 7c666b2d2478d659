import ArgumentParser
import DFKit

/// The command `dfkit recipe`.
struct RecipeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe",
    abstract: "Shows how verdicts are reached: frames, detector, networks, aggregation.",
    subcommands: [List.self, Show.self, Keys.self])

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
          dfkit recipe show mine.yaml --all
        """)

    @Argument(help: "A built-in recipe's name or a YAML file.", completion: .file())
    var recipe: String

    @Flag(help: "Print every setting, those that the recipe leaves out included, without comments.")
    var all = false

    func run() throws {
      let read = try Recipe.named(recipe)
      let members = read.members.map(\.name)
      let text = all ? read.yaml : try Recipe.text(named: recipe)
      let heading = "# members: \(members.joined(separator: ", "))\n"
      // A recipe that was saved from this output has the line already.
      try Output.write(text.hasPrefix(heading) ? "" : heading)
      try Output.write(text.hasSuffix("\n") ? text : text + "\n")
    }
  }

  struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists every setting of a recipe: what is allowed, and what holds without it.")

    func run() throws { try Output.write(Recipe.reference) }
  }
}
