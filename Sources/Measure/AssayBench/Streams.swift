import AssayHost
import AssayRuntime
import Synchronization

/// Runs sessions at the same time, a thread for each.
enum Streams {
  // Safe because: each session and each entry belongs to the one thread that drew its index.
  @safe private final class Work: @unchecked Sendable {
    let sessions: [any Session]
    let body: (Int, any Session) throws(RunFailure) -> Void
    let failures = Mutex<[(stream: Int, failure: RunFailure)]>([])
    let ready = Atomic<Int>(0)

    init(
      _ sessions: [any Session],
      _ body: @escaping (Int, any Session) throws(RunFailure) -> Void
    ) {
      self.sessions = sessions
      self.body = body
    }

    func run(_ index: Int) {
      // All begin together; should a thread be missing, the others go without it.
      ready.wrappingAdd(1, ordering: .relaxed)
      let patience = Host.monotonicNanoseconds() &+ 1_000_000_000
      while ready.load(ordering: .relaxed) < sessions.count,
        Host.monotonicNanoseconds() < patience
      {}
      do {
        try body(index, sessions[index])
      } catch {
        failures.withLock { $0.append((index, error)) }
      }
    }
  }

  /// Calls `body` for each session on a thread of its own; all begin together.
  ///
  /// - Returns: the stream that failed first and how; `nil` when none did.
  static func run(
    _ sessions: [any Session],
    _ body: (Int, any Session) throws(RunFailure) -> Void
  ) -> (stream: Int, failure: RunFailure)? {
    withoutActuallyEscaping(body) { body in
      let work = Work(sessions, body)
      Host.forEach(below: sessions.count, threads: sessions.count) { work.run($0) }
      return work.failures.withLock { $0.first }
    }
  }
}
