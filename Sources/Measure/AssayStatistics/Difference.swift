/// How much slower or faster B is than A, with its uncertainty and with what could have been missed.
///
/// All parts are relative to A: 0.02 says that B takes 2 % longer.
public struct Difference: Sendable, Equatable {
  /// The best estimate.
  public var estimate: Double
  /// Where the true difference lies with `confidence`.
  public var interval: ClosedRange<Double>
  /// The confidence of the interval.
  public var confidence: Double
  /// The difference, either way, that such a comparison finds with probability `power`.
  public var detectable: Double
  /// The probability that `detectable` is stated for.
  public var power: Double
  /// Whether round i of A ran next to round i of B.
  public var isPaired: Bool
  /// The independent units of the smaller side.
  public var units: Int

  /// Makes a difference.
  public init(
    estimate: Double,
    interval: ClosedRange<Double>,
    confidence: Double,
    detectable: Double,
    power: Double,
    isPaired: Bool,
    units: Int
  ) {
    self.estimate = estimate
    self.interval = interval
    self.confidence = confidence
    self.detectable = detectable
    self.power = power
    self.isPaired = isPaired
    self.units = units
  }

  /// What the interval says of B.
  public enum Direction: String, Sendable {
    case faster, slower, undecided
  }

  /// Whether the interval leaves out that there is no difference, and on which side it lies.
  public var direction: Direction {
    interval.upperBound < 0 ? .faster : interval.lowerBound > 0 ? .slower : .undecided
  }

  /// Whether both are as fast within a margin: the whole interval lies inside it.
  ///
  /// With an interval of confidence 1 - 2a this is the test of two one-sided tests at the level a
  /// (Schuirmann 1987).
  public func isEquivalent(within margin: Double) -> Bool {
    interval.lowerBound > -margin && interval.upperBound < margin
  }
}

/// Compares two sides by the percentiles of their rounds.
///
/// The figure of each unit is the logarithm of B's percentile over A's (paired) or of either side's own
/// (unpaired); their trimmed means are compared by a studentized bootstrap over units (Student's t for
/// fewer than a dozen). A unit is what
/// repeats independently: a round, or all rounds of one pair of processes, since two processes of one
/// program differ by where the system put them (Mytkowicz et al. 2009; Kalibera and Jones 2013).
public struct DifferenceTest: Sendable, Equatable {
  /// The confidence of the interval.
  public var confidence: Double
  /// The probability that `Difference.detectable` is stated for.
  public var power: Double
  /// The part of the units that is left out at either end.
  public var trim: Double
  /// How many times units are resampled.
  public var replicates: Int
  /// The seed of the resampling.
  public var seed: UInt64

  /// A test with 95 % confidence whose power is stated at 90 %.
  public init(
    confidence: Double = 0.95,
    power: Double = 0.9,
    trim: Double = 0.2,
    replicates: Int = 1999,
    seed: UInt64 = 1
  ) {
    self.confidence = confidence
    self.power = power
    self.trim = trim
    self.replicates = replicates
    self.seed = seed
  }

  /// The fewest units that a comparison can be made of.
  public static let minimumUnits = 4

  /// Compares figures of sides that took turns: unit i of A ran next to unit i of B.
  ///
  /// - Parameters:
  ///   - a: a positive figure of each unit of A, such as the median of a round.
  ///   - b: the same of B.
  ///   - resolution: what a side's figure is uncertain by, whatever the samples say, as a part of it:
  ///     the clock's step over the figure.
  /// - Returns: `nil` when the sides differ in count, are fewer than `minimumUnits`, or have a figure
  ///   that is not positive.
  public func paired(_ a: [Double], _ b: [Double], resolution: Double = 0) -> Difference? {
    guard a.count == b.count, a.count >= DifferenceTest.minimumUnits,
      (a + b).allSatisfy({ $0 > 0 && $0.isFinite })
    else { return nil }
    let ratios = zip(a, b).map { SpecialFunctions.logarithm($1 / $0) }
    return difference([ratios], resolution, isPaired: true)
  }

  /// Compares figures of sides that were measured apart.
  public func unpaired(_ a: [Double], _ b: [Double], resolution: Double = 0) -> Difference? {
    guard min(a.count, b.count) >= DifferenceTest.minimumUnits,
      (a + b).allSatisfy({ $0 > 0 && $0.isFinite })
    else { return nil }
    let sides = [a, b].map { $0.map(SpecialFunctions.logarithm) }
    return difference(sides, resolution, isPaired: false)
  }

  private func difference(
    _ sides: [[Double]],
    _ resolution: Double,
    isPaired: Bool
  ) -> Difference? {
    // Of a few units none can be spared.
    let fewest = sides.map(\.count).min() ?? 0
    let trim =
      fewest >= StudentizedBootstrap.minimumUnits ? trim : fewest >= 10 ? min(trim, 0.1) : 0
    let means = sides.compactMap { TrimmedMean($0, trim: trim) }
    guard means.count == sides.count else { return nil }
    let bootstrap = StudentizedBootstrap(replicates: replicates, seed: seed, trim: trim)
    guard let critical = bootstrap.critical(sides, confidence: confidence) else { return nil }
    let error = StudentizedBootstrap.error(means)
    let center = StudentizedBootstrap.contrast(means)
    let half = critical * error + resolution
    // Where the test finds nothing, the true difference may be that of the bound and of bad luck.
    let shift = DetectableEffect.shift(
      power: power,
      critical: critical,
      freedom: StudentizedBootstrap.freedom(means)
    )
    func part(_ logarithm: Double) -> Double { SpecialFunctions.exponential(logarithm) - 1 }
    return Difference(
      estimate: part(center),
      interval: part(center - half)...part(center + half),
      confidence: confidence,
      detectable: part(shift * error + resolution),
      power: power,
      isPaired: isPaired,
      units: sides.map(\.count).min() ?? 0
    )
  }
}
