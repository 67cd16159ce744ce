import AssayBase

/// Intervals by resampling, seeded: the same data and seed give the same interval on every machine.
///
/// What is resampled are units: single samples where those are independent, whole rounds (blocks) where
/// samples of a round are alike. Each stratum is resampled within itself, so that a side or a machine
/// keeps its share (Davison and Hinkley, Bootstrap Methods and their Application, 1997, chapters 2, 3
/// and 5).
public struct Bootstrap: Sendable, Equatable {
  /// How an interval is read off the replicates.
  public enum Method: String, Sendable, CaseIterable {
    /// The replicates' own percentiles.
    case percentile
    /// Percentiles corrected for bias and skewness (Efron 1987, BCa).
    case bca
  }

  /// How many times the data are resampled.
  public var replicates: Int
  /// The confidence of intervals.
  public var confidence: Double
  /// The seed of the resampling.
  public var seed: UInt64

  /// Makes a bootstrap.
  public init(replicates: Int = 2000, confidence: Double = 0.95, seed: UInt64 = 1) {
    self.replicates = replicates
    self.confidence = confidence
    self.seed = seed
  }

  /// The interval of a statistic of drawn units.
  ///
  /// - Parameters:
  ///   - strata: how many units each stratum has.
  ///   - method: how the interval is read off.
  ///   - statistic: the statistic of the units with these indices in each stratum.
  /// - Returns: `nil` when a stratum has fewer than two units or the statistic is not finite.
  public func interval(
    strata: [Int],
    method: Method = .bca,
    statistic: ([[Int]]) -> Double
  ) -> ClosedRange<Double>? {
    guard !strata.isEmpty, strata.allSatisfy({ $0 >= 2 }), replicates >= 20 else { return nil }
    let whole = strata.map { Array(0..<$0) }
    let estimate = statistic(whole)
    var random = SeededRNG(seed: seed)
    var drawn = whole
    var values: [Double] = []
    values.reserveCapacity(replicates)
    for _ in 0..<replicates {
      for stratum in strata.indices {
        for index in drawn[stratum].indices {
          drawn[stratum][index] = random.index(below: strata[stratum])
        }
      }
      values.append(statistic(drawn))
    }
    guard estimate.isFinite, values.allSatisfy(\.isFinite) else { return nil }
    values.sort()
    let tail = (1 - confidence) / 2
    var (low, high) = (tail, 1 - tail)
    if method == .bca {
      let acceleration = acceleration(whole, statistic)
      let below = values.reduce(0.0) { $0 + ($1 < estimate ? 1 : $1 == estimate ? 0.5 : 0) }
      let bias = Normal.quantile(below / Double(replicates))
      if bias.isFinite {
        func corrected(_ p: Double) -> Double {
          let z = bias + Normal.quantile(p)
          return Normal.cumulative(bias + z / (1 - acceleration * z))
        }
        (low, high) = (corrected(low), corrected(high))
      }
    }
    let (a, b) = (Bootstrap.quantile(low, of: values), Bootstrap.quantile(high, of: values))
    return min(a, b)...max(a, b)
  }

  /// The acceleration, from leaving out one unit after the other; strata count by their size.
  private func acceleration(_ whole: [[Int]], _ statistic: ([[Int]]) -> Double) -> Double {
    var cubes = 0.0
    var squares = 0.0
    for stratum in whole.indices {
      let count = Double(whole[stratum].count)
      var left = whole
      let values = whole[stratum].indices.map { index in
        left[stratum] = whole[stratum]
        left[stratum].remove(at: index)
        return statistic(left)
      }
      let mean = values.reduce(0, +) / count
      for value in values {
        let influence = (count - 1) * (mean - value) / count
        cubes += influence * influence * influence
        squares += influence * influence
      }
    }
    return squares > 0 ? cubes / (6 * squares * squares.squareRoot()) : 0
  }

  /// A quantile of sorted replicates, between the two nearest.
  static func quantile(_ part: Double, of sorted: [Double]) -> Double {
    let position = min(max(part, 0), 1) * Double(sorted.count - 1)
    let index = min(Int(position), sorted.count - 1)
    let next = min(index + 1, sorted.count - 1)
    return sorted[index] + (position - Double(index)) * (sorted[next] - sorted[index])
  }
}

extension SeededRNG {
  /// A random index below `count` (multiply and shift; the bias is below 2^-32 of a draw).
  @inline(__always)
  mutating func index(below count: Int) -> Int {
    Int(((next() >> 32) &* UInt64(count)) >> 32)
  }
}
