/// Intervals of percentiles between two samples, whatever the distribution.
///
/// The number of samples below the true percentile is binomial (David and Nagaraja, Order Statistics,
/// 3rd edition, 7.1). Samples are taken as independent.
public enum OrderStatistics {
  /// The ranks (from 1) of the samples that bound a percentile with a given confidence, half of the
  /// doubt on either side.
  ///
  /// With B binomial(n, q) and d half of the doubt: the lower rank is the greatest r with
  /// P(B < r) <= d, the upper the least s with P(B >= s) <= d.
  ///
  /// - Returns: `nil` when no sample is low or high enough.
  public static func ranks(
    _ percentile: Percentile,
    count: Int,
    confidence: Double = 0.95
  ) -> ClosedRange<Int>? {
    guard count > 0, confidence > 0, confidence < 1 else { return nil }
    let q = percentile.fraction
    let odds = q / (1 - q)
    let mode = min(count, Int(Double(count + 1) * q))
    // Weights relative to that of the mode, outwards until they no longer count: no factorials, no
    // overflow, and about sqrt(n) steps.
    var below: [Double] = []
    var weight = 1.0
    var k = mode
    while k > 0, weight > 1e-20 {
      weight *= Double(k) / (Double(count - k + 1) * odds)
      below.append(weight)
      k -= 1
    }
    var above: [Double] = []
    weight = 1
    k = mode
    while k < count, weight > 1e-20 {
      weight *= Double(count - k) * odds / Double(k + 1)
      above.append(weight)
      k += 1
    }
    let total = below.reduce(0, +) + 1 + above.reduce(0, +)
    let tail = (1 - confidence) / 2 * total

    // below[i] is the weight of mode - 1 - i, above[i] that of mode + 1 + i.
    func lower() -> Int? {
      var sum = 0.0
      var value = mode - below.count
      for weight in below.reversed() + [1] + above {
        sum += weight
        if sum > tail { return value >= 1 ? value : nil }
        value += 1
      }
      return nil
    }
    func upper() -> Int? {
      var sum = 0.0
      var value = mode + above.count
      for weight in above.reversed() + [1] + below {
        sum += weight
        if sum > tail { return value + 1 <= count ? value + 1 : nil }
        value -= 1
      }
      return nil
    }
    guard let low = lower(), let high = upper(), low <= high else { return nil }
    return low...high
  }

  /// A percentile of whole numbers that stand for values rounded to the nearest.
  ///
  /// Samples of one number are taken as spread evenly over the step around it (the percentile of
  /// grouped data), so that two sets of thousands of samples of a few nanoseconds differ by less
  /// than the clock's step. Without repetitions it is the plain order statistic within half a step.
  ///
  /// - Parameter sorted: samples in ascending order; at least one.
  public static func grouped(_ percentile: Percentile, ofSorted sorted: [Int64]) -> Double {
    guard let last = sorted.indices.last else { return .nan }
    let target = percentile.fraction * Double(sorted.count)
    let value = sorted[min(percentile.rank(of: sorted.count) - 1, last)]
    // The run of this value: first and past-the-end positions by bisection.
    let first = sorted.partition { $0 >= value }
    let end = sorted.partition { $0 > value }
    let part = (target - Double(first)) / Double(end - first)
    return Double(value) - 0.5 + min(max(part, 0), 1)
  }
}

extension [Int64] {
  /// The first index whose element fulfils a condition that later elements fulfil too.
  fileprivate func partition(_ fulfils: (Int64) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if fulfils(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
