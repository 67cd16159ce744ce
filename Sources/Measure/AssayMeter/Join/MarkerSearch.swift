import AssayBase

/// Finds a played marker in a trace by correlation.
///
/// The model is `P(t) = a + b m(t - lag)` with m the busy pattern. The share of the power's variation
/// that it explains (R², of means over quarter chips) is maximal at the true lag. The coarse search
/// goes over the whole range, the fine one over the exact integrals of power, which know no grid.
public struct MarkerSearch: Sendable {
  private let energy: CumulativeEnergy

  /// A search in one channel of a trace.
  public init(_ energy: CumulativeEnergy) { self.energy = energy }

  /// The least share of variation that a marker must explain to count as found.
  public static let leastExplained = 0.3

  /// Looks for a marker.
  ///
  /// - Parameters:
  ///   - played: when it was played, on this machine's clock.
  ///   - lags: the range of the meter's clock less this machine's, nanoseconds, to search.
  /// - Throws: `Diagnostic` MTR040 when the trace does not show it, MTR041 when the meter is too slow
  ///   for it.
  public func find(_ played: PlayedMarker, lags: ClosedRange<Double>) throws -> FoundMarker {
    let length = Double(played.end - played.begin)
    let shortest = played.busy.map { Double($0.upperBound - $0.lowerBound) }.filter { $0 > 0 }.min()
    guard length > 0, let chip = shortest else {
      throw Diagnostic("MTR040", "the marker has no busy stretch")
    }
    let times = energy.times
    let span = Double(times[times.count - 1] - times[0])
    let period = span / Double(times.count - 1)
    guard chip > 1.5 * period else {
      throw Diagnostic(
        "MTR041",
        "the meter gives a number each \(Words.time(period)), too slow for chips of"
          + " \(Words.time(chip))",
        remedy: "play a slower marker"
      )
    }
    let low = max(lags.lowerBound, Double(times[0]) - Double(played.begin))
    let high = min(lags.upperBound, Double(times[times.count - 1]) - Double(played.end))
    guard low <= high else {
      throw Diagnostic(
        "MTR040",
        "the trace does not reach over the marker",
        remedy: "start the recording before the measurement and end it after"
      )
    }
    let template = Template(played, cell: chip / 4)
    let coarse = coarseLag(template, played, low, high)
    // From the grid to the exact place: steps shrink as the peak is approached.
    var best = (lag: coarse, score: exactScore(template, played, coarse))
    var step = template.cell
    while step > period / 64 {
      for lag in [best.lag - step, best.lag + step] where lag >= low && lag <= high {
        let score = exactScore(template, played, lag)
        if score > best.score { best = (lag, score) }
      }
      step /= 2
    }
    let fit = fit(template, played, best.lag)
    guard fit.explained >= MarkerSearch.leastExplained, fit.step > 0 else {
      throw Diagnostic(
        "MTR040",
        "the trace does not show the marker (it explains \(Words.percent(fit.explained, 0)))",
        remedy: "check that this meter measures this machine, and quiet the machine"
      )
    }
    let middle = Double(played.begin) + length / 2
    return FoundMarker(
      meterTime: middle + best.lag,
      hostTime: middle,
      uncertainty: uncertainty(fit, played, period),
      explained: fit.explained,
      stepWatts: fit.step
    )
  }

  /// The marker as means over equal cells.
  private struct Template {
    var cell: Double
    /// The busy share of each cell, less the mean.
    var shares: [Double]
    var power: Double

    init(_ played: PlayedMarker, cell asked: Double) {
      let length = Double(played.end - played.begin)
      let count = min(max(Int(length / asked), 8), 8192)
      cell = length / Double(count)
      var shares = [Double](repeating: 0, count: count)
      for run in played.busy {
        let start = Double(run.lowerBound - played.begin) / cell
        let end = Double(run.upperBound - played.begin) / cell
        var index = max(Int(start), 0)
        while index < count, Double(index) < end {
          shares[index] += max(min(end, Double(index + 1)) - max(start, Double(index)), 0)
          index += 1
        }
      }
      let mean = shares.reduce(0, +) / Double(count)
      self.shares = shares.map { $0 - mean }
      power = self.shares.reduce(0) { $0 + $1 * $1 }
    }
  }

