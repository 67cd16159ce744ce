import AssayHost
import Synchronization

/// Makes the load of a marker: processors that compute and rest as its chips say.
public enum MarkerPlayer {
  /// Plays a marker on this machine; blocks until it is over.
  ///
  /// - Parameters:
  ///   - marker: the pattern.
  ///   - threads: how many processors take part.
  /// - Returns: when each stretch really was.
  /// - Throws: `Diagnostic` HST010 when a thread cannot be started.
  public static func play(_ marker: CodedMarker, threads: Int) throws -> PlayedMarker {
    // All follow one clock, so nobody has to wait for another.
    let begin = Host.monotonicNanoseconds() &+ 2_000_000
    let busy = marker.busy
    let helpers = try (1..<max(threads, 1)).map { _ in
      try OwnThread { _ in _ = follow(busy, from: begin) }
    }
    let really = follow(busy, from: begin)
    let end = begin &+ marker.duration
    let now = Host.monotonicNanoseconds()
    if now < end { Host.sleep(nanoseconds: end - now) }
    for helper in helpers { helper.join() }
    return PlayedMarker(
      begin: Int64(clamping: begin),
      end: Int64(clamping: max(end, Host.monotonicNanoseconds())),
      busy: really
    )
  }

  private static func follow(_ busy: [Range<UInt64>], from begin: UInt64) -> [Range<Int64>] {
    var really: [Range<Int64>] = []
    for run in busy {
      let now = Host.monotonicNanoseconds()
      let start = begin &+ run.lowerBound
      if now < start { Host.sleep(nanoseconds: start - now) }
      let entered = Host.monotonicNanoseconds()
      let stop = begin &+ run.upperBound
      var left = entered
      while left < stop {
        spin()
        left = Host.monotonicNanoseconds()
      }
      // A run that was overslept has no length.
      really.append(Int64(clamping: entered)..<Int64(clamping: max(left, entered)))
    }
    return really
  }

  /// A few microseconds of work that keeps a core's multipliers going.
  @inline(never)
  private static func spin() {
    var (a, b, c, d) = (1.1, 1.2, 1.3, 1.4)
    for _ in 0..<2000 {
      a = a * 1.000001 + 0.0000001
      b = b * 0.999999 + 0.0000001
      c = c * 1.000001 - 0.0000001
      d = d * 0.999999 - 0.0000001
    }
    sink.store((a + b + c + d).bitPattern, ordering: .relaxed)
  }

  /// Keeps the work from being left out.
  private static let sink = Atomic<UInt64>(0)
}
