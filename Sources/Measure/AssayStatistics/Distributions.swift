/// The standard normal distribution.
public enum Normal {
  /// The probability of at most `z`.
  public static func cumulative(_ z: Double) -> Double {
    0.5 * SpecialFunctions.complementaryError(-z / 2.0.squareRoot())
  }

  /// The value that is not exceeded with probability `p`; infinite at 0 and 1.
  public static func quantile(_ p: Double) -> Double {
    if p <= 0 { return -.infinity }
    if p >= 1 { return .infinity }
    // By symmetry in the lower half, where the tail keeps its digits.
    if p > 0.5 { return -quantile(1 - p) }
    return SpecialFunctions.solve(p, in: -40...0, cumulative)
  }
}

/// Student's t distribution.
public enum StudentT {
  /// The probability of at most `t` with `freedom` degrees of freedom.
  public static func cumulative(_ t: Double, freedom: Double) -> Double {
    let tail =
      0.5 * SpecialFunctions.regularizedBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
    return t > 0 ? 1 - tail : tail
  }

  /// The value that is not exceeded with probability `p`.
  public static func quantile(_ p: Double, freedom: Double) -> Double {
    if p <= 0 { return -.infinity }
    if p >= 1 { return .infinity }
    if p > 0.5 { return -quantile(1 - p, freedom: freedom) }
    var low = -1.0
    while cumulative(low, freedom: freedom) > p, low > -1e15 { low *= 2 }
    return SpecialFunctions.solve(p, in: low...0) { cumulative($0, freedom: freedom) }
  }

  /// The probability that a t statistic whose true mean is `shift` standard errors lies beyond
  /// `critical` on either side (the noncentral t distribution, integrated over the spread).
  public static func power(shift: Double, critical: Double, freedom: Double) -> Double {
    // s is the ratio of the found to the true standard error; s^2 * freedom is chi-squared.
    let logNorm =
      0.6931471805599453 + freedom / 2 * SpecialFunctions.logarithm(freedom / 2)
      - SpecialFunctions.logGamma(freedom / 2)
    let spread = 1 / (2 * freedom).squareRoot()
    let low = max(1 - 9 * spread, 1e-9)
    let high = 1 + 12 * spread
    let steps = 600
    let width = (high - low) / Double(steps)
    var sum = 0.0
    for step in 0...steps {
      let s = low + Double(step) * width
      let density = SpecialFunctions.exponential(
        logNorm + (freedom - 1) * SpecialFunctions.logarithm(s) - freedom * s * s / 2
      )
      let beyond =
        Normal.cumulative(shift - critical * s) + Normal.cumulative(-shift - critical * s)
      let weight = step == 0 || step == steps ? 1.0 : step % 2 == 1 ? 4.0 : 2.0
      sum += weight * density * beyond
    }
    return min(max(sum * width / 3, 0), 1)
  }
}

/// The binomial distribution.
public enum Binomial {
  /// The probability of at most `successes` in `trials`, each with probability `p`.
  public static func cumulative(_ successes: Int, of trials: Int, p: Double) -> Double {
    if successes < 0 { return 0 }
    if successes >= trials { return 1 }
    return SpecialFunctions.regularizedBeta(
      1 - p,
      Double(trials - successes),
      Double(successes + 1)
    )
  }
}
