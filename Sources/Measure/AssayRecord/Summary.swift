import AssayBase

/// A quantile of a sample with the interval that the true quantile lies in.
public struct Quantile: Sendable, Equatable {
  /// The least sample that at least the fraction q of all samples do not exceed, nanoseconds.
  public var value: Int64
  /// The 95 % confidence interval, between two samples; missing when there are too few to bound it.
  public var interval: Figure<ClosedRange<Int64>>

  /// Makes a quantile.
  public init(value: Int64, interval: Figure<ClosedRange<Int64>>) {
    self.value = value
    self.interval = interval
  }
}

/// What latency samples say, derived from them and derivable again.
///
/// Quantiles are order statistics, without interpolation; their intervals are distribution-free:
/// the number of samples below the true quantile is binomial, whatever the distribution
/// (David and Nagaraja, Order Statistics, 3rd edition, 7.1). They take the samples as independent;
/// `roundMedians` shows drift between rounds, which the intervals do not cover.
public struct Summary: Sendable, Equatable {
  /// The number of samples.
  public var count: Int
  /// The least sample, nanoseconds.
  public var minimum: Figure<Int64>
  /// The greatest sample, nanoseconds.
  public var maximum: Figure<Int64>
  /// The arithmetic mean, nanoseconds.
  public var mean: Figure<Double>
  /// Inferences per second of one after the other: 1 s / mean.
  public var throughput: Figure<Double>
  /// The median.
  public var p50: Figure<Quantile>
  /// The 90th percentile; needs 10 samples, its interval 36.
  public var p90: Figure<Quantile>
  /// The 99th percentile; needs 100 samples, its interval 368.
  public var p99: Figure<Quantile>
  /// The median of each round, nanoseconds; empty when the rounds are not known.
  public var roundMedians: [Int64]

  /// Summarizes samples.
  ///
  /// - Parameters:
  ///   - samples: latencies in nanoseconds, in any order.
  ///   - rounds: how many consecutive samples each round has; ignored unless they add up.
  public init(samples: [Int64], rounds: [Int] = []) {
    let sorted = samples.sorted()
    count = sorted.count
    if let first = sorted.first, let last = sorted.last {
      minimum = .value(first)
      maximum = .value(last)
      let average = sorted.reduce(0.0) { $0 + Double($1) } / Double(sorted.count)
      mean = .value(average)
      throughput = average > 0 ? .value(1e9 / average) : .missing(reason: "the clock did not move")
    } else {
      minimum = .missing(reason: "no samples")
      maximum = .missing(reason: "no samples")
      mean = .missing(reason: "no samples")
      throughput = .missing(reason: "no samples")
    }
    p50 = quantile(50, ofSorted: sorted)
    p90 = quantile(90, ofSorted: sorted)
    p99 = quantile(99, ofSorted: sorted)
    roundMedians = []
    guard rounds.allSatisfy({ $0 > 0 }), rounds.reduce(0, { $0 &+ $1 }) == samples.count else {
      return
    }
    var start = 0
    for size in rounds where size <= samples.count - start {
      let round = samples[start..<start + size].sorted()
      roundMedians.append(round[(size - 1) / 2])
      start += size
    }
  }
}

extension Record {
  /// What the samples say.
  public var summary: Summary { Summary(samples: samples, rounds: rounds) }
}

/// A percentile of samples in ascending order, with its 95 % confidence interval.
///
/// - Parameters:
///   - percent: 1...99.
///   - sorted: samples in ascending order, nanoseconds.
/// - Returns: a missing figure when fewer than `1 / (1 - q)` samples are there, since the percentile
///   would then be no more than the greatest of them.
public func quantile(_ percent: Int, ofSorted sorted: [Int64]) -> Figure<Quantile> {
  guard (1...99).contains(percent) else { return .missing(reason: "no percentile of 1 to 99") }
  let needed = percent <= 50 ? 1 : (100 + 99 - percent) / (100 - percent)
  guard sorted.count >= needed else {
    return .missing(
      reason: sorted.isEmpty
        ? "no samples" : "p\(percent) needs \(needed) samples, there are \(sorted.count)"
    )
  }
  // ceil(n q) in whole numbers; at least 1.
  let rank = max(1, (sorted.count * percent + 99) / 100)
  guard let ranks = quantileRanks(percent, count: sorted.count) else {
    return .value(
      Quantile(
        value: sorted[rank - 1],
        interval: .missing(
          reason: "\(sorted.count) samples do not bound p\(percent) with 95 % confidence"
        )
      )
    )
  }
  return .value(
    Quantile(
      value: sorted[rank - 1],
      interval: .value(sorted[ranks.lowerBound - 1]...sorted[ranks.upperBound - 1])
    )
  )
}

/// The ranks (from 1) of the samples that bound a percentile, 2.5 % of doubt on either side.
///
/// With B binomial(n, q): the lower rank is the greatest r with P(B < r) <= 2.5 %, the upper the
/// least s with P(B >= s) <= 2.5 %.
///
/// - Returns: `nil` when no sample is low or high enough.
func quantileRanks(_ percent: Int, count: Int) -> ClosedRange<Int>? {
  guard count > 0 else { return nil }
  let q = Double(percent) / 100
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
  let tail = 0.025 * total

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
