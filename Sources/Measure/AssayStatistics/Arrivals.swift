import AssayBase

/// When queries arrive, seeded.
public enum Arrivals {
  /// Moments of a Poisson process: independent gaps, exponentially distributed.
  ///
  /// - Parameters:
  ///   - rate: queries per second on average; must be positive.
  ///   - count: how many queries.
  ///   - seed: the same seed gives the same moments on every machine.
  /// - Returns: nanoseconds from the start, in ascending order.
  public static func poisson(rate: Double, count: Int, seed: UInt64) -> [UInt64] {
    var random = SeededRNG(seed: seed)
    var moment = 0.0
    return (0..<max(count, 0)).map { _ in
      // 53 bits in (0, 1]: the logarithm is finite.
      let uniform = Double((random.next() >> 11) + 1) * 0x1p-53
      moment -= SpecialFunctions.logarithm(uniform) / rate * 1e9
      return moment < 9e18 ? UInt64(moment) : UInt64(9e18)
    }
  }
}
