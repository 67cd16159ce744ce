import CRunner
import Synchronization

/// Runs sessions at the same time, a thread for each, as the host's worker does.
enum Streams {
  /// One thread's part.
  private final class Part {
    let index: Int
    let session: any RuntimeSession
    let body: (Int, any RuntimeSession) throws(RunFailure) -> Void
    let ready: Ready
    var failure: RunFailure?

    init(
      _ index: Int,
      _ session: any RuntimeSession,
      _ ready: Ready,
      _ body: @escaping (Int, any RuntimeSession) throws(RunFailure) -> Void
    ) {
      self.index = index
      self.session = session
      self.ready = ready
      self.body = body
    }

    func run() {
      // All begin together; should a thread be missing, the others go without it.
      ready.count.wrappingAdd(1, ordering: .relaxed)
      let patience = Host.monotonicNanoseconds() &+ 1_000_000_000
      while ready.count.load(ordering: .relaxed) < ready.wanted,
        Host.monotonicNanoseconds() < patience
      {}
      do {
        try body(index, session)
      } catch {
        failure = error
      }
    }
  }

  private final class Ready {
    let count = Atomic<Int>(0)
    let wanted: Int
    init(_ wanted: Int) { self.wanted = wanted }
  }

  /// Calls `body` for each session on a thread of its own, the first one on this thread.
  ///
  /// - Returns: the first stream that failed and how; `nil` when none did.
  static func run(
    _ sessions: [any RuntimeSession],
    _ body: @escaping (Int, any RuntimeSession) throws(RunFailure) -> Void
  ) -> (stream: Int, failure: RunFailure)? {
    let ready = Ready(sessions.count)
    var parts: [Part] = []
    for (index, session) in sessions.enumerated() {
      parts.append(Part(index, session, ready, body))
    }
    var threads: [CHostThread] = []
    for part in parts.dropFirst() {
      var thread = CHostThread()
      // The part outlives its thread: it is joined below.
      let status = chost_thread_start(
        &thread,
        { raw in
          if let raw { Unmanaged<Part>.fromOpaque(raw).takeUnretainedValue().run() }
          return nil
        },
        Unmanaged.passUnretained(part).toOpaque(),
        0
      )
      if status == 0 { threads.append(thread) } else { part.failure = RunFailure(status: status) }
    }
    parts.first?.run()
    for thread in threads { _ = chost_thread_join(thread) }
    for part in parts {
      if let failure = part.failure { return (part.index, failure) }
    }
    return nil
  }
}

extension Runner {
  /// One block of queries as a scenario issues them.
  func queries(
    _ limits: BlockLimits,
    _ scenario: String,
    _ request: Value
  ) throws(Failure) -> QueryBlock {
    let sessions = [try loaded()] + further
    let inferences = min(max(request["inferences"]?.int ?? 1, 1), 1 << 20)
    switch scenario {
    case "single-stream", "multi-stream":
      let session = sessions[0]
      do {
        try loop.run(session, limits, inferences: inferences)
      } catch {
        throw failure(error, session)
      }
      return QueryBlock(samples: loop.samples, window: loop.window)
    case "offline":
      // Stream 0 has the runner's own buffer.
      var loops = [loop]
      for _ in further { loops.append(TimedLoop()) }
      var each = limits
      each.minimumCount = (limits.minimumCount + sessions.count - 1) / sessions.count
      let (all, limits) = (loops, each)
      let failed = Streams.run(sessions) { (stream, session) throws(RunFailure) in
        try all[stream].run(session, limits, inferences: inferences)
      }
      if let failed { throw failure(failed.failure, sessions[failed.stream]) }
      var samples: [Int64] = []
      var window = loops[0].window
      for one in loops {
        samples += one.samples
        window = (min(window.begin, one.window.begin), max(window.end, one.window.end))
      }
      return QueryBlock(samples: samples, window: window)
    case "server":
      let given = request["rate"]?.double ?? 0
      let rate = given > 0 ? given : 1
      let lasting = rate * Double(limits.minimumNanoseconds) / 1e9
      let count = min(
        max(limits.minimumCount, lasting < 1e6 ? Int(lasting) : 1 << 20),
        limits.maximumCount
      )
      var arrivals = Arrivals.poisson(
        rate: rate,
        count: count,
        seed: UInt64(bitPattern: Int64(request["seed"]?.int ?? 1))
      )
      while let last = arrivals.last, last >= limits.maximumNanoseconds { arrivals.removeLast() }
      let loop = ArrivalLoop(
        arrivals: arrivals,
        // Streams are awake when the first query is due.
        start: Host.monotonicNanoseconds() &+ 1_000_000,
        limit: limits.maximumNanoseconds,
        inferences: inferences
      )
      let failed = Streams.run(sessions) { (_, session) throws(RunFailure) in
        try loop.serve(session)
      }
      if let failed { throw failure(failed.failure, sessions[failed.stream]) }
      return loop.block(end: Host.monotonicNanoseconds())
    default:
      throw Failure("BEN002", "the runner on the device has no scenario '" + scenario + "'")
    }
  }

  func failure(_ error: RunFailure, _ session: any RuntimeSession) -> Failure {
    Failure(
      "BEN113",
      "an inference failed with status " + String(error.status),
      cause: session.failureText
    )
  }
}
