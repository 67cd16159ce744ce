import AssayBase
import AssayRecord

/// The energy of the windows by one channel of a trace.
struct ChannelAccount {
  private let account: EnergyAccount
  private let index: Int
  private let channel: MeterChannel
  private let energy: CumulativeEnergy?
  /// How times were joined; `nil` when they could not be.
  let map: ClockMap?
  /// Whether the channel tells the same whatever runs.
  let isConstant: Bool
  private(set) var findings: [Diagnostic] = []

  init(_ account: EnergyAccount, _ index: Int) {
    self.account = account
    self.index = index
    channel = account.trace.channels[index]
    energy = CumulativeEnergy(account.trace, channel: index)
    map =
      account.map
      ?? (account.trace.clock == .host ? ClockMap.host(account.trace, channel: index) : nil)
    let series = account.trace.values[index].filter(\.isFinite)
    isConstant =
      channel.quantity == .power && series.count >= EnergyAccount.leastReadings
      && series.allSatisfy { $0 == series[0] }
  }

  /// What the channel says.
  mutating func domain(isPrimary: Bool) -> Record.Energy.Domain {
    let result = figures()
    return Record.Energy.Domain(
      name: channel.name,
      scope: channel.scope.rawValue,
      isPrimary: isPrimary,
      readingCount: result.readings,
      total: result.total,
      net: result.net,
      idlePower: result.idle,
      budget: result.budget
    )
  }

  private typealias Quantity = Record.Energy.Quantity
  private typealias Contribution = Record.Energy.Contribution

  private struct Result {
    var total: Figure<Quantity>
    var net: Figure<Quantity>
    var idle: Figure<Quantity>
    var budget: [Contribution] = []
    var readings = 0

    init(missing reason: String) {
      total = .missing(reason: reason)
      net = .missing(reason: reason)
      idle = .missing(reason: reason)
    }
  }

  /// No figure, with a finding.
  private mutating func refuse(_ code: String, _ reason: String, _ remedy: String) -> Result {
    findings.append(Diagnostic(code, reason, remedy: remedy, severity: .warning))
    return Result(missing: reason)
  }

  private mutating func figures() -> Result {
    guard let energy else {
      return refuse("MTR052", "the meter gave fewer than two readings", "see assay doctor")
    }
    guard !account.windows.isEmpty else {
      return Result(missing: "no inference was timed")
    }
    guard let map else {
      return refuse(
        "MTR056",
        "the meter has a clock of its own, and nothing joins it with this machine's",
        "measure with --marker, whose load shows in the trace"
      )
    }
    func mapped(_ range: ClosedRange<Int64>) -> ClosedRange<Double> {
      let begin = map.meter(Double(range.lowerBound))
      return begin...max(begin, map.meter(Double(range.upperBound)))
    }
    let windows = account.windows.map(mapped)
    if let refusal = refusal(energy, windows) { return refusal }
    guard let shares = Shares(energy, windows, account.idle.map(mapped), margin(map)) else {
      return refuse(
        "MTR053",
        "a window has too few readings away from its ends",
        "let each round last longer, or read the meter more often"
      )
    }
    var result = Result(missing: "")
    result.readings = windows.reduce(0) { $0 + energy.count(in: $1) }
    result.budget = budget(energy, windows, map, shares)
    // Only the baseline is known by few repetitions.
    let freedom = { (name: String) -> Double in
      name == "baseline" ? shares.baseline?.freedom ?? .infinity : .infinity
    }
    func expanded(_ part: (Contribution) -> Double) -> Double {
      let parts = result.budget.map { (uncertainty: part($0), freedom: freedom($0.name)) }
      let sum = parts.reduce(0) { $0 + $1.uncertainty * $1.uncertainty }
      return sum.squareRoot() * Coverage.factor(parts)
    }
    let totalUncertainty = expanded(\.total)
    result.total = .value(Quantity(shares.joules, uncertainty: totalUncertainty))
    if let baseline = shares.baseline {
      let net = shares.joules - baseline.watts * shares.seconds
      let uncertainty = expanded(\.net)
      result.net = .value(Quantity(net, uncertainty: uncertainty))
      let offset = channel.accuracy.offsetWatts / 3.0.squareRoot()
      let gain = (channel.accuracy.gain ?? 0) / 3.0.squareRoot() * baseline.watts
      let own = baseline.uncertainty
      result.idle = .value(
        Quantity(
          baseline.watts,
          uncertainty: 2 * (offset * offset + gain * gain + own * own).squareRoot()
        )
      )
      if net < uncertainty {
        findings.append(
          Diagnostic(
            "MTR054",
            "the energy above idle cannot be told from none",
            remedy: "quiet the machine, measure longer, or use a finer meter",
            severity: .warning
          )
        )
      }
    } else {
      result.net = .missing(reason: "no idle stretch lies beside the windows")
      result.idle = .missing(reason: "no idle stretch lies beside the windows")
    }
    if channel.accuracy.gain == nil {
      findings.append(
        Diagnostic(
          "MTR055",
          "nothing is known of this meter's accuracy, and its budget holds none",
          remedy: "give it, such as gain=1%",
          severity: .warning
        )
      )
    }
    if isConstant {
      findings.append(
        Diagnostic(
          "MTR050",
          "the meter tells \(Words.significant(account.trace.values[index][0])) W whatever runs:"
            + " a constant, and no measurement",
          remedy: "use a meter of this machine",
          severity: .warning
        )
      )
    }
    return result
  }

