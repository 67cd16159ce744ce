import AssayStatistics

/// How many standard uncertainties hold the true value with 95 % confidence.
enum Coverage {
  /// Student's factor for a sum of contributions, by Welch and Satterthwaite (GUM G.4).
  ///
  /// - Parameter parts: standard uncertainties with their degrees of freedom; infinity for limits that
  ///   are known otherwise than by repeating.
  static func factor(_ parts: [(uncertainty: Double, freedom: Double)]) -> Double {
    let sum = parts.reduce(0) { $0 + $1.uncertainty * $1.uncertainty }
    let weighted = parts.reduce(0) { total, part in
      guard part.freedom.isFinite, part.freedom > 0 else { return total }
      let square = part.uncertainty * part.uncertainty
      return total + square * square / part.freedom
    }
    guard weighted > 0 else { return 2 }
    let freedom = sum * sum / weighted
    // Beyond that the factor is that of the normal distribution, 1.96.
    guard freedom < 1000 else { return 2 }
    return max(StudentT.quantile(0.975, freedom: max(freedom, 1)), 2)
  }
}
