import AssayStatistics

/// Whether latencies have settled.
public enum Steadiness {
  /// The number of samples that a window has.
  public static let window = 5

  /// Whether the last two windows agree: their medians differ by at most `tolerance` of the smaller,
  /// and the later one is no longer falling by more than that against the one before.
  public static func isSteady(_ samples: [Int64], tolerance: Double = 0.05) -> Bool {
    guard samples.count >= 2 * window else { return false }
    let last = median(samples.suffix(window))
    let before = median(samples.dropLast(window).suffix(window))
    let smaller = Double(min(last, before))
    // Below a microsecond the clock's own step is more than the tolerance.
    return abs(Double(last - before)) <= max(smaller * tolerance, 100)
  }

  /// Whether latencies have settled: the last windows agree, and by its change points at least the later
  /// half of the series is one level within `tolerance`.
  ///
  /// Two windows that agree may stand on a slope; a test of the whole series sees that.
  public static func isSettled(_ samples: [Int64], tolerance: Double = 0.05) -> Bool {
    guard isSteady(samples, tolerance: tolerance) else { return false }
    return SteadyState(samples, tolerance: tolerance)?.isSteady ?? false
  }

  /// The middle sample (the lower one of two).
  public static func median(_ samples: some Collection<Int64>) -> Int64 {
    let sorted = samples.sorted()
    return sorted.isEmpty ? 0 : sorted[(sorted.count - 1) / 2]
  }
}
