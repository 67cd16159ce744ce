import AssayBase
import AssayHost
import AssayMeter
import AssayRecord
import Synchronization

/// Reads power meters while a comparison runs, and gives each record its energy.
///
/// Before the first worker and after the last turn the machine rests, so that its idle power is known;
/// with markers a coded load joins a meter's own clock. The meters stop after the last turn of a
/// group of trials and start again with the next.
public final class EnergyWatcher: BenchWatcher {
  private let plan: EnergyPlan
  private let state = Mutex(State())
  private let say: @Sendable (String) -> Void

  private struct State {
    var samplers: [MeterSampler] = []
    var isRunning = false
    /// What the meters told in the last span that they ran.
    var seen: [Seen] = []
    var rests: [ClosedRange<Int64>] = []
    var markers: [PlayedMarker] = []
    var faults: [Diagnostic] = []
  }

  /// One meter's trace and how it joins.
  private struct Seen: Sendable {
    var trace: PowerTrace
    var map: ClockMap?
    var findings: [Diagnostic]
  }

  /// Opens the meters and starts to read them.
  ///
  /// - Parameter say: told what is being waited for.
  /// - Throws: what opening a meter throws.
  public init(_ plan: EnergyPlan, say: @escaping @Sendable (String) -> Void = { _ in }) throws {
    self.plan = plan
    self.say = say
    try start()
  }

  /// Nanoseconds that a turn has to last for the slowest meter's sake.
  public var leastTurn: UInt64 {
    let samplers = state.withLock { $0.samplers }
    return samplers.map { sampler in
      let primary =
        sampler.channels.first { $0.isPrimary } ?? sampler.channels.first { $0.tellsEnergy }
      guard let primary else { return 0 }
      // A little more than needed, since readings come a little late.
      return EnergyAccount.leastWindow(period: sampler.period, primary) / 10 * 11
    }.max() ?? 0
  }

  /// Lets turns last as long as the slowest meter needs, and have as many inferences as fit in.
  public func lengthenTurns(_ preset: inout Preset) {
    let least = leastTurn
    preset.block.minimumNanoseconds = max(preset.block.minimumNanoseconds, least)
    preset.block.maximumNanoseconds = max(preset.block.maximumNanoseconds, least &* 2)
    preset.block.maximumCount = max(preset.block.maximumCount, TimedLoop.capacity)
  }

  private func start() throws {
    let processors = MeterSampler.sparedProcessors(threads: plan.threads)
    let samplers = try plan.meters.map { meter in
      var options = meter.options
      if options.processors.isEmpty { options.processors = processors }
      return try MeterSampler(meter.meter, options)
    }
    state.withLock { state in
      state.samplers = samplers
      state.isRunning = true
      state.seen = []
      state.rests = []
      state.markers = []
    }
  }

  public func comparisonBegins(_: [Configuration]) { begin() }

  public func trialBegins(_: Configuration, record _: String) {
    guard !state.withLock({ $0.isRunning }) else { return }
    do {
      try start()
      begin()
    } catch {
      note(error)
    }
  }

  public func trialEnds(_ record: inout Record) {
    if state.withLock({ $0.isRunning }) { end() }
    let (windows, count) = record.energyWork
    let (seen, rests, faults) = state.withLock { ($0.seen, $0.rests, $0.faults) }
    record.powerMarks = marks
    for seen in seen {
      var trace = seen.trace
      if let uncertainty = record.environment["clockUncertaintyNs"]?.double {
        // The windows are a device's, told by its clock.
        let own = trace.timeUncertaintyNanoseconds
        trace.timeUncertaintyNanoseconds = (own * own + uncertainty * uncertainty).squareRoot()
      }
      let account = EnergyAccount(
        trace: trace,
        map: seen.map,
        windows: windows,
        idle: rests,
        inferenceCount: count
      )
      let (energy, findings) = account.energy()
      record.energy.append(energy)
      record.reasons += seen.findings + findings
    }
    record.reasons += faults
    if let watts = plan.estimateWatts {
      record.energy.append(
        estimatedEnergy(watts: watts, windows: windows, inferenceCount: count)
      )
    }
  }

