import AssayBase
import AssayHost
import AssayJobs

/// Slurm's queue, by its own commands.
struct SlurmQueue {
  let console: Console

  /// Submits a script.
  ///
  /// - Parameter path: where the script is written to.
  /// - Returns: the job's number.
  /// - Throws: `Diagnostic` JOB040 when Slurm is not here, JOB041 when it does not take the job.
  func submit(_ script: SlurmScript, as path: String) throws -> String {
    try AtomicFile.write(script.text, to: path)
    let answer = try ask(["sbatch", "--parsable", path])
    guard answer.status == .exited(0), let line = answer.lines.last else {
      throw Diagnostic(
        "JOB041",
        "Slurm does not take the jobs",
        at: [path],
        remedy: "see its words; sinfo shows partitions, scontrol show node the generic resources",
        cause: answer.lines.joined(separator: "\n")
      )
    }
    return String(line.prefix { $0 != ";" })
  }

  /// Waits until Slurm knows none of the jobs any more.
  ///
  /// - Parameter status: how far they are, in words.
  /// - Returns: `false` when the user does not want to wait.
  func wait(for jobs: [String], status: () throws -> String) throws -> Bool {
    while true {
      if Host.isInterrupted { return false }
      console.progress(try status())
      // A job that is over for some minutes is unknown, which squeue says with a failure.
      let answer = try ask(["squeue", "-h", "-o", "%i", "-j", jobs.joined(separator: ",")])
      if answer.status != .exited(0) || answer.lines.isEmpty { return true }
      Host.sleep(nanoseconds: 1_000_000_000)
    }
  }

  /// Runs one of Slurm's commands.
  private func ask(_ words: [String]) throws -> (status: ProcessEnd, lines: [String]) {
    let output = try Pipe()
    let process: ChildProcess
    do {
      process = try ChildProcess(
        "/usr/bin/env",
        words,
        descriptors: [1: output.writeEnd, 2: output.writeEnd]
      )
    } catch {
      throw Diagnostic("JOB040", "Slurm's commands cannot be started", cause: "\(error)")
    }
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1)
    var lines: [String] = []
    while case .line(let line) = channel.read() { lines.append(line) }
    let end = process.wait()
    if end == .exited(127) {
      throw Diagnostic(
        "JOB040",
        "Slurm is not installed here",
        remedy: "run this on a machine that has \(words[0]) (Debian: slurm-client)",
        cause: lines.joined(separator: "\n")
      )
    }
    return (end, lines)
  }
}
