import AssayBase
import CHost

/// A plain thread that runs beside its maker, outside every pool.
///
/// It must be joined; what goes without that is joined when it goes.
public final class OwnThread {
  private let thread: CHostThread
  private let work: BackgroundWork
  private var isJoined = false

  /// Starts a thread.
  ///
  /// - Parameters:
  ///   - options: wishes; those that the system refuses are handed to `body`.
  ///   - body: runs once on the thread.
  /// - Throws: `Diagnostic` HST010 when there can be no thread.
  public init(
    _ options: ThreadOptions = ThreadOptions(),
    _ body: @escaping @Sendable (_ refused: [String]) -> Void
  ) throws {
    work = BackgroundWork { body(Host.apply(options)) }
    let argument = unsafe Unmanaged.passUnretained(work).toOpaque()
    var started = CHostThread()
    let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
      if let raw = unsafe raw {
        unsafe Unmanaged<BackgroundWork>.fromOpaque(raw).takeUnretainedValue().run()
      }
      return nil
    }
    let status = unsafe chost_thread_start(&started, entry, argument, max(options.stackBytes, 0))
    guard status == 0 else {
      throw Diagnostic("HST010", "no thread can be started", cause: Host.systemError(status))
    }
    thread = started
  }

  /// Waits for the thread's end.
  public func join() {
    guard !isJoined else { return }
    isJoined = true
    _ = chost_thread_join(thread)
    withExtendedLifetime(work) {}
  }

  deinit { join() }
}

/// What a thread has to do.
private final class BackgroundWork: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
