import AssayHost

/// How many processors others keep busy while a block runs.
struct ForeignLoad {
  private let all = Host.busyNanoseconds()
  private let own = Host.ownBusyNanoseconds()
  private let start = Host.monotonicNanoseconds()

  /// Processors that others kept busy since the beginning, on average.
  ///
  /// `nil` when the system does not tell or the time was too short: it counts in ticks of 10 ms.
  func processors() -> Double? {
    let elapsed = Host.monotonicNanoseconds() &- start
    guard elapsed > 50_000_000, let all, let now = Host.busyNanoseconds(), now >= all else {
      return nil
    }
    let others = Double(now - all) - Double(Host.ownBusyNanoseconds() &- own)
    return max(others, 0) / Double(elapsed)
  }
}
