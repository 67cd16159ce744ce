import AssayBase
import CHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a plain thread asks of the system.
public struct ThreadOptions: Sendable, Equatable {
  /// The processors to be bound to; empty for any.
  public var processors: [Int]
  /// The niceness (-20 first, 19 last); `nil` for the process's own.
  public var niceness: Int?
  /// Bytes of stack; 0 for the system's default.
  public var stackBytes: Int

  /// Makes options.
  public init(processors: [Int] = [], niceness: Int? = nil, stackBytes: Int = 8 << 20) {
    self.processors = processors
    self.niceness = niceness
    self.stackBytes = stackBytes
  }
}

extension Host {
  /// Runs `body` on a thread of its own, outside every pool, and waits for its end.
  ///
  /// `body` runs exactly once and the caller is blocked meanwhile, so what it captures needs not be
  /// shareable.
  ///
  /// - Parameter options: wishes; one that the system refuses is reported by `refused`, not thrown.
  /// - Throws: what `body` throws, or `Diagnostic` HST010 when there can be no thread.
  public static func onOwnThread<T>(
    _ options: ThreadOptions = ThreadOptions(),
    refused: ((String) -> Void)? = nil,
    _ body: () throws -> T
  ) throws -> T {
    var result: Result<T, any Error>?
    var refusals: [String] = []
    try withoutActuallyEscaping(body) { body in
      let work = ThreadWork {
        refusals = apply(options)
        result = Result { try body() }
      }
      let argument = unsafe Unmanaged.passUnretained(work).toOpaque()
      var thread = CHostThread()
      let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
        if let raw = unsafe raw {
          unsafe Unmanaged<ThreadWork>.fromOpaque(raw).takeUnretainedValue().run()
        }
        return nil
      }
      let status = unsafe chost_thread_start(&thread, entry, argument, max(options.stackBytes, 0))
      guard status == 0 else {
        throw Diagnostic("HST010", "no thread can be started", cause: systemError(status))
      }
      _ = chost_thread_join(thread)
      withExtendedLifetime(work) {}
    }
    for refusal in refusals { refused?(refusal) }
    guard let result else { throw Diagnostic("HST010", "the thread ended without a result") }
    return try result.get()
  }

  static func apply(_ options: ThreadOptions) -> [String] {
    var refusals: [String] = []
    if !options.processors.isEmpty {
      let numbers = options.processors.map { Int32(clamping: $0) }
      let status = unsafe chost_set_affinity(numbers, numbers.count)
      if status != 0 { refusals.append("affinity: " + systemError(status)) }
    }
    if let niceness = options.niceness {
      let status = chost_set_thread_niceness(Int32(clamping: niceness))
      if status != 0 { refusals.append("priority: " + systemError(status)) }
    }
    return refusals
  }

  /// The system's words for an errno value.
  static func systemError(_ status: Int32) -> String { unsafe String(cString: strerror(status)) }
}

/// What a thread of its own has to do.
private final class ThreadWork {
  let run: () -> Void
  init(_ run: @escaping () -> Void) { self.run = run }
}
