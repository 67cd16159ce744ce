import AssayBase
import CHost
import Synchronization

extension Host {
  /// Calls `body` once for each index below `count`, on up to `threads` threads, and waits.
  ///
  /// The caller's thread takes part; when no further thread can be started it does all the work.
  /// Indices are handed out in order, one at a time.
  public static func forEach(
    below count: Int,
    threads: Int,
    _ body: @Sendable (Int) -> Void
  ) {
    withoutActuallyEscaping(body) { body in
      let work = ParallelWork(count: count, body: body)
      let argument = unsafe Unmanaged.passUnretained(work).toOpaque()
      let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
        if let raw = unsafe raw {
          unsafe Unmanaged<ParallelWork>.fromOpaque(raw).takeUnretainedValue().run()
        }
        return nil
      }
      var helpers: [CHostThread] = []
      for _ in 1..<max(1, min(threads, count)) {
        var thread = CHostThread()
        guard unsafe chost_thread_start(&thread, entry, argument, 0) == 0 else { break }
        helpers.append(thread)
      }
      work.run()
      for helper in helpers { _ = chost_thread_join(helper) }
      withExtendedLifetime(work) {}
    }
  }
}

private final class ParallelWork: Sendable {
  private let count: Int
  private let body: @Sendable (Int) -> Void
  private let next = Atomic<Int>(0)

  init(count: Int, body: @escaping @Sendable (Int) -> Void) {
    self.count = count
    self.body = body
  }

  func run() {
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      body(index)
    }
  }
}
