import AssayBase
import AssayHost

/// A program that was run to its end or to the end of its time, with all that it printed.
struct TimedCall {
  /// What it printed, in order, words of errors among the others.
  var text: String
  /// How it ended; `nil` when it took too long and was killed.
  var end: ProcessEnd?

  /// Runs a program.
  ///
  /// - Throws: `Diagnostic` HST… when it cannot be started.
  init(_ program: String, _ arguments: [String], seconds: Double) throws {
    let folder = try Host.makeTemporaryFolder("assay-call")
    defer { try? Host.remove(folder) }
    let words = Host.join(folder, "words")
    // Programs that work in children of their own leave them behind when they are killed; `timeout` ends
    // the whole group.
    let limit = ["/usr/bin/timeout", "/bin/timeout"].first { Host.exists($0) }
    let wait = limit.map { [$0, "--kill-after=2", "\(Int(seconds.rounded(.up)))"] } ?? []
    let process = try ChildProcess(
      "/bin/sh",
      ["-c", #"o=$1; shift; exec "$@" </dev/null >"$o" 2>&1"#, "sh", words] + wait + [program]
        + arguments
    )
    let deadline = Host.monotonicNanoseconds() &+ UInt64((seconds + 5) * 1e9)
    end = process.wait(until: deadline)
    if end == nil { process.kill() }
    // What `timeout` says when it had to end the command.
    if !wait.isEmpty, end == .exited(124) || end == .exited(137) { end = nil }
    // A command that a signal ended, in a shell's words.
    if case .exited(let status) = end, status > 128, status < 165 { end = .signaled(status - 128) }
    text = Host.smallText(words, limit: 16 << 20) ?? ""
  }
}
