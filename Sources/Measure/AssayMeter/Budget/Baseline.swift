/// The power of the idle machine, from stretches in which nothing was measured.
struct Baseline: Sendable, Equatable {
  /// Mean watts.
  var watts: Double
  /// Standard uncertainty of the mean over the time between the stretches, watts.
  var uncertainty: Double
  /// Degrees of freedom of the uncertainty.
  var freedom: Double
  /// How many stretches it is of.
  var stretchCount: Int

  /// A baseline of the stretches next to the windows: the last before them and the first after.
  ///
  /// Within a stretch, means of ten equal parts tell the noise, slow as it may be; between the
  /// stretches the machine may have been anywhere from one level to the other (rectangular).
  ///
  /// - Parameters:
  ///   - energy: of one channel.
  ///   - idle: idle stretches on the meter's clock.
  ///   - windows: the measured windows on the meter's clock.
  ///   - margin: what is left out at both ends of a stretch, nanoseconds.
  /// - Returns: `nil` when there is no stretch within the trace.
  init?(
    _ energy: CumulativeEnergy,
    idle: [ClosedRange<Double>],
    windows: [ClosedRange<Double>],
    margin: Double
  ) {
    let usable = idle.compactMap { stretch -> ClosedRange<Double>? in
      guard let inner = energy.interior(stretch, margin: margin)?.span,
        energy.count(in: inner) >= 4
      else { return nil }
      return inner
    }
    let start = windows.map(\.lowerBound).min() ?? -.infinity
    let end = windows.map(\.upperBound).max() ?? .infinity
    let before = usable.filter { $0.upperBound <= start }.max { $0.upperBound < $1.upperBound }
    let after = usable.filter { $0.lowerBound >= end }.min { $0.lowerBound < $1.lowerBound }
    let chosen = [before, after].compactMap { $0 }
    guard !chosen.isEmpty else { return nil }
    var means: [Double] = []
    var variance = 0.0
    freedom = 0
    for stretch in chosen {
      let parts = min(10, max(energy.count(in: stretch) / 2, 2))
      let step = (stretch.upperBound - stretch.lowerBound) / Double(parts)
      let watts = (0..<parts).map { part in
        let from = stretch.lowerBound + Double(part) * step
        return energy.watts(from...from + step)
      }
      let mean = watts.reduce(0, +) / Double(parts)
      let spread = watts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(parts - 1)
      means.append(mean)
      variance += spread / Double(parts)
      freedom += Double(parts - 1)
    }
    let count = Double(chosen.count)
    watts = means.reduce(0, +) / count
    let halfRange = ((means.max() ?? 0) - (means.min() ?? 0)) / 2
    // With one stretch alone nothing tells how the level moves.
    uncertainty = (variance / (count * count) + halfRange * halfRange / 3).squareRoot()
    stretchCount = chosen.count
  }
}
