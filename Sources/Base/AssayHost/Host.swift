import AssayBase
import CHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The operating system under this process: the only place that knows which one it is.
///
/// Every figure that a system may refuse to tell is optional; nothing here guesses.
public enum Host {
  /// Nanoseconds of the monotonic clock that all latencies are measured with
  /// (`CLOCK_MONOTONIC_RAW`: neither jumps nor slewed).
  @inline(__always)
  public static func monotonicNanoseconds() -> UInt64 { chost_monotonic_ns() }

  /// Nanoseconds since 1970 (UTC).
  public static func wallNanoseconds() -> Int64 { chost_wall_ns() }

  /// Lets the calling thread sleep.
  public static func sleep(nanoseconds: UInt64) {
    var left = timespec()
    left.tv_sec = .init(clamping: nanoseconds / 1_000_000_000)
    left.tv_nsec = .init(clamping: nanoseconds % 1_000_000_000)
    var rest = timespec()
    while unsafe nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
  }

  /// One variable of the environment; empty counts as absent.
  public static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// This process's id.
  public static var processID: Int32 { getpid() }

  /// The id of the process that started this one.
  public static var parentProcessID: Int32 { getppid() }

  /// The file of this very executable, or `nil` when the system does not tell.
  public static var executablePath: String? {
    #if os(Linux)
    linkTarget("/proc/self/exe")
    #else
    CommandLine.arguments.first.flatMap(realPath)
    #endif
  }

  /// Gives blocks of 256 kB and more back to the system as soon as they are freed.
  ///
  /// The C library would keep them for later. Not for processes in which a runtime is measured.
  public static func returnLargeBlocks() { chost_return_blocks(1 << 18) }

  /// Makes a write to a pipe that nobody reads an error instead of the end of the process.
  public static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

  /// Asks the system to kill this process when its parent dies.
  ///
  /// - Returns: `false` when the parent is dead already or the system cannot do that.
  @discardableResult
  public static func dieWithParent(_ parent: Int32) -> Bool { chost_die_with_parent(parent) == 0 }

  /// Whether a descriptor is a terminal, and how many columns it has (80 when it does not tell).
  public static func terminal(_ descriptor: Int32) -> (isTerminal: Bool, columns: Int) {
    var columns: Int32 = 0
    let isTerminal = unsafe chost_terminal(descriptor, &columns)
    return (isTerminal, columns > 0 ? Int(columns) : 80)
  }

  /// The name of a signal, such as `SIGSEGV`.
  public static func signalName(_ signal: Int32) -> String {
    let names: [Int32: String] = [
      SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGHUP: "SIGHUP", SIGILL: "SIGILL",
      SIGINT: "SIGINT", SIGKILL: "SIGKILL", SIGPIPE: "SIGPIPE", SIGSEGV: "SIGSEGV",
      SIGSYS: "SIGSYS", SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGXCPU: "SIGXCPU",
    ]
    return names[signal] ?? "signal \(signal)"
  }
}
