import AssayBase
import AssayRuntime
import CLiteRT

/// Operator times of a session that was made with profiling.
struct LiteRTProfile {
  /// Mean times, in order of first execution.
  private(set) var times: [OperatorTime] = []
  /// Operators that ran on LiteRT's own kernels, not on the delegate.
  private(set) var ownOperators = 0

  init(_ session: LiteRTSession, runs: Int) throws {
    let f = session.library.functions
    var profiler: LrtProfiler?
    try session.library.check(
      unsafe f.LiteRtCompiledModelGetProfiler(session.compiled, &profiler),
      "LiteRtCompiledModelGetProfiler"
    )
    guard unsafe profiler != nil else { return }
    unsafe _ = f.LiteRtResetProfiler(profiler)
    try session.library.check(unsafe f.LiteRtStartProfiler(profiler), "LiteRtStartProfiler")
    defer { unsafe _ = f.LiteRtStopProfiler(profiler) }
    var sums: [Key: (order: Int, microseconds: UInt64)] = [:]
    for _ in 0..<runs {
      try session.runOnce()
      // Emptied after each run, so that the profiler's ring never overflows.
      for (key, time) in try unsafe LiteRTProfile.events(session, profiler) {
        let order = sums.count
        sums[key, default: (order, 0)].microseconds &+= time
      }
    }
    // An operator that a delegate took over is told by the delegate, operator by operator; the
    // bracket around them, which LiteRT tells as one operator more, would count them twice.
    let isDelegated = sums.keys.contains { $0.isDelegated }
    for (key, sum) in sums.sorted(by: { $0.value.order < $1.value.order }) {
      if isDelegated, !key.isDelegated, key.kind.hasSuffix("Delegate") { continue }
      if !key.isDelegated { ownOperators += 1 }
      times.append(
        OperatorTime(
          kind: key.kind,
          node: "\(key.subgraph):\(key.node)",
          nanoseconds: Double(sum.microseconds) * 1000 / Double(runs)
        )
      )
    }
  }

  private struct Key: Hashable {
    var kind: String
    var node: UInt64
    var subgraph: UInt64
    var isDelegated: Bool
  }

  private static func events(
    _ session: LiteRTSession,
    _ profiler: LrtProfiler?
  ) throws -> [(Key, UInt64)] {
    let f = session.library.functions
    var count: Int32 = 0
    try session.library.check(
      unsafe f.LiteRtGetNumProfilerEvents(profiler, &count),
      "LiteRtGetNumProfilerEvents"
    )
    guard count > 0 else { return [] }
    var events = unsafe [LrtEvent](repeating: LrtEvent(), count: Int(count))
    try session.library.check(
      unsafe f.LiteRtGetProfilerEvents(profiler, count, &events),
      "LiteRtGetProfilerEvents"
    )
    unsafe _ = f.LiteRtResetProfiler(profiler)
    var result: [(Key, UInt64)] = []
    for index in 0..<Int(count) {
      let event = unsafe events[index]
      let isDelegated = unsafe event.type == LrtEventDelegateOperator
      guard unsafe isDelegated || event.type == LrtEventOperator else { continue }
      let key = unsafe Key(
        kind: event.tag.map { unsafe String(cString: $0) } ?? "?",
        node: event.node,
        subgraph: event.subgraph,
        isDelegated: isDelegated
      )
      unsafe result.append((key, event.elapsed_us))
    }
    return result
  }
}
