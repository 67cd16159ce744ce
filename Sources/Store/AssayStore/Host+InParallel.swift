import AssayHost
import Synchronization

extension Host {
  /// What `body` gives for each index below `count`, in order, computed on all processors.
  package static func inParallel<Value: Sendable>(
    _ count: Int,
    _ body: @Sendable (Int) -> Value
  ) -> [Value] {
    // Fewer are done before a thread has started.
    let part = 64
    guard count > part else { return (0..<count).map(body) }
    let parts = (count + part - 1) / part
    let made = Mutex<[[Value]]>(Array(repeating: [], count: parts))
    forEach(below: parts, threads: allowedProcessors().count) { index in
      let values = (index * part..<min((index + 1) * part, count)).map(body)
      made.withLock { $0[index] = values }
    }
    return made.withLock { $0.flatMap(\.self) }
  }
}
