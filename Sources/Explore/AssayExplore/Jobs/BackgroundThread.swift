import AssayBase
import CHost
import Synchronization

/// A thread that runs beside the one that starts it.
final class BackgroundThread: Sendable {
  private let handle: CHostThread
  private let isJoined = Mutex(false)

  /// Starts a thread.
  ///
  /// - Throws: `Diagnostic` HST010 when there can be none.
  init(_ body: @escaping @Sendable () -> Void) throws {
    let work = unsafe Unmanaged.passRetained(Work(body: body))
    var thread = CHostThread()
    let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
      if let raw = unsafe raw { unsafe Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body() }
      return nil
    }
    let status = unsafe chost_thread_start(&thread, entry, work.toOpaque(), 0)
    guard status == 0 else {
      unsafe work.release()
      throw Diagnostic("HST010", "no thread can be started")
    }
    handle = thread
  }

  /// Waits for its end; not to be called on the thread itself.
  func join() {
    let isFirst = isJoined.withLock { joined in
      defer { joined = true }
      return !joined
    }
    if isFirst { _ = chost_thread_join(handle) }
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
