import CKernels

// Safe because: a pool has one user at a time (its evaluator, which is not Sendable).
/// Threads that share the work of one kernel at a time.
@safe public final class ThreadPool {
  /// What C kernels take.
  package let handle: OpaquePointer?
  /// The number of workers, the caller being one.
  public let threads: Int

  /// A pool of `threads` workers (at least 1, at most 256).
  public init(threads: Int) {
    self.threads = min(max(threads, 1), 256)
    unsafe handle = self.threads > 1 ? ck_pool_create(Int32(self.threads)) : nil
  }

  deinit { if let handle = unsafe handle { unsafe ck_pool_destroy(handle) } }

  /// Calls `body` once for each item below `count`, on all workers, and waits.
  ///
  /// Items go to whichever worker is free: what they write must not depend on it, except for memory
  /// that belongs to the worker (`0 ..< threads`).
  public func forEach(_ count: Int, _ body: (_ item: Int, _ worker: Int) -> Void) {
    if count == 1 || threads == 1 {
      for item in 0..<max(count, 0) { body(item, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      let work = PoolWork(body)
      unsafe ck_parallel(
        handle,
        Int64(count),
        { context, item, worker in
          guard let context = unsafe context else { return }
          unsafe Unmanaged<PoolWork>.fromOpaque(context).takeUnretainedValue()
            .body(Int(item), Int(worker))
        },
        Unmanaged.passUnretained(work).toOpaque()
      )
      withExtendedLifetime(work) {}
    }
  }
}

private final class PoolWork {
  let body: (Int, Int) -> Void
  init(_ body: @escaping (Int, Int) -> Void) { self.body = body }
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

  /// Where the memory lies until it is next reserved.
  package var address: UnsafeMutableRawPointer? { unsafe memory?.baseAddress }

  deinit { unsafe memory?.deallocate() }
}
