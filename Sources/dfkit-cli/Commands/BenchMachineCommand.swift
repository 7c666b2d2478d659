import ArgumentParser
import DFKit

extension BenchCommand {
  /// The command `dfkit bench machine`.
  struct Machine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measures the peak speed of this computer's processor and memory.",
      discussion: """
        Measures multiply-adds in registers with each instruction set, to which 'of peak' in \
        --layers refers, and the bytes that are read and copied in caches and memory. Takes about \
        a second and up to 1 GB of memory.

          dfkit bench machine
          dfkit bench machine --threads 1 --json
        """)

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
      threads.apply()
      let machine = MachineTable.measure(memory: true)
      try json ? Output.write(machine.json.text + "\n") : Output.show(machine.text)
    }
  }
}
