/// Where a series changes its level, without assuming a distribution.
///
/// Pettitt's rank test (1979) finds one change; seeded intervals (Kovács, Bühlmann, Li and Munk 2023)
/// let it find several, short ones in the middle included: of all intervals in which the test rejects,
/// the shortest is taken first, so that each holds one change (narrowest over threshold, Baranowski,
/// Chen and Fryzlewicz 2019). Outliers count by their rank and do no harm.
public struct ChangePoints: Sendable, Equatable {
  /// The probability of finding a change in a series of independent values that has none.
  public var significance: Double
  /// The fewest values between two changes.
  public var minimumSegment: Int
  /// The least change of the median that counts, as a part of the smaller one.
  public var minimumChange: Double

  /// Makes a detector.
  public init(
    significance: Double = 0.01,
    minimumSegment: Int = 5,
    minimumChange: Double = 0
  ) {
    self.significance = significance
    self.minimumSegment = max(minimumSegment, 2)
    self.minimumChange = minimumChange
  }

  /// One stretch without a change.
  public struct Segment: Sendable, Equatable {
    /// The indices of its values.
    public var range: Range<Int>
    /// Their median.
    public var median: Double

    /// Makes a segment.
    public init(range: Range<Int>, median: Double) {
      self.range = range
      self.median = median
    }
  }

  /// The stretches of a series, in order; one where nothing changes, none for an empty series.
  public func segments(of values: [Double]) -> [Segment] {
    guard !values.isEmpty else { return [] }
    guard values.allSatisfy(\.isFinite) else {
      return [Segment(range: values.indices, median: Double.nan)]
    }
    var cuts = narrowest(values)
    settle(&cuts, values)
    return ChangePoints.stretches(cuts, values.count).map {
      Segment(range: $0, median: ChangePoints.median(values[$0]))
    }
  }

  /// The indices at which a new level begins, in ascending order.
  public func changes(in values: [Double]) -> [Int] {
    segments(of: values).dropFirst().map(\.range.lowerBound)
  }

  /// Pettitt's test: where the values after differ most from those before, and with what probability
  /// that comes by chance.
  ///
  /// - Returns: `nil` for fewer than two values. `statistic` is K; `probability` is the approximation
  ///   2 exp(-6 K^2 / (n^3 + n^2)), at most 1.
  public static func pettitt(
    _ values: ArraySlice<Double>,
    margin: Int = 1
  ) -> (index: Int, statistic: Double, probability: Double)? {
    let count = values.count
    guard count >= 2 * margin, margin >= 1 else { return nil }
    let ranks = middleRanks(values)
    var sum = 0.0
    var best = (index: margin, statistic: -1.0)
    for position in 0..<(count - margin) {
      sum += 2 * ranks[position]
      let size = position + 1
      guard size >= margin else { continue }
      let statistic = abs(sum - Double(size) * Double(count + 1))
      if statistic > best.statistic { best = (size, statistic) }
    }
    let n = Double(count)
    let exponent = -6 * best.statistic * best.statistic / (n * n * n + n * n)
    return (
      values.startIndex + best.index, best.statistic,
      min(2 * SpecialFunctions.exponential(exponent), 1)
    )
  }

  /// The ranks of values, equal ones sharing theirs.
  private static func middleRanks(_ values: ArraySlice<Double>) -> [Double] {
    let start = values.startIndex
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var first = 0
    while first < order.count {
      var end = first + 1
      while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
      let shared = Double(first + 1 + end) / 2
      for position in first..<end { ranks[order[position] - start] = shared }
      first = end
    }
    return ranks
  }

  /// Changes by seeded intervals, the shortest interval that shows one first.
  private func narrowest(_ values: [Double]) -> [Int] {
    let intervals = ChangePoints.seededIntervals(values.count, shortest: 2 * minimumSegment)
    let level = significance / Double(max(intervals.count, 1))
    var found: [(range: Range<Int>, index: Int, probability: Double)] = []
    for range in intervals {
      if let hit = ChangePoints.pettitt(values[range], margin: minimumSegment),
        hit.probability <= level
      {
        found.append((range, hit.index, hit.probability))
      }
    }
    found.sort { ($0.range.count, $0.probability) < ($1.range.count, $1.probability) }
    var cuts: [Int] = []
    for hit in found
    where !cuts.contains(where: { hit.range.lowerBound < $0 && $0 < hit.range.upperBound }) {
      cuts.append(hit.index)
    }
    return cuts.sorted()
  }

  /// Moves each change to where its neighbourhood says, and drops what that does not show.
  ///
  /// The neighbourhood reaches as far to either side as to the nearer of the next changes: the test
  /// hardly sees a short level beside a long one.
  private func settle(_ cuts: inout [Int], _ values: [Double]) {
    for _ in 0..<20 {
      let before = cuts
      var position = 0
      while position < cuts.count {
        let before = position == 0 ? 0 : cuts[position - 1]
        let after = position + 1 < cuts.count ? cuts[position + 1] : values.count
        let reach = min(cuts[position] - before, after - cuts[position])
        let (low, high) = (cuts[position] - reach, cuts[position] + reach)
        if let hit = ChangePoints.pettitt(values[low..<high], margin: minimumSegment),
          hit.probability <= significance, isLargeEnough(values, before, hit.index, after)
        {
          cuts[position] = hit.index
          position += 1
        } else {
          cuts.remove(at: position)
        }
      }
      if cuts == before { return }
    }
  }

  private func isLargeEnough(_ values: [Double], _ low: Int, _ cut: Int, _ high: Int) -> Bool {
    let a = ChangePoints.median(values[low..<cut])
    let b = ChangePoints.median(values[cut..<high])
    return a != b && abs(a - b) >= minimumChange * min(abs(a), abs(b))
  }

  /// Intervals in layers, each shorter than the one before by the root of two and overlapping by half.
  static func seededIntervals(_ count: Int, shortest: Int) -> [Range<Int>] {
    guard count >= shortest, shortest >= 2 else { return [] }
    var intervals = [0..<count]
    var length = Double(count)
    while true {
      length /= 2.0.squareRoot()
      let size = Int(length.rounded(.up))
      if size < shortest || size >= count { break }
      let steps = 2 * Int((Double(count) / length).rounded(.up)) - 1
      let shift = Double(count - size) / Double(max(steps - 1, 1))
      for step in 0..<steps {
        let start = min(Int(Double(step) * shift), count - size)
        intervals.append(start..<start + size)
      }
    }
    return intervals
  }

  private static func stretches(_ cuts: [Int], _ count: Int) -> [Range<Int>] {
    let edges = [0] + cuts + [count]
    return (0..<edges.count - 1).map { edges[$0]..<edges[$0 + 1] }
  }

  /// The median, the mean of the middle two for an even count.
  public static func median(_ values: some Collection<Double>) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
