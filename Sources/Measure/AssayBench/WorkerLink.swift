import AssayBase
import AssayHost

/// The parent's side of one worker.
public protocol WorkerLink: AnyObject {
  /// Asks and waits for the answer.
  ///
  /// - Parameter seconds: how long the worker may take; then it is killed.
  /// - Throws: `Diagnostic`: the worker's own, BEN110 it ended, BEN111 it hung.
  func ask(_ request: JSON, seconds: Double) throws -> JSON
  /// Ends the worker.
  func end()
}

/// A worker in a process of its own.
public final class ProcessWorker: WorkerLink {
  private let process: ChildProcess
  private let channel: LineChannel
  private let pipes: [Pipe]
  /// How the process ended; `nil` while it lives.
  public var processEnd: ProcessEnd? { process.end }

  /// Starts `executable` with `arguments`; it answers on descriptor 3.
  public init(executable: String, arguments: [String]) throws {
    // A worker that died must be an answer, not the end of this process.
    Host.ignoreBrokenPipes()
    let requests = try Pipe()
    let answers = try Pipe()
    let words = try Pipe()
    process = try ChildProcess(
      executable,
      arguments,
      // The trace of a crash would push the runtime's own words out of what is kept of them.
      environment: ["SWIFT_BACKTRACE": "enable=no"],
      descriptors: [
        0: requests.readEnd, 1: words.writeEnd, 2: words.writeEnd, 3: answers.writeEnd,
      ]
    )
    requests.closeRead()
    answers.closeWrite()
    words.closeWrite()
    channel = LineChannel(
      input: answers.readEnd,
      output: requests.writeEnd,
      side: words.readEnd
    )
    pipes = [requests, answers, words]
  }

  public func ask(_ request: JSON, seconds: Double) throws -> JSON {
    let deadline = Host.monotonicNanoseconds() + UInt64(max(seconds, 0) * 1e9)
    let isTaken = channel.write(request.text())
    switch isTaken ? channel.read(until: deadline) : .end {
    case .line(let line):
      let answer = try JSON(parsing: line)
      if let error = answer["error"] { throw withPrintedWords(Diagnostic(json: error)) }
      return answer
    case .timeout:
      process.kill()
      throw Diagnostic(
        "BEN111",
        "the worker gave no answer to '\(request["do"]?.string ?? "")' within \(Int(seconds)) s",
        remedy: "the runtime hangs on this model; try another runtime, provider or thread count",
        cause: channel.sideTail()
      )
    case .end, .tooLong:
      let end = process.wait(until: Host.monotonicNanoseconds() + 2_000_000_000) ?? process.kill()
      throw ProcessWorker.fault(end, channel.sideTail())
    }
  }

  /// A runtime's failure together with what it printed, which is often all that it tells.
  private func withPrintedWords(_ error: Diagnostic) -> Diagnostic {
    guard error.code.hasPrefix("RTM") else { return error }
    let lines = channel.sideTail().split(separator: "\n").filter { !$0.hasPrefix("INFO:") }
    guard !lines.isEmpty else { return error }
    var copy = error
    let printed = "it printed: " + lines.suffix(6).joined(separator: "\n")
    copy.cause = error.cause.map { $0 + "\n" + printed } ?? printed
    return copy
  }

  private static func fault(_ end: ProcessEnd, _ words: String) -> Diagnostic {
    if case .signaled(9) = end {
      return Diagnostic(
        "BEN112",
        "the worker was killed by the system, most likely for want of memory",
        remedy: "free memory, or measure fewer variants at once",
        cause: words
      )
    }
    return Diagnostic(
      "BEN110",
      "the runtime ended the worker: \(end.text)",
      remedy: "the file may be broken, or the runtime at fault: try another one",
      cause: words
    )
  }

  public func end() {
    _ = channel.write(#"{"do":"quit"}"#)
    pipes[0].closeWrite()
    if process.wait(until: Host.monotonicNanoseconds() + 2_000_000_000) == nil { process.kill() }
  }
}

extension Diagnostic {
  /// A finding from its JSON form.
  init(json: JSON) {
    self.init(
      json["code"]?.string ?? "BEN001",
      json["summary"]?.string ?? "unknown failure",
      at: (json["location"]?.array ?? []).compactMap(\.string),
      remedy: json["remedy"]?.string,
      cause: json["cause"]?.string,
      severity: json["severity"]?.string.flatMap(Severity.init) ?? .error
    )
  }
}
