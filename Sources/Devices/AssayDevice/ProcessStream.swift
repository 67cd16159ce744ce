import AssayBase
import AssayHost

/// A process of this machine as a device's stream: `ssh`, a shell, or a program of the user's.
public final class ProcessStream: DeviceStream {
  private let process: ChildProcess
  private let channel: LineChannel
  private let pipes: [Pipe]

  /// Starts a program.
  ///
  /// - Throws: `Diagnostic` HST030 or HST031 when it cannot be started.
  public init(
    _ executable: String,
    _ arguments: [String],
    environment: [String: String] = [:]
  ) throws {
    // A program that is gone must be an answer, not the end of this process.
    Host.ignoreBrokenPipes()
    let input = try Pipe()
    let output = try Pipe()
    let errors = try Pipe()
    process = try ChildProcess(
      executable,
      arguments,
      environment: environment,
      descriptors: [0: input.readEnd, 1: output.writeEnd, 2: errors.writeEnd]
    )
    input.closeRead()
    output.closeWrite()
    errors.closeWrite()
    channel = LineChannel(
      input: output.readEnd,
      output: input.writeEnd,
      side: errors.readEnd,
      limit: 64 << 20
    )
    pipes = [input, output, errors]
  }

  public func write(_ line: String) -> Bool { channel.write(line) }

  public func readLine(until deadline: UInt64?) -> DeviceLine {
    switch channel.read(until: deadline) {
    case .line(let line): .line(line)
    case .end: .end
    case .timeout: .timeout
    case .tooLong: .tooLong
    }
  }

  public func errorTail() -> String { channel.sideTail() }

  @discardableResult
  public func end(seconds: Double) -> Int32? {
    pipes[0].closeWrite()
    let deadline = Host.monotonicNanoseconds() &+ UInt64(max(seconds, 0) * 1e9)
    guard let end = process.wait(until: deadline) else {
      process.kill()
      return nil
    }
    return ProcessStream.status(end)
  }

  public func kill() {
    pipes[0].closeWrite()
    process.kill()
  }

  /// The end as a shell tells it.
  static func status(_ end: ProcessEnd) -> Int32 {
    switch end {
    case .exited(let status): status
    case .signaled(let signal): 128 &+ signal
    }
  }
}

/// Commands of this machine that end by themselves, with a time limit.
public enum ProcessCommand {
  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - input: a file that it reads; `/dev/null` when `nil`.
  ///   - output: a file that what it prints goes to; it is in the result when `nil`.
  ///   - seconds: how long it may take.
  /// - Returns: `nil` when it took longer and was killed; what it printed is lost then, but for
  ///   errors, which `errorsAtTimeout` gets.
  /// - Throws: `Diagnostic` HST… when it cannot be started.
  public static func run(
    _ executable: String,
    _ arguments: [String],
    environment: [String: String] = [:],
    input: String? = nil,
    output: String? = nil,
    seconds: Double
  ) throws -> CommandResult? {
    let folder = try Host.makeTemporaryFolder("assay-command")
    defer { try? Host.remove(folder) }
    let (words, errors) = (output ?? Host.join(folder, "out"), Host.join(folder, "err"))
    // A shell that makes way for the program: kills reach it, and nothing of ours copies bytes.
    let process = try ChildProcess(
      "/bin/sh",
      [
        "-c", #"i=$1 o=$2 e=$3; shift 3; exec "$@" <"$i" >"$o" 2>"$e""#, "sh",
        input ?? "/dev/null", words, errors, executable,
      ] + arguments,
      environment: environment
    )
    let deadline = Host.monotonicNanoseconds() &+ UInt64(min(max(seconds, 0), 1e6) * 1e9)
    guard let end = process.wait(until: deadline) else {
      process.kill()
      return nil
    }
    return CommandResult(
      status: ProcessStream.status(end),
      output: output == nil ? Host.smallText(words, limit: 64 << 20) ?? "" : "",
      errors: Host.smallText(errors) ?? ""
    )
  }
}