  /// What makes figures impossible, if anything does.
  private mutating func refusal(
    _ energy: CumulativeEnergy,
    _ windows: [ClosedRange<Double>]
  ) -> Result? {
    let range = Double(energy.range.lowerBound)...Double(energy.range.upperBound)
    let slack = Double(account.trace.period)
    let isCovered = windows.allSatisfy {
      $0.lowerBound >= range.lowerBound - slack && $0.upperBound <= range.upperBound + slack
    }
    guard isCovered else {
      return refuse(
        "MTR052",
        "the trace does not cover the inferences",
        "start the recording before the measurement and end it after"
      )
    }
    let really = account.trace.rate > 0 ? UInt64(1e9 / account.trace.rate) : account.trace.period
    let least = Double(
      EnergyAccount.leastWindow(period: max(really, account.trace.period), channel)
    )
    // What a timed block falls short of by a scheduling delay is no reason.
    if let short = windows.map({ $0.upperBound - $0.lowerBound }).min(), short < least * 0.95 {
      return refuse(
        "MTR051",
        "this meter needs \(Words.time(least)), not \(Words.time(short))",
        "let each round last \(Words.time(least)): --preset strict, or a faster meter"
      )
    }
    if channel.quantity == .power {
      let gap = longestGap(windows)
      if gap > 8 * Double(max(account.trace.period, really)) {
        return refuse(
          "MTR053",
          "no reading came for \(Words.time(gap)) within a window",
          "quiet the machine, or read the meter more slowly"
        )
      }
    }
    return nil
  }

  private func longestGap(_ windows: [ClosedRange<Double>]) -> Double {
    var longest = 0.0
    for window in windows {
      let rows = account.trace.rows(
        in: Int64(window.lowerBound)...Int64(window.upperBound)
      )
      guard !rows.isEmpty else { return window.upperBound - window.lowerBound }
      var last = window.lowerBound
      for row in rows where account.trace.values[index][row].isFinite {
        longest = max(longest, Double(account.trace.times[row]) - last)
        last = Double(account.trace.times[row])
      }
      longest = max(longest, window.upperBound - last)
    }
    return longest
  }

  /// What is left out at both ends of a window: there the load changes, the readings are of before
  /// and after, and the clocks are not known better.
  private func margin(_ map: ClockMap) -> Double {
    let middle = account.windows.isEmpty ? 0 : map.meter(Double(account.windows[0].lowerBound))
    // A mean is of the time before its reading: half a period keeps the last one before the end.
    return Double(channel.accuracy.latencyNanoseconds) / 2 + 2 * map.uncertainty(at: middle)
      + Double(account.trace.period) / 2
  }

  /// What the budget is made of.
  private struct Shares {
    /// Joules of the windows: the mean power of their insides times their whole length.
    var joules = 0.0
    var seconds = 0.0
    var baseline: Baseline?
    /// How many windows there are.
    var count: Double
    /// Standard uncertainty of the ends, whose power is taken to be that of the insides, joules.
    var ends = 0.0

    /// The shares; `nil` when a window has no inside.
    init?(
      _ energy: CumulativeEnergy,
      _ windows: [ClosedRange<Double>],
      _ idle: [ClosedRange<Double>],
      _ margin: Double
    ) {
      count = Double(windows.count)
      var squares = 0.0
      for window in windows {
        guard let inner = energy.interior(window, margin: margin) else { return nil }
        let length = window.upperBound - window.lowerBound
        let span = inner.span.upperBound - inner.span.lowerBound
        joules += inner.joules * length / span
        seconds += length / 1e9
        let spread = Shares.spread(energy, inner.span)
        let error = spread * (length - span) / 1e9
        squares += error * error
      }
      ends = squares.squareRoot()
      baseline = Baseline(energy, idle: idle, windows: windows, margin: margin)
    }

