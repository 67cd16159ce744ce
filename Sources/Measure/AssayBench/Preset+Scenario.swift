import AssayRecord
import AssayStatistics

extension Preset {
  /// The preset with turns long enough for what a scenario claims.
  ///
  /// Standard and strict take as many queries as MLPerf's early-stopping test needs with one of them
  /// over (64 for p90, 662 for p99, 6636 for p99.9), as far as the turns' greatest duration allows; a
  /// glance stays one and says how many queries are missing.
  public func supporting(_ scenario: Record.Scenario) -> Preset {
    guard name != Preset.quick.name else { return self }
    return counting(EarlyStopping(scenario.percentile).minimumCount(over: 1))
  }

  /// The preset with at least this many queries in all.
  public func counting(_ count: Int) -> Preset {
    var copy = self
    copy.block.minimumCount = max(block.minimumCount, (count + rounds - 1) / max(rounds, 1))
    copy.block.maximumCount = max(block.maximumCount, copy.block.minimumCount)
    return copy
  }

  /// The preset with turns that last at least this long in all, nanoseconds.
  public func lasting(_ nanoseconds: UInt64) -> Preset {
    var copy = self
    copy.block.minimumNanoseconds = nanoseconds / UInt64(max(rounds, 1))
    copy.block.maximumNanoseconds = max(
      block.maximumNanoseconds,
      2 * copy.block.minimumNanoseconds
    )
    return copy
  }
}
