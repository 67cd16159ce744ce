extension Bootstrap {
  /// The interval of a percentile of rounds of samples; whole rounds are drawn.
  ///
  /// - Parameter rounds: samples of each round, in any order; none may be empty.
  public func interval(
    of percentile: Percentile,
    rounds: [[Int64]],
    method: Method = .percentile
  ) -> ClosedRange<Double>? {
    guard rounds.allSatisfy({ !$0.isEmpty }) else { return nil }
    return interval(strata: [rounds.count], method: method) { drawn in
      Bootstrap.percentile(percentile, of: rounds, drawn[0])
    }
  }

  /// What is compared of two sides.
  public enum Contrast: Sendable {
    /// B less A.
    case difference
    /// B over A.
    case ratio
  }

  /// The interval of the difference or the ratio of a percentile of two sides.
  ///
  /// Rounds are drawn whole. Where the sides took turns (`isPaired`), round i of one side stays with
  /// round i of the other, so that what disturbed both cancels; otherwise each side is drawn for itself.
  public func interval(
    of contrast: Contrast,
    _ percentile: Percentile,
    from a: [[Int64]],
    to b: [[Int64]],
    isPaired: Bool,
    method: Method = .percentile
  ) -> ClosedRange<Double>? {
    guard (a + b).allSatisfy({ !$0.isEmpty }), !isPaired || a.count == b.count else { return nil }
    return interval(strata: isPaired ? [a.count] : [a.count, b.count], method: method) { drawn in
      let x = Bootstrap.percentile(percentile, of: a, drawn[0])
      let y = Bootstrap.percentile(percentile, of: b, isPaired ? drawn[0] : drawn[1])
      return contrast == .difference ? y - x : y / x
    }
  }

  /// A percentile of the samples of the drawn rounds together.
  private static func percentile(
    _ percentile: Percentile,
    of rounds: [[Int64]],
    _ drawn: [Int]
  ) -> Double {
    let samples = drawn.flatMap { rounds[$0] }.sorted()
    return Double(samples[percentile.rank(of: samples.count) - 1])
  }
}
