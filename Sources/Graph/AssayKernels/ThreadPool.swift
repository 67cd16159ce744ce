import CKernels

// Safe because: a pool has one user at a time (its evaluator, which is not Sendable).
/// Threads that share the work of one kernel at a time.
@safe public final class ThreadPool {
  let handle: OpaquePointer?
  /// The number of workers, the caller being one.
  public let threads: Int

  /// A pool of `threads` workers (at least 1, at most 256).
  public init(threads: Int) {
    self.threads = min(max(threads, 1), 256)
    unsafe handle = self.threads > 1 ? ck_pool_create(Int32(self.threads)) : nil
  }

  deinit { if let handle = unsafe handle { unsafe ck_pool_destroy(handle) } }
}

// Safe because: workers use parts of it that do not overlap.
/// Memory that kernels use while they run, one part for each thread; grows on demand.
@safe public final class Scratch {
  private var memory: UnsafeMutableRawBufferPointer?

  /// Memory without size.
  public init() {}

  /// Makes room for `byteCount` bytes.
  public func reserve(_ byteCount: Int) {
    guard unsafe (memory?.count ?? 0) < byteCount else { return }
    unsafe memory?.deallocate()
    unsafe memory = .allocate(byteCount: byteCount, alignment: 64)
  }

  var address: UnsafeMutableRawPointer? { unsafe memory?.baseAddress }

  deinit { unsafe memory?.deallocate() }
}
