import AssayBase
import AssayStatistics

/// Whether a model became slower than is allowed.
public struct RegressionCheck: Sendable, Equatable {
  /// What a check says.
  public enum Outcome: String, Sendable {
    /// Slower beyond doubt, and by more than the limit by the best estimate.
    case regressed
    /// With the interval's confidence no slower than the limit.
    case held
    /// The interval lies on both sides of the limit.
    case undecided
  }

  /// The slow-down that is allowed, as a part: 0.02 for 2 %.
  public var limit: Double

  /// Makes a check.
  public init(limit: Double) { self.limit = limit }

  /// What a difference to the baseline says.
  ///
  /// A run fails on `regressed` alone: by chance that happens to an unchanged model in 2.5 % of all
  /// checks at most, whatever the limit, and less the greater the limit.
  public func outcome(_ difference: Difference) -> Outcome {
    if difference.interval.lowerBound > 0, difference.estimate > limit { return .regressed }
    return difference.interval.upperBound <= limit ? .held : .undecided
  }
}
