/// Whether a percentile is known well enough, and if not, whether it ever will be.
///
/// Two things limit it: the samples (the binomial interval narrows with their count) and the drift
/// between rounds (Student's interval of the rounds' own percentiles narrows with the count of rounds
/// only). The wider of the two counts, and both narrow with the root of the number of rounds.
public struct Narrowing: Sendable, Equatable {
  /// What a look at the rounds so far says.
  public enum Outlook: Sendable, Equatable {
    /// The interval is narrow enough.
    case reached
    /// About so many rounds in all will do.
    case needs(rounds: Int)
    /// The rounds that are allowed will not do.
    case never(rounds: Int)
  }

  /// The percentile.
  public var percentile: Percentile
  /// Half the width that is wanted, as a part of the percentile.
  public var target: Double
  /// The most rounds that are allowed.
  public var maximumRounds: Int
  /// The confidence of the interval.
  public var confidence: Double

  /// Makes a rule.
  public init(
    _ percentile: Percentile,
    target: Double,
    maximumRounds: Int,
    confidence: Double = 0.95
  ) {
    self.percentile = percentile
    self.target = target
    self.maximumRounds = maximumRounds
    self.confidence = confidence
  }

  /// Half the interval's width as a part of the percentile; `nil` while it has no bounds.
  public func halfWidth(_ rounds: [[Int64]]) -> Double? {
    let filled = rounds.filter { !$0.isEmpty }
    let sorted = filled.flatMap(\.self).sorted()
    guard filled.count >= 3, let first = sorted.first, first >= 0,
      let ranks = OrderStatistics.ranks(percentile, count: sorted.count, confidence: confidence)
    else { return nil }
    let value = OrderStatistics.grouped(percentile, ofSorted: sorted)
    guard value > 0 else { return nil }
    let sampling = Double(sorted[ranks.upperBound - 1] - sorted[ranks.lowerBound - 1]) / 2 / value
    let figures = filled.map { OrderStatistics.grouped(percentile, ofSorted: $0.sorted()) }
    guard let mean = TrimmedMean(figures, trim: figures.count < 8 ? 0 : 0.2) else { return nil }
    let critical = StudentT.quantile(1 - (1 - confidence) / 2, freedom: mean.freedom)
    return max(sampling, critical * mean.standardError / value)
  }

  /// What the rounds so far say.
  public func outlook(_ rounds: [[Int64]]) -> Outlook {
    guard let half = halfWidth(rounds) else {
      return rounds.count >= maximumRounds ? .never(rounds: .max) : .needs(rounds: rounds.count + 1)
    }
    if half <= target { return .reached }
    guard target > 0 else { return .never(rounds: .max) }
    let ratio = half / target
    let needed = (Double(rounds.count) * ratio * ratio).rounded(.up)
    let count = needed < 1e9 ? Int(needed) : Int.max
    return count > maximumRounds
      ? .never(rounds: count) : .needs(rounds: max(count, rounds.count + 1))
  }
}
