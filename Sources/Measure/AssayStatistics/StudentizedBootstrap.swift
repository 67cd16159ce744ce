import AssayBase

/// The distribution of a trimmed mean's t statistic under resampling.
///
/// An interval of the estimate plus and minus the bootstrap's critical value times the standard error
/// keeps its promise from a dozen units on, where percentiles of replicates are too narrow (symmetric
/// bootstrap-t: Hall 1988; for trimmed means: Wilcox, Introduction to Robust Estimation, 4.4).
struct StudentizedBootstrap {
  var replicates: Int
  var seed: UInt64
  var trim: Double

  /// The fewest units whose resampling shows how t varies; for fewer Student's value is nearer to the
  /// truth (simulated with normal, skewed and disturbed units: 3 to 5.5 % of false alarms at 5 %,
  /// where resampling gives 2 %).
  static let minimumUnits = 12

  /// The value that |t| exceeds with probability 1 - confidence when the units of each side are drawn
  /// anew.
  ///
  /// - Parameter sides: the units of one side, or of two whose difference is meant.
  func critical(_ sides: [[Double]], confidence: Double) -> Double? {
    let means = sides.compactMap { TrimmedMean($0, trim: trim) }
    guard means.count == sides.count, !means.isEmpty else { return nil }
    let center = StudentizedBootstrap.contrast(means)
    let student = StudentT.quantile(
      1 - (1 - confidence) / 2,
      freedom: StudentizedBootstrap.freedom(means)
    )
    guard means.contains(where: { $0.standardError > 0 }),
      sides.allSatisfy({ $0.count >= StudentizedBootstrap.minimumUnits })
    else { return student }
    var random = SeededRNG(seed: seed)
    var values: [Double] = []
    values.reserveCapacity(replicates)
    var drawn = sides
    for _ in 0..<replicates {
      var again: [TrimmedMean] = []
      for side in sides.indices {
        let count = sides[side].count
        for index in 0..<count { drawn[side][index] = sides[side][random.index(below: count)] }
        drawn[side].sort()
        again.append(TrimmedMean(sorted: drawn[side], trim: trim))
      }
      let error = StudentizedBootstrap.error(again)
      let distance = abs(StudentizedBootstrap.contrast(again) - center)
      // A draw of equal units has no error; it stands beyond every bound unless it hits the center.
      values.append(error > 0 ? distance / error : distance == 0 ? 0 : .greatestFiniteMagnitude)
    }
    values.sort()
    let found = Bootstrap.quantile(confidence, of: values)
    return found < 1e6 ? found : student
  }

  /// The only mean, or the second less the first.
  static func contrast(_ means: [TrimmedMean]) -> Double {
    means.count == 1 ? means[0].value : means[1].value - means[0].value
  }

  /// The standard error of the contrast.
  static func error(_ means: [TrimmedMean]) -> Double {
    means.reduce(0) { $0 + $1.standardError * $1.standardError }.squareRoot()
  }

  /// The contrast's degrees of freedom (Welch and Satterthwaite for two sides).
  static func freedom(_ means: [TrimmedMean]) -> Double {
    let variances = means.map { $0.standardError * $0.standardError }
    let total = variances.reduce(0, +)
    guard total > 0 else { return means.map(\.freedom).min() ?? 1 }
    let parts = zip(variances, means).reduce(0) { $0 + $1.0 * $1.0 / max($1.1.freedom, 1) }
    return max(total * total / parts, 1)
  }
}
