import AssayBase
import AssayRuntime
import CLiteRT

/// Operator times of a session that was made with profiling.
struct LiteRTProfile {
  /// Mean times, in order of first execution.
  let times: [OperatorTime]
  /// Operators that ran on LiteRT's own kernels, not on the delegate.
  let ownOperators: Int

  init(_ session: LiteRTSession, runs: Int) throws {
    let f = session.library.functions
    var profiler: LrtProfiler?
    try session.library.check(
      unsafe f.LiteRtCompiledModelGetProfiler(session.compiled, &profiler),
      "LiteRtCompiledModelGetProfiler"
    )
    var profile = OperatorProfile()
    var own: Set<String> = []
    for run in 0..<runs where unsafe profiler != nil {
      // The profiler's ring is emptied after each run, so that it never overflows; emptying it ends its
      // work, so that it is started for each.
      unsafe _ = f.LiteRtResetProfiler(profiler)
      try session.library.check(unsafe f.LiteRtStartProfiler(profiler), "LiteRtStartProfiler")
      try session.runOnce()
      let events = try unsafe LiteRTProfile.events(session, profiler)
      let hasDelegate = events.contains { $0.isDelegated }
      for event in events {
        // An operator that a delegate took over is told by the delegate, operator by operator; the
        // bracket around them, which LiteRT tells as one operator more, would count them twice.
        if hasDelegate, !event.isDelegated, event.kind.hasSuffix("Delegate") { continue }
        if !event.isDelegated { own.insert(event.node) }
        profile.add(
          kind: event.kind,
          node: event.node,
          run: run,
          nanoseconds: Double(event.microseconds) * 1000
        )
      }
    }
    if unsafe profiler != nil { unsafe _ = f.LiteRtStopProfiler(profiler) }
    times = profile.means
    ownOperators = own.count
  }

  private struct Event {
    var kind: String
    /// `subgraph:node` of the file, or `#place` in the delegate's own plan.
    var node: String
    var isDelegated: Bool
    var microseconds: UInt64
  }

  private static func events(
    _ session: LiteRTSession,
    _ profiler: LrtProfiler?
  ) throws -> [Event] {
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
    var result: [Event] = []
    for index in 0..<Int(count) {
      let event = unsafe events[index]
      let isDelegated = unsafe event.type == LrtEventDelegateOperator
      guard unsafe isDelegated || event.type == LrtEventOperator else { continue }
      let kind = unsafe event.tag.map { unsafe String(cString: $0) } ?? "?"
      let node = unsafe isDelegated ? "#\(event.node)" : "\(event.subgraph):\(event.node)"
      unsafe result.append(
        Event(
          kind: kind,
          node: node,
          isDelegated: isDelegated,
          microseconds: event.elapsed_us
        )
      )
    }
    return result
  }
}