    /// How the power moves within a span: the standard deviation of the means of its eighths, watts.
    private static func spread(_ energy: CumulativeEnergy, _ span: ClosedRange<Double>) -> Double {
      let step = (span.upperBound - span.lowerBound) / 8
      let watts = (0..<8).map { part in
        let from = span.lowerBound + Double(part) * step
        return energy.watts(from...from + step)
      }
      let mean = watts.reduce(0, +) / 8
      return (watts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 7).squareRoot()
    }
  }

  /// The standard uncertainties, one line for each source.
  private func budget(
    _ energy: CumulativeEnergy,
    _ windows: [ClosedRange<Double>],
    _ map: ClockMap,
    _ shares: Shares
  ) -> [Contribution] {
    let accuracy = channel.accuracy
    let root3 = 3.0.squareRoot()
    let root12 = 12.0.squareRoot()
    let net = shares.joules - (shares.baseline?.watts ?? 0) * shares.seconds
    var lines: [Contribution] = []
    if let gain = accuracy.gain {
      lines.append(
        Contribution(
          "gain",
          total: gain / root3 * abs(shares.joules),
          net: gain / root3 * abs(net),
          source: "±\(Words.short(gain * 100)) %: \(accuracy.source)"
        )
      )
    }
    if accuracy.offsetWatts > 0 {
      // The same error is in the idle power, and goes with it.
      lines.append(
        Contribution(
          "offset",
          total: accuracy.offsetWatts / root3 * shares.seconds,
          net: 0,
          source: "±\(Words.short(accuracy.offsetWatts * 1e3)) mW: \(accuracy.source)"
        )
      )
    }
    if accuracy.resolution > 0 {
      let step = accuracy.resolution / root12
      let value =
        channel.quantity == .energy
        ? step * (2 * shares.count).squareRoot() : step * shares.seconds
      lines.append(
        Contribution(
          "resolution",
          total: value,
          net: value * 2.0.squareRoot(),
          source: "steps of \(Words.short(accuracy.resolution * 1e3)) m\(channel.quantity.unit)"
        )
      )
    }
    let noise = noise(windows) * shares.seconds
    let sampling = (shares.ends * shares.ends + noise * noise).squareRoot()
    lines.append(
      Contribution(
        "sampling",
        total: sampling,
        net: sampling,
        source: "\(Words.significant(account.trace.rate)) readings a second,"
          + " \(Int(2 * shares.count)) ends of windows"
      )
    )
    let join = join(energy, windows, map, shares)
    lines.append(
      Contribution("join", total: join, net: join, source: "clocks: \(map.method.rawValue)")
    )
    if let baseline = shares.baseline {
      lines.append(
        Contribution(
          "baseline",
          total: 0,
          net: baseline.uncertainty * shares.seconds,
          source: baseline.stretchCount > 1
            ? "idle before and after" : "idle on one side only: its drift is not known"
        )
      )
    }
    return lines
  }

  /// Standard uncertainty of the mean power by the noise of single readings, watts.
  ///
  /// A meter that misses what is between its readings takes a sample of the load, whose whole spread
  /// counts; of one that averages only what differs from reading to reading.
  private func noise(_ windows: [ClosedRange<Double>]) -> Double {
    guard channel.quantity == .power else { return 0 }
    var squares = 0.0
    var count = 0
    for window in windows {
      let rows = account.trace.rows(in: Int64(window.lowerBound)...Int64(window.upperBound))
      let series = account.trace.values[index][rows].filter(\.isFinite)
      guard series.count >= 2 else { continue }
      if channel.accuracy.isIntegrating {
        squares += zip(series, series.dropFirst()).reduce(0) {
          $0 + ($1.1 - $1.0) * ($1.1 - $1.0) / 2
        }
      } else {
        let mean = series.reduce(0, +) / Double(series.count)
        squares += series.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      }
      count += series.count - 1
    }
    return count > 0 ? (squares / Double(count) / Double(count)).squareRoot() : 0
  }

  /// Standard uncertainty by the join of the clocks, joules.
  private func join(
    _ energy: CumulativeEnergy,
    _ windows: [ClosedRange<Double>],
    _ map: ClockMap,
    _ shares: Shares
  ) -> Double {
    // The insides keep away from the ends, so that only a drift of the load itself shows.
    func shifted(_ sign: Double) -> Double {
      windows.reduce(0) { sum, window in
        let far = sign * map.uncertainty(at: (window.lowerBound + window.upperBound) / 2)
        let moved = window.lowerBound + far...window.upperBound + far
        guard let inner = energy.interior(moved, margin: margin(map)) else { return sum }
        let span = inner.span.upperBound - inner.span.lowerBound
        return sum + inner.joules * (window.upperBound - window.lowerBound) / span
      }
    }
    let together = abs(shifted(1) - shifted(-1)) / 2
    let stretch = map.driftUncertainty * abs(shares.joules)
    return (together * together + stretch * stretch).squareRoot()
  }
}
