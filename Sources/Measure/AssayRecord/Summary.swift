import AssayBase
import AssayStatistics

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
    p50 = quantile(.p50, ofSorted: sorted)
    p90 = quantile(.p90, ofSorted: sorted)
    p99 = quantile(.p99, ofSorted: sorted)
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
  /// What the samples say; of a record without any, what its source states (see `Imported`).
  public var summary: Summary {
    guard samples.isEmpty, let imported else { return Summary(samples: samples, rounds: rounds) }
    return imported.summary
  }
}

/// A percentile of samples in ascending order, with its 95 % confidence interval.
///
/// - Parameter sorted: samples in ascending order, nanoseconds.
/// - Returns: a missing figure when fewer than `1 / (1 - q)` samples are there, since the percentile
///   would then be no more than the greatest of them.
public func quantile(_ percentile: Percentile, ofSorted sorted: [Int64]) -> Figure<Quantile> {
  guard sorted.count >= percentile.minimumCount else {
    return .missing(
      reason: sorted.isEmpty
        ? "no samples"
        : "\(percentile) needs \(percentile.minimumCount) samples, there are \(sorted.count)"
    )
  }
  let value = sorted[percentile.rank(of: sorted.count) - 1]
  guard let ranks = OrderStatistics.ranks(percentile, count: sorted.count) else {
    return .value(
      Quantile(
        value: value,
        interval: .missing(
          reason: "\(sorted.count) samples do not bound \(percentile) with 95 % confidence"
        )
      )
    )
  }
  return .value(
    Quantile(
      value: value,
      interval: .value(sorted[ranks.lowerBound - 1]...sorted[ranks.upperBound - 1])
    )
  )
}
