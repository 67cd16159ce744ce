/// Whether enough queries were seen to claim a percentile: MLPerf LoadGen's early-stopping test.
///
/// The claim "at least the part q of all queries is within the bound" is accepted when so few of n
/// queries exceeded it that a system which breaks the claim would have shown so few with probability
/// at most 1 - confidence: P(B <= t) <= 1 - confidence with B binomial(n, 1 - q). With a single query
/// over, p90 needs 64 queries and p99 662.
public struct EarlyStopping: Sendable, Equatable {
  /// The percentile that is claimed.
  public var percentile: Percentile
  /// The confidence of the claim.
  public var confidence: Double

  /// A test of a percentile; MLPerf's confidence is 0.99.
  public init(_ percentile: Percentile, confidence: Double = 0.99) {
    self.percentile = percentile
    self.confidence = confidence
  }

  private func isEnough(_ count: Int, over: Int) -> Bool {
    over < count
      && Binomial.cumulative(over, of: count, p: 1 - percentile.fraction) <= 1 - confidence
  }

  /// The fewest queries of which `over` may exceed the bound.
  public func minimumCount(over: Int) -> Int {
    let over = max(over, 0)
    var high = max(over + 1, 2)
    while !isEnough(high, over: over), high < 1 << 50 { high *= 2 }
    var low = over
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if isEnough(middle, over: over) { high = middle } else { low = middle }
    }
    return high
  }

  /// The most queries of `count` that may exceed the bound; `nil` when even none is too few to claim it.
  public func allowedOver(count: Int) -> Int? {
    guard isEnough(count, over: 0) else { return nil }
    var low = 0
    var high = max(1, Int(Double(count) * (1 - percentile.fraction)) + 1)
    while isEnough(count, over: high) { high *= 2 }
    while high - low > 1 {
      let middle = (low + high) / 2
      if isEnough(count, over: middle) { low = middle } else { high = middle }
    }
    return low
  }

  /// The rank (from 1) of the sample that is the percentile's conservative estimate: with t the most
  /// queries that may exceed a bound, the greatest of the samples without the t - 1 greatest.
  ///
  /// - Returns: `nil` when `count` queries allow none to be over.
  public func estimateRank(count: Int) -> Int? {
    guard let over = allowedOver(count: count), over >= 1 else { return nil }
    return count - over + 1
  }

  /// What the test says of a run.
  public enum Outcome: Sendable, Equatable {
    /// The claim holds with the confidence.
    case holds
    /// So many more queries, none of them over, would be needed.
    case needs(more: Int)
    /// More than the claimed part exceeded the bound: more queries will hardly help.
    case fails
  }

  /// Tests a run of `count` queries of which `over` exceeded the bound.
  public func outcome(count: Int, over: Int) -> Outcome {
    let needed = minimumCount(over: over)
    if count >= needed { return .holds }
    if count > 0, Double(over) > Double(count) * (1 - percentile.fraction),
      count >= minimumCount(over: 0)
    {
      return .fails
    }
    return .needs(more: needed - count)
  }
}
