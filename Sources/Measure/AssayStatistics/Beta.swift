/// The beta distribution: what is known of a probability after so many successes and failures.
public enum Beta {
  /// The probability of at most `x`.
  ///
  /// - Precondition: `a` and `b` are positive.
  public static func cumulative(_ x: Double, _ a: Double, _ b: Double) -> Double {
    SpecialFunctions.regularizedBeta(x, a, b)
  }

  /// The value that is not exceeded with probability `p`.
  public static func quantile(_ p: Double, _ a: Double, _ b: Double) -> Double {
    if p <= 0 { return 0 }
    if p >= 1 { return 1 }
    return SpecialFunctions.solve(p, in: 0...1) { cumulative($0, a, b) }
  }

  /// The variance of the natural logarithm: trigamma(a) - trigamma(a + b).
  public static func logVariance(_ a: Double, _ b: Double) -> Double {
    max(trigamma(a) - trigamma(a + b), 0)
  }

  /// The second derivative of the logarithm of the gamma function (DLMF 5.15.8 after shifting to where
  /// the asymptotic series holds).
  private static func trigamma(_ x: Double) -> Double {
    var x = x
    var sum = 0.0
    while x < 12 {
      sum += 1 / (x * x)
      x += 1
    }
    let y = 1 / (x * x)
    let series = 1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y / 30))
    return sum + 1 / x + y / 2 + y / x * series
  }
}
