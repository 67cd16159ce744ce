/// Two classifiers on the same samples: who is right where the other is wrong.
public struct PairedOutcomes: Sendable, Equatable {
  /// Samples on which both are right.
  public private(set) var bothRight = 0
  /// Samples on which the first alone is right.
  public private(set) var firstOnly = 0
  /// Samples on which the second alone is right.
  public private(set) var secondOnly = 0
  /// Samples on which both are wrong.
  public private(set) var bothWrong = 0
  /// Samples on which both put the same class first.
  public private(set) var agreed = 0

  /// Counts nothing yet.
  public init() {}

  /// Counts one sample.
  public mutating func add(_ first: ClassOutcome, _ second: ClassOutcome) {
    add(first: first.predicted == first.label, second: second.predicted == second.label)
    if first.predicted == second.predicted { agreed += 1 }
  }

  /// Counts one sample by who is right alone.
  public mutating func add(first: Bool, second: Bool) {
    switch (first, second) {
    case (true, true): bothRight += 1
    case (true, false): firstOnly += 1
    case (false, true): secondOnly += 1
    case (false, false): bothWrong += 1
    }
  }

  /// How many samples were counted.
  public var count: Int { bothRight + firstOnly + secondOnly + bothWrong }

  /// The probability of so uneven a split of the samples on which only one is right, were both equally
  /// good: McNemar's test, exact (two-sided binomial).
  public var probability: Double {
    let n = firstOnly + secondOnly
    guard n > 0 else { return 1 }
    let fewer = min(firstOnly, secondOnly)
    let half = logarithmOfGamma(Double(n) + 1) - Double(n) * 0.6931471805599453
    var sum = 0.0
    for k in 0...fewer {
      let ways = logarithmOfGamma(Double(k) + 1) + logarithmOfGamma(Double(n - k) + 1)
      sum += exponential(half - ways)
    }
    return min(2 * sum, 1)
  }

  /// The second's accuracy minus the first's, with the 95 % interval for paired proportions (Newcombe,
  /// 1998, Statistics in Medicine 17:2635, method 10); `nil` when nothing was counted.
  public var difference: (value: Double, interval: ClosedRange<Double>)? {
    guard count > 0 else { return nil }
    let n = Double(count)
    let (p, q) = (Double(bothRight + secondOnly) / n, Double(bothRight + firstOnly) / n)
    let (a, b) = (wilson(p, n), wilson(q, n))
    let phi = correlation
    func reach(_ x: Double, _ y: Double) -> Double {
      max(x * x - 2 * phi * x * y + y * y, 0).squareRoot()
    }
    let low = p - q - reach(p - a.lowerBound, b.upperBound - q)
    let high = p - q + reach(a.upperBound - p, q - b.lowerBound)
    return (p - q, max(min(low, p - q), -1)...min(max(high, p - q), 1))
  }

  private var correlation: Double {
    let (a, b, c, d) = (
      Double(bothRight), Double(secondOnly), Double(firstOnly), Double(bothWrong)
    )
    let product = (a + b) * (c + d) * (a + c) * (b + d)
    guard product > 0 else { return 0 }
    let cross = a * d - b * c
    // Newcombe's continuity correction for positive correlations.
    let corrected = cross > 0 ? max(cross - (a + b + c + d) / 2, 0) : cross
    return corrected / product.squareRoot()
  }

  private func wilson(_ p: Double, _ n: Double) -> ClosedRange<Double> {
    let z = 1.959963984540054
    let center = p + z * z / (2 * n)
    let reach = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    return max(0, (center - reach) / scale)...min(1, (center + reach) / scale)
  }
}
