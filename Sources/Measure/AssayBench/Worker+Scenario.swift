import AssayBase
import AssayHost
import AssayRecord
import AssayRuntime
import AssayStatistics

extension Worker {
  /// One block of queries as a scenario issues them.
  func block(_ limits: BlockLimits, _ plan: QueryPlan) throws -> QueryBlock {
    switch plan.kind {
    case .singleStream, .multiStream: return try queries(limits, plan)
    case .offline: return try offline(limits, plan)
    case .server: return try server(limits, plan)
    }
  }

  /// One query after the other.
  private func queries(_ limits: BlockLimits, _ plan: QueryPlan) throws -> QueryBlock {
    let session = try loaded()
    try explaining(session) { () throws(RunFailure) in
      try loop.run(session, limits, inferences: plan.inferences)
    }
    return QueryBlock(samples: loop.samples, window: loop.window)
  }

  /// Every session as fast as it can.
  private func offline(_ limits: BlockLimits, _ plan: QueryPlan) throws -> QueryBlock {
    let sessions = [try loaded()] + furtherSessions
    // Stream 0 has the worker's own buffer.
    let loops = [loop] + furtherSessions.map { _ in TimedLoop() }
    var each = limits
    each.minimumCount = (limits.minimumCount + sessions.count - 1) / sessions.count
    try finished(sessions) { () -> (stream: Int, failure: RunFailure)? in
      Streams.run(sessions) { (stream, session) throws(RunFailure) in
        try loops[stream].run(session, each, inferences: plan.inferences)
      }
    }
    return QueryBlock(
      samples: loops.flatMap(\.samples),
      window: (
        loops.map(\.window.begin).min() ?? 0, loops.map(\.window.end).max() ?? 0
      )
    )
  }

  /// Queries as they arrive.
  private func server(_ limits: BlockLimits, _ plan: QueryPlan) throws -> QueryBlock {
    let sessions = [try loaded()] + furtherSessions
    let lasting = plan.rate * Double(limits.minimumNanoseconds) / 1e9
    let count = min(
      max(limits.minimumCount, lasting < 1e6 ? Int(lasting) : 1 << 20),
      limits.maximumCount
    )
    let arrivals = Arrivals.poisson(rate: plan.rate, count: count, seed: plan.seed)
      .prefix { $0 < limits.maximumNanoseconds }
    let loop = ArrivalLoop(
      arrivals: Array(arrivals),
      // Streams are awake when the first query is due.
      start: Host.monotonicNanoseconds() &+ 1_000_000,
      limit: limits.maximumNanoseconds,
      inferences: plan.inferences
    )
    try finished(sessions) {
      Streams.run(sessions) { (_, session) throws(RunFailure) in try loop.serve(session) }
    }
    return loop.block(end: Host.monotonicNanoseconds())
  }

  private func finished(
    _ sessions: [any Session],
    _ run: () -> (stream: Int, failure: RunFailure)?
  ) throws {
    guard let (stream, failure) = run() else { return }
    try explaining(sessions[stream]) { () throws(RunFailure) in throw failure }
  }
}
