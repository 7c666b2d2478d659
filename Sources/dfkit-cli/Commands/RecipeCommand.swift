import ArgumentParser
import DFKit

/// The command `dfkit recipe`.
struct RecipeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe",
    abstract: "Shows recipes: the frames, detector, networks and aggregation that give a verdict.",
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
        You can save the output, change it and use it with 'dfkit predict --recipe'.

          dfkit recipe show dfdc-silver
          dfkit recipe show mine.yaml --all
        """)

    @Argument(help: "The name of a built-in recipe or a YAML file.", completion: .file())
    var recipe: String

    @Flag(help: "Print all settings, including those that the recipe leaves out, without comments.")
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
      abstract: "Lists all settings of a recipe, with allowed values and defaults.")

    func run() throws { try Output.write(Recipe.reference) }
  }
}
