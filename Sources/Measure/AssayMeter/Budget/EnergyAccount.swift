import AssayBase
import AssayRecord

/// Joins a trace with the windows of inferences and says how many joules they took, with a budget of
/// uncertainty (GUM, JCGM 100) or with the reason why that cannot be said.
public struct EnergyAccount: Sendable {
  /// What the meter told.
  public var trace: PowerTrace
  /// How its clock maps to that of the windows; `nil` for a meter whose times are this machine's.
  public var map: ClockMap?
  /// When inferences ran, this machine's clock, nanoseconds.
  public var windows: [ClosedRange<Int64>]
  /// When the machine was idle, this machine's clock.
  public var idle: [ClosedRange<Int64>]
  /// Inferences in all windows.
  public var inferenceCount: Int

  /// Readings that a window needs at least.
  ///
  /// With twenty the two unknown halves of readings at its ends are a small part of it.
  public static let leastReadings = 20

  /// Makes an account.
  public init(
    trace: PowerTrace,
    map: ClockMap? = nil,
    windows: [ClosedRange<Int64>],
    idle: [ClosedRange<Int64>],
    inferenceCount: Int
  ) {
    self.trace = trace
    self.map = map
    self.windows = windows
    self.idle = idle
    self.inferenceCount = inferenceCount
  }

  /// The shortest window that a channel can tell the energy of, nanoseconds.
  public static func leastWindow(period: UInt64, _ channel: MeterChannel) -> UInt64 {
    UInt64(leastReadings) * max(period, channel.accuracy.latencyNanoseconds)
  }

  /// The energy with everything that is to be said of it.
  ///
  /// - Returns: the energy, whose figures are missing where they cannot be told, and findings
  ///   (MTR050 constant, MTR051 too slow, MTR052 not covered, MTR053 readings lost, MTR054 not above
  ///   idle, MTR055 no accuracy known, MTR056 no join).
  public func energy() -> (energy: Record.Energy, findings: [Diagnostic]) {
    let seconds = windows.reduce(0) { $0 + Double($1.upperBound - $1.lowerBound) } / 1e9
    var energy = Record.Energy(
      driver: trace.identity.driver,
      meter: trace.identity.name,
      provenance: trace.identity.isEstimate ? .estimated : .measured,
      seconds: seconds,
      inferenceCount: inferenceCount,
      windowCount: windows.count
    )
    energy.serial = trace.identity.serial
    energy.version = trace.identity.version
    energy.rate = trace.rate
    var findings: [Diagnostic] = []
    for index in trace.channels.indices where trace.channels[index].tellsEnergy {
      let isPrimary = index == trace.primary
      var channel = ChannelAccount(self, index)
      let domain = channel.domain(isPrimary: isPrimary)
      energy.domains.append(domain)
      guard isPrimary else { continue }
      findings = channel.findings
      if channel.isConstant, energy.provenance == .measured { energy.provenance = .constant }
      if let map = channel.map {
        let middle = windows.isEmpty ? map.reference : map.meter(Double(windows[0].lowerBound))
        energy.join = Record.Energy.Join(
          method: map.method.rawValue,
          offsetNanoseconds: map.offset,
          driftPPM: map.drift * 1e6,
          uncertaintyNanoseconds: map.uncertainty(at: middle)
        )
      }
    }
    let notes = trace.notes.map { note in
      var note = note
      // Latencies hold without a meter.
      if note.severity == .error { note.severity = .warning }
      return note
    }
    return (energy, findings + notes)
  }
}

/// Watts that the user gave, times the time of the windows: an estimate, and marked as one.
public func estimatedEnergy(
  watts: Double,
  windows: [ClosedRange<Int64>],
  inferenceCount: Int
) -> Record.Energy {
  let seconds = windows.reduce(0) { $0 + Double($1.upperBound - $1.lowerBound) } / 1e9
  var energy = Record.Energy(
    driver: "estimate",
    meter: "\(Words.short(watts)) W times time",
    provenance: .estimated,
    seconds: seconds,
    inferenceCount: inferenceCount,
    windowCount: windows.count
  )
  energy.domains = [
    Record.Energy.Domain(
      name: "estimate",
      scope: "as given",
      isPrimary: true,
      readingCount: 0,
      total: .value(Record.Energy.Quantity(watts * seconds)),
      net: .missing(reason: "an estimate knows no idle power"),
      idlePower: .missing(reason: "an estimate knows no idle power")
    )
  ]
  return energy
}