  public func comparisonEnds() {
    let samplers = state.withLock { state in
      defer { state.samplers = [] }
      return state.isRunning ? state.samplers : []
    }
    for sampler in samplers { _ = try? sampler.stop() }
  }

  /// Whether there is anything to rest for: a meter here, or a recording that is joined later.
  private var looksOn: Bool { !plan.meters.isEmpty || plan.playsMarkers }

  /// What a recording made elsewhere is joined by.
  private var marks: Record.PowerMarks? {
    let (rests, markers) = state.withLock { ($0.rests, $0.markers) }
    guard !rests.isEmpty || !markers.isEmpty else { return nil }
    return Record.PowerMarks(
      rests: rests.map { Record.Window(begin: $0.lowerBound, end: $0.upperBound) },
      markers: markers.map { marker in
        Record.PowerMarks.Marker(
          whole: Record.Window(begin: marker.begin, end: marker.end),
          busy: marker.busy.map { Record.Window(begin: $0.lowerBound, end: $0.upperBound) }
        )
      }
    )
  }

  // MARK: Before and after

  /// Idle power and marker before the first turn.
  private func begin() {
    guard looksOn else { return }
    play(isReversed: false)
    rest("idle power before")
  }

  /// Idle power and marker after the last turn; then the traces are complete.
  private func end() {
    if looksOn {
      rest("idle power after")
      play(isReversed: true)
      // A reading or two beyond the end, also on a clock that is late.
      Host.sleep(nanoseconds: max(slowest() * 3, 100_000_000))
    }
    let (samplers, markers) = state.withLock { state in
      state.isRunning = false
      return (state.samplers, state.markers)
    }
    var seen: [Seen] = []
    for sampler in samplers {
      do {
        let trace = try sampler.stop()
        let join = joinedClocks(trace, markers)
        seen.append(Seen(trace: trace, map: join.map, findings: join.findings))
      } catch {
        note(error)
      }
    }
    state.withLock { state in
      state.samplers = []
      state.seen = seen
    }
  }

  /// The meters' traces of the last span, with the clocks' join; for those who want to keep them.
  public var traces: [(trace: PowerTrace, map: ClockMap?)] {
    state.withLock { $0.seen.map { ($0.trace, $0.map) } }
  }

  private func slowest() -> UInt64 {
    state.withLock { state in
      state.samplers.map { sampler in
        let latency = sampler.channels.filter(\.isPrimary).map(\.accuracy.latencyNanoseconds)
        return max(sampler.period, latency.max() ?? 0)
      }.max() ?? 0
    }
  }

  private func rest(_ what: String) {
    let nanoseconds = max(UInt64(plan.leastRestSeconds * 1e9), slowest() * 30)
    say("\(what): the machine rests for \(Words.time(Double(nanoseconds)))")
    let begin = Host.monotonicNanoseconds()
    Host.sleep(nanoseconds: nanoseconds)
    let end = Host.monotonicNanoseconds()
    state.withLock { $0.rests.append(Int64(clamping: begin)...Int64(clamping: end)) }
  }

  private func play(isReversed: Bool) {
    guard plan.playsMarkers else { return }
    // Without a meter here, chips that most meters elsewhere can tell apart.
    let period = plan.meters.isEmpty ? 10_000_000 : slowest()
    let marker = CodedMarker.suited(toPeriod: period, isReversed: isReversed)
    say("a coded load for \(Words.time(Double(marker.duration)))")
    // Some readings of rest on both sides let the pattern stand out.
    Host.sleep(nanoseconds: max(slowest() * 5, 50_000_000))
    do {
      let threads = Host.allowedProcessors().count
      let played = try MarkerPlayer.play(marker, threads: threads)
      state.withLock { $0.markers.append(played) }
    } catch {
      note(error)
    }
    Host.sleep(nanoseconds: max(slowest() * 5, 50_000_000))
  }

  private func note(_ error: any Error) {
    var finding = (error as? Diagnostic) ?? Diagnostic("MTR010", "a meter failed: \(error)")
    // Latencies hold without a meter.
    finding.severity = .warning
    state.withLock { $0.faults.append(finding) }
  }
}
