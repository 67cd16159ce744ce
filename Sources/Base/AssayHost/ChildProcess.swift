import AssayBase
import CHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How a process ended.
public enum ProcessEnd: Sendable, Equatable {
  /// It exited by itself.
  case exited(Int32)
  /// A signal ended it.
  case signaled(Int32)

  /// The end in words, such as `exit status 3` or `SIGSEGV`.
  public var text: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .signaled(let signal): Host.signalName(signal)
    }
  }
}

/// A pipe's two ends, closed on exec and with the object.
public final class Pipe {
  /// The end to read from; -1 when closed.
  public private(set) var readEnd: Int32 = -1
  /// The end to write to; -1 when closed.
  public private(set) var writeEnd: Int32 = -1

  /// Makes a pipe.
  ///
  /// - Throws: `Diagnostic` HST030.
  public init() throws {
    let status = unsafe chost_pipe(&readEnd, &writeEnd)
    guard status == 0 else {
      throw Diagnostic("HST030", "no pipe can be made", cause: Host.systemError(status))
    }
  }

  /// Closes the end to read from.
  public func closeRead() {
    if readEnd >= 0 { close(readEnd) }
    readEnd = -1
  }

  /// Closes the end to write to.
  public func closeWrite() {
    if writeEnd >= 0 { close(writeEnd) }
    writeEnd = -1
  }

  deinit {
    closeRead()
    closeWrite()
  }
}

/// A process that we started; it is killed when the object goes before it has ended.
public final class ChildProcess {
  /// Its id.
  public let id: Int32
  /// How it ended, once that was seen.
  public private(set) var end: ProcessEnd?
  /// Its peak resident memory, bytes, once its end was seen.
  public private(set) var peakMemory: Int?

  /// Starts an executable.
  ///
  /// - Parameters:
  ///   - executable: its path.
  ///   - arguments: the arguments after the name.
  ///   - environment: variables that are set beside, or instead of, those of this process.
  ///   - descriptors: which of our descriptors it gets, by the number that it sees; descriptors 0, 1
  ///     and 2 that are not given are `/dev/null`.
  /// - Throws: `Diagnostic` HST031 with the system's words.
  public init(
    _ executable: String,
    _ arguments: [String],
    environment: [String: String] = [:],
    descriptors: [Int32: Int32] = [:]
  ) throws {
    let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    var given = descriptors
    for standard: Int32 in 0...2 where given[standard] == nil { given[standard] = null }
    // A source that is also a target would be overwritten before its turn: move sources up first.
    var copies: [Int32] = []
    defer { for copy in copies { close(copy) } }
    var list: [CHostDescriptor] = []
    let top = (given.keys.max() ?? 2) + 1
    for (target, source) in given.sorted(by: { $0.key < $1.key }) {
      let copy = fcntl(source, F_DUPFD_CLOEXEC, top)
      guard copy >= 0 else {
        throw Diagnostic("HST031", "a descriptor cannot be handed on", cause: lastSystemError())
      }
      copies.append(copy)
      list.append(CHostDescriptor(source: copy, target: target))
    }
    var process: pid_t = 0
    let status = unsafe withCStrings([executable] + arguments) { arguments in
      unsafe withCStrings(ChildProcess.environment(with: environment)) { variables in
        unsafe chost_spawn(&process, executable, arguments, variables, list, list.count)
      }
    }
    guard status == 0 else {
      throw Diagnostic(
        "HST031",
        "the process cannot be started",
        at: [executable],
        cause: Host.systemError(status)
      )
    }
    id = process
  }

  /// Looks whether it has ended.
  public func poll() -> ProcessEnd? {
    if end == nil { note(chost_wait(id, false)) }
    return end
  }

  /// Waits for its end.
  public func wait() -> ProcessEnd {
    if let end { return end }
    note(chost_wait(id, true))
    return end ?? .exited(-1)
  }

  /// Waits for its end until `deadline` (monotonic nanoseconds).
  ///
  /// - Returns: `nil` when it still runs then.
  public func wait(until deadline: UInt64) -> ProcessEnd? {
    while poll() == nil {
      let now = Host.monotonicNanoseconds()
      if now >= deadline { return nil }
      Host.sleep(nanoseconds: min(deadline - now, 2_000_000))
    }
    return end
  }

  /// Kills it (SIGKILL) and waits for its end.
  @discardableResult
  public func kill() -> ProcessEnd {
    if let end = poll() { return end }
    systemKill(id)
    return wait()
  }

  deinit { if end == nil { kill() } }

  private func note(_ exit: CHostExit) {
    switch exit.state {
    case 1: end = .exited(exit.value)
    case 2: end = .signaled(exit.value)
    case -1: end = .exited(-1)
    default: return
    }
    peakMemory = exit.peak_memory > 0 ? Int(exit.peak_memory) : nil
  }

  private static func environment(with changes: [String: String]) -> [String] {
    var list: [String] = []
    var next = unsafe chost_environment()
    while let entry = unsafe next?.pointee {
      let text = unsafe String(cString: entry)
      let name = String(text.prefix { $0 != "=" })
      if changes[name] == nil { list.append(text) }
      unsafe next = next?.advanced(by: 1)
    }
    return list + changes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }
}

private func systemKill(_ process: Int32) { _ = kill(process, SIGKILL) }

/// Calls `body` with a null-ended list of C strings.
private func withCStrings<R>(
  _ strings: [String],
  _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws -> R
) rethrows -> R {
  var pointers: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) }
  unsafe pointers.append(nil)
  defer { unsafe pointers.forEach { unsafe free($0) } }
  return try unsafe pointers.withUnsafeBufferPointer { list in
    guard let base = list.baseAddress else { preconditionFailure("the list ends with null") }
    return try unsafe body(base)
  }
}
