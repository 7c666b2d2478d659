import Foundation

/// Runs a program in a process group of its own, so that programs started by it can be killed with
/// it.
///
/// Foundation's `Process` cannot create a process group, and it also waits for the child's own
/// children.
struct ChildProcess {
  var program: URL
  /// The program's arguments, without its name.
  var arguments: [String]
  /// The working folder of the program.
  var folder: URL
  var environment: [String: String]
  /// The file for the program's output and errors; overwritten.
  var log: URL

  /// The first executable of this name on the PATH; nil if there is none.
  static func program(_ name: String) -> URL? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    return path.split(separator: ":").lazy
      .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// Runs the program and waits for its end. In a cancelled task, kills its process group.
  ///
  /// - Returns: The exit status, or 128 plus the signal's number if a signal ended the program.
  /// - Throws: `CancellationError` in a cancelled task, `ChildProcessError` if the program cannot
  ///   be started.
  func run() throws -> Int32 {
    let process = try start()
    var status: Int32 = 0
    while true {
      let ended = waitpid(process, &status, WNOHANG)
      if ended == process { break }
      guard ended == 0 || errno == EINTR else {
        throw ChildProcessError(reason: String(cString: strerror(errno)))
      }
      if Task.isCancelled {
        kill(-process, SIGKILL)
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        throw CancellationError()
      }
      usleep(10_000)
    }
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
  }

  private func start() throws(ChildProcessError) -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, log.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    // This process may ignore these signals, and this thread may block them. The child must not.
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
    posix_spawnattr_setpgroup(&attributes, 0)

    // Change the folder in a shell, since posix_spawn cannot do it on every system.
    let shell = ["sh", "-c", "cd -- \"$0\" && exec \"$@\"", folder.path, program.path]
    let words = (shell + arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var process = pid_t()
    let status = posix_spawn(&process, "/bin/sh", &actions, &attributes, words, variables)
    guard status == 0 else { throw ChildProcessError(reason: String(cString: strerror(status))) }
    return process
  }
}

/// Why a program could not be run.
struct ChildProcessError: Error {
  let reason: String
}