  /// The best lag on a grid of cells.
  private func coarseLag(
    _ template: Template,
    _ played: PlayedMarker,
    _ low: Double,
    _ high: Double
  ) -> Double {
    let cell = template.cell
    let count = template.shares.count
    let lagCount = Int((high - low) / cell) + 1
    // Mean power in every cell that some lag looks at.
    let start = Double(played.begin) + low
    var watts: [Double] = []
    watts.reserveCapacity(lagCount + count)
    var before = energy.joules(at: start)
    for index in 0..<lagCount + count {
      let next = energy.joules(at: start + Double(index + 1) * cell)
      watts.append((next - before) / cell)
      before = next
    }
    var best = (lag: low, score: -Double.infinity)
    var (sum, squares) = (0.0, 0.0)
    for index in 0..<count {
      sum += watts[index]
      squares += watts[index] * watts[index]
    }
    for lag in 0..<lagCount {
      var product = 0.0
      for index in 0..<count { product += template.shares[index] * watts[lag + index] }
      let variation = squares - sum * sum / Double(count)
      let score = variation > 0 && product > 0 ? product * product / variation : 0
      if score > best.score { best = (low + Double(lag) * cell, score) }
      let (old, new) = (watts[lag], watts[lag + count])
      sum += new - old
      squares += new * new - old * old
    }
    return best.lag
  }

  /// The energy in the busy stretches less what the idle ones would give: greatest at the true lag.
  private func exactScore(_ template: Template, _ played: PlayedMarker, _ lag: Double) -> Double {
    var busy = 0.0
    var busyTime = 0.0
    for run in played.busy {
      busy += energy.joules(
        Double(run.lowerBound) + lag...Double(run.upperBound) + lag
      )
      busyTime += Double(run.upperBound - run.lowerBound)
    }
    let all = energy.joules(Double(played.begin) + lag...Double(played.end) + lag)
    return busy - all * busyTime / Double(played.end - played.begin)
  }

  private struct Fit {
    var step: Double
    var explained: Double
    /// Standard deviation of what is left, of means over a cell, watts.
    var residual: Double
    var cell: Double
  }

  private func fit(_ template: Template, _ played: PlayedMarker, _ lag: Double) -> Fit {
    let cell = template.cell
    let start = Double(played.begin) + lag
    let watts = template.shares.indices.map { index in
      energy.watts(start + Double(index) * cell...start + Double(index + 1) * cell)
    }
    let mean = watts.reduce(0, +) / Double(watts.count)
    let variation = watts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let product = zip(watts, template.shares).reduce(0) { $0 + $1.0 * $1.1 }
    let step = template.power > 0 ? product / template.power : 0
    let left = max(variation - step * product, 0)
    return Fit(
      step: step,
      explained: variation > 0 ? 1 - left / variation : 0,
      residual: (left / Double(max(watts.count - 2, 1))).squareRoot(),
      cell: cell
    )
  }

  /// How well the lag is known.
  ///
  /// Each of the edges is placed by the noise around it (slope of the correlation against the noise
  /// of the energy) and by the grid of readings, against which edges lie at random.
  private func uncertainty(_ fit: Fit, _ played: PlayedMarker, _ period: Double) -> Double {
    let edges = Double(max(played.busy.count * 2, 1))
    let noise = fit.residual / max(fit.step, 1e-12)
    let byNoise = noise * (fit.cell * period).squareRoot() / edges.squareRoot() * 2
    let byGrid = period / 12.0.squareRoot() / edges.squareRoot()
    // Edges that keep step with the readings do not average out.
    let byStep = period / 12.0.squareRoot() / 4
    return (byNoise * byNoise + byGrid * byGrid + byStep * byStep).squareRoot()
  }
}
