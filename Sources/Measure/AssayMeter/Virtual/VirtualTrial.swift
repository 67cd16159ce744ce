import AssayBase
import AssayRecord

/// One measurement from beginning to end on a virtual instrument: idle, marker, inferences, marker,
/// idle; joined by what the markers show and compared with what is known.
public struct VirtualTrial: Sendable {
  /// Kinds of instruments, after real ones.
  public enum Kind: String, Sendable, CaseIterable {
    /// Five thousand means a second, 1 %.
    case supply
    /// A counter read a hundred times a second, 5 %.
    case counter
    /// A hundred moments a second with much noise, 2 %.
    case sensor
    /// Ten means a second with coarse steps, 2 %.
    case gauge
  }

  /// What came out.
  public struct Outcome: Sendable {
    /// Joules that the load really took.
    public var trueTotal: Double
    /// The same above idle.
    public var trueNet: Double
    /// What was measured.
    public var energy: Record.Energy
    /// Error of the joined clock in the middle of the windows, in readings of the meter.
    public var skewError: Double

    /// Whether the true total lies within the stated uncertainty.
    public var totalIsWithin: Bool { Outcome.isWithin(energy.primary?.total, trueTotal) }
    /// Whether the true energy above idle lies within the stated uncertainty.
    public var netIsWithin: Bool { Outcome.isWithin(energy.primary?.net, trueNet) }

    private static func isWithin(
      _ figure: Figure<Record.Energy.Quantity>?,
      _ truth: Double
    ) -> Bool {
      guard let quantity = figure?.value, let uncertainty = quantity.uncertainty else {
        return false
      }
      return abs(quantity.value - truth) <= uncertainty
    }
  }

  /// An instrument of a kind with faults drawn from within what it states.
  static func instrument(_ kind: Kind, _ random: inout SeededRNG) -> VirtualInstrument {
    var instrument: VirtualInstrument
    switch kind {
    case .supply:
      instrument = VirtualInstrument(
        .power,
        period: 200_000,
        accuracy: MeterAccuracy(
          gain: 0.01,
          offsetWatts: 2e-4,
          resolution: 1e-5,
          isIntegrating: true,
          isSpecified: true,
          source: "virtual"
        ),
        noise: 0.05
      )
    case .counter:
      instrument = VirtualInstrument(
        .energy,
        period: 1e7,
        accuracy: MeterAccuracy(
          gain: 0.05,
          resolution: 61e-6,
          isIntegrating: true,
          source: "virtual"
        ),
        jitter: 2e5
      )
    case .sensor:
      instrument = VirtualInstrument(
        .power,
        period: 1e7,
        accuracy: MeterAccuracy(
          gain: 0.02,
          offsetWatts: 0.02,
          resolution: 0.001,
          source: "virtual"
        ),
        noise: 0.5,
        jitter: 1e6
      )
    case .gauge:
      instrument = VirtualInstrument(
        .power,
        period: 1e8,
        accuracy: MeterAccuracy(
          gain: 0.02,
          offsetWatts: 0.05,
          resolution: 0.025,
          isIntegrating: true,
          source: "virtual"
        ),
        noise: 0.05,
        jitter: 3e6
      )
    }
    func within(_ limit: Double) -> Double { Double(random.uniform(-1, 1)) * limit }
    instrument.gain = within(instrument.accuracy.gain ?? 0)
    instrument.offset = within(instrument.accuracy.offsetWatts)
    instrument.skew = within(2e9)
    instrument.drift = within(1e-4)
    return instrument
  }

  /// Runs one trial.
  ///
  /// - Parameter seed: of the faults, the noise and the load.
  /// - Throws: `Diagnostic` when a marker is not found.
  public static func run(_ kind: Kind, seed: UInt64) throws -> Outcome {
    var random = SeededRNG(seed: seed)
    let instrument = instrument(kind, &random)
    let period = instrument.period
    func vary(_ value: Double, _ part: Double) -> Double {
      value * (1 + part * Double(random.uniform(-1, 1)))
    }
    let least = max(Double(EnergyAccount.leastReadings) * period * 1.1, 2.2e8)
    let idleTime = max(40 * period, 1e9)
    let (idleWatts, busyWatts) = (vary(2, 0.3), vary(6, 0.3))
    var changes: [(time: Double, watts: Double)] = [(-5e9, idleWatts)]
    var time = 0.0
    func rest(_ duration: Double) -> ClosedRange<Int64> {
      // The machine's idle power wanders a little from stretch to stretch.
      changes.append((time, vary(idleWatts, 0.002)))
      let begin = time
      time += duration
      return Int64(begin)...Int64(time)
    }
    func play(isReversed: Bool) -> PlayedMarker {
      let marker = CodedMarker.suited(toPeriod: UInt64(period), isReversed: isReversed)
      let begin = Int64(time)
      let busy = marker.busy.map {
        begin + Int64($0.lowerBound)..<begin + Int64($0.upperBound)
      }
      for run in busy {
        changes.append((Double(run.lowerBound), vary(busyWatts * 0.8, 0.01)))
        changes.append((Double(run.upperBound), idleWatts))
      }
      time += Double(marker.duration)
      return PlayedMarker(begin: begin, end: Int64(time), busy: busy)
    }
    let margin = Double(random.uniform()) * period
    time += margin
    let before = rest(idleTime)
    let first = play(isReversed: false)
    _ = rest(idleTime / 4)
    var windows: [ClosedRange<Int64>] = []
    for _ in 0..<6 {
      // Every window begins at a moment that has nothing to do with the readings.
      time += Double(random.uniform()) * 3 * period
      let begin = time
      let length = vary(least * 1.2, 0.1)
      var busy = begin
      while busy < begin + length {
        changes.append((busy, vary(busyWatts, 0.05)))
        busy += max(length / 40, 1e6)
      }
      time = begin + length
      windows.append(Int64(begin)...Int64(time))
      changes.append((time, idleWatts))
      time += vary(period * 4, 0.5)
    }
    _ = rest(idleTime / 4)
    let second = play(isReversed: true)
    let after = rest(idleTime)
    let load = VirtualLoad(changes)
    let trace = instrument.trace(
      of: load,
      over: -3e9...time + 3e9,
      phase: Double(random.uniform()),
      random: &random
    )
    guard let energy = CumulativeEnergy(trace, channel: 0) else {
      throw Diagnostic("MTR052", "the virtual meter gave nothing")
    }
    let search = MarkerSearch(energy)
    let lags = -2.5e9...2.5e9
    let map = ClockMap.markers([
      try search.find(first, lags: lags), try search.find(second, lags: lags),
    ])
    let account = EnergyAccount(
      trace: trace,
      map: map,
      windows: windows,
      idle: [before, after],
      inferenceCount: 1000
    )
    let total = windows.reduce(0) {
      $0 + load.joules(from: Double($1.lowerBound), to: Double($1.upperBound))
    }
    let seconds = windows.reduce(0) { $0 + Double($1.upperBound - $1.lowerBound) / 1e9 }
    let middle = (Double(windows[0].lowerBound) + Double(windows[5].upperBound)) / 2
    let seen = instrument.clock(middle)
    return Outcome(
      trueTotal: total,
      trueNet: total - idleWatts * seconds,
      energy: account.energy().energy,
      skewError: abs(map.meter(middle) - seen) / period
    )
  }
}
