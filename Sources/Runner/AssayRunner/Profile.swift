import CLiteRT

/// The time of one operator, as the shared profile tells it.
public struct OperatorTime {
  var kind: String
  var node: String
  var nanoseconds: Double

  /// Makes a time.
  public init(kind: String, node: String, nanoseconds: Double) {
    self.kind = kind
    self.node = node
    self.nanoseconds = nanoseconds
  }
}

extension LiteRTSession {
  /// Operator times of a session that was made with profiling.
  func profile(runs: Int) throws(Failure) -> (times: [OperatorTime], placed: Int?) {
    let f = library.functions
    var profiler: LrtProfiler?
    try library.check(f.LiteRtCompiledModelGetProfiler(compiled, &profiler), "the profiler")
    guard profiler != nil else { return ([], placed) }
    var profile = OperatorProfile()
    var own: [String] = []
    for run in 0..<runs {
      _ = f.LiteRtResetProfiler(profiler)
      try library.check(f.LiteRtStartProfiler(profiler), "LiteRtStartProfiler")
      do {
        try self.run()
      } catch {
        throw Failure("BEN113", "an inference failed with status " + String(error.status))
      }
      var count: Int32 = 0
      try library.check(f.LiteRtGetNumProfilerEvents(profiler, &count), "the profiler's events")
      guard count > 0 else { continue }
      var events = [LrtEvent](repeating: LrtEvent(), count: Int(count))
      let status = events.withUnsafeMutableBufferPointer {
        f.LiteRtGetProfilerEvents(profiler, count, $0.baseAddress)
      }
      try library.check(status, "the profiler's events")
      let hasDelegate = events.contains { $0.type == Int32(LrtEventDelegateOperator) }
      for event in events {
        let isDelegated = event.type == Int32(LrtEventDelegateOperator)
        guard isDelegated || event.type == Int32(LrtEventOperator) else { continue }
        let kind = event.tag.map { String(cString: $0) } ?? "?"
        // The bracket around a delegate's operators would count them twice.
        if hasDelegate, !isDelegated, kind.hasSuffix("Delegate") { continue }
        let node =
          isDelegated ? "#" + String(event.node) : String(event.subgraph) + ":" + String(event.node)
        if !isDelegated, !own.contains(where: { $0 == node }) { own.append(node) }
        profile.add(
          kind: kind,
          node: node,
          run: run,
          nanoseconds: Double(event.elapsed_us) * 1000
        )
      }
    }
    _ = f.LiteRtStopProfiler(profiler)
    let times = profile.means
    // What the Edge TPU left is run by others of LiteRT's kernels than its own.
    let isKnown = times.isEmpty || accelerator != nil
    return (times, isKnown ? placed : max(total - own.count, 0))
  }
}
