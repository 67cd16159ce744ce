import AssayBase
import AssayHost
import AssayMeter
import AssayRecord
import AssayRuntime
import Synchronization
import Testing

@testable import AssayBench

/// A load that the test sets, and the joules that it took so far.
private final class Load: Sendable {
  private let state = Mutex<(watts: Double, joules: Double, since: UInt64)>(
    (2, 0, Host.monotonicNanoseconds())
  )

  func set(_ watts: Double) {
    state.withLock { state in
      let now = Host.monotonicNanoseconds()
      state.joules += state.watts * Double(now - state.since) / 1e9
      state.since = now
      state.watts = watts
    }
  }

  /// The counter with its time.
  func read() -> (time: Int64, joules: Double) {
    state.withLock { state in
      let now = Host.monotonicNanoseconds()
      return (Int64(now), state.joules + state.watts * Double(now - state.since) / 1e9)
    }
  }
}

/// A meter of that load, which may be missing.
private struct LoadMeter: PowerMeter {
  let id = "load"
  let summary = "for tests"
  let load: Load
  var opened = Counter()

  final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
  }

  func probe() -> Availability { .available(version: "1") }
  func open(_ options: MeterOptions) throws -> any MeterReader {
    opened.add()
    if options.values["argument"] == "broken" { throw Diagnostic("MTR001", "it is not there") }
    return Reader(load)
  }

  final class Reader: MeterReader {
    let identity = MeterIdentity(driver: "load", name: "a counter", serial: "1")
    let channels = [
      MeterChannel(
        "main",
        .energy,
        .board,
        isPrimary: true,
        accuracy: MeterAccuracy(gain: 0.01, isIntegrating: true, source: "test")
      )
    ]
    let period: UInt64 = 2_000_000
    let isPolled = true
    private let load: Load
    init(_ load: Load) { self.load = load }
    func read(into trace: inout PowerTrace, until deadline: UInt64) {
      let (time, joules) = load.read()
      trace.append(time, [joules])
    }
  }
}

@Suite struct EnergyWatcherTests {
  private let configuration = Configuration(
    model: Record.Model(path: "m", sha256: "", byteCount: 1),
    artefact: "tflite",
    variant: "float32",
    runtime: "fake"
  )

  private func plan(_ meter: LoadMeter) -> EnergyPlan {
    EnergyPlan(
      meters: [EnergyPlan.Meter(meter, MeterOptions())],
      estimateWatts: 10,
      leastRestSeconds: 0.1
    )
  }

  /// A trial of two turns at 6 W.
  private func trial(_ watcher: EnergyWatcher, _ load: Load) -> Record {
    var record = Record(
      id: "r",
      session: "s",
      finishedAt: 0,
      model: configuration.model,
      artefact: "tflite",
      variant: "float32",
      runtime: "fake",
      version: "1",
      provider: "cpu",
      device: "local",
      threads: 1
    )
    watcher.trialBegins(configuration, record: record.id)
    for _ in 0..<2 {
      load.set(6)
      Host.sleep(nanoseconds: 5_000_000)
      let begin = Host.monotonicNanoseconds()
      Host.sleep(nanoseconds: 200_000_000)
      let end = Host.monotonicNanoseconds()
      Host.sleep(nanoseconds: 5_000_000)
      load.set(2)
      record.windows.append(Record.Window(begin: Int64(begin), end: Int64(end)))
      record.samples += [Int64](repeating: 2_000_000, count: 100)
    }
    watcher.trialEnds(&record)
    return record
  }

  @Test func recordsGetEnergyAboveIdleAndTheEstimateBesideIt() throws {
    let load = Load()
    let meter = LoadMeter(load: load)
    let watcher = try EnergyWatcher(plan(meter))
    #expect(watcher.leastTurn == 44_000_000)
    watcher.comparisonBegins([configuration])
    for opened in 1...2 {
      let record = trial(watcher, load)
      #expect(meter.opened.value == opened)
      #expect(record.energy.map(\.provenance) == [.measured, .estimated])
      #expect(record.mainEnergy?.driver == "load")
      let energy = record.energy[0]
      let domain = try #require(energy.primary)
      let total = try #require(domain.total.value)
      let net = try #require(domain.net.value)
      #expect(abs(total.value - 6 * energy.seconds) <= (total.uncertainty ?? 0))
      #expect(abs(net.value - 4 * energy.seconds) <= (net.uncertainty ?? 0))
      #expect(energy.inferenceCount == 200 && energy.join?.method == "host")
      let estimate = try #require(record.energy[1].primary?.total.value)
      #expect(abs(estimate.value - 10 * energy.seconds) < 1e-9 && estimate.uncertainty == nil)
      #expect(record.reasons.isEmpty)
      #expect(try Record(json: record.json).energy == record.energy)
    }
    watcher.comparisonEnds()
    #expect(watcher.traces.count == 1)
  }

  /// A turn of a second is a second also of a model that takes 2.5 microseconds.
  @Test func turnsLastAsLongAsTheMeterNeeds() throws {
    let watcher = try EnergyWatcher(plan(LoadMeter(load: Load())))
    var preset = Preset.quick
    watcher.lengthenTurns(&preset)
    #expect(preset.block.minimumNanoseconds >= watcher.leastTurn)
    #expect(preset.block.maximumNanoseconds >= 2 * watcher.leastTurn)
    #expect(preset.block.maximumCount * 2_500 > 1_100_000_000)
    var limits = preset.block
    limits.minimumCount = limits.maximumCount
    let loop = TimedLoop()
    try loop.run(NullSession(), limits)
    #expect(loop.count == limits.maximumCount)
  }

  @Test func aMeterThatIsNotThereIsToldAtOnce() {
    var plan = plan(LoadMeter(load: Load()))
    plan.meters[0].options.values["argument"] = "broken"
    #expect { try EnergyWatcher(plan) } throws: { ($0 as? Diagnostic)?.code == "MTR001" }
  }

  @Test func anEstimateNeedsNoMeterAndNoRest() throws {
    let watcher = try EnergyWatcher(EnergyPlan(meters: [], estimateWatts: 6))
    let start = Host.monotonicNanoseconds()
    watcher.comparisonBegins([configuration])
    #expect(Host.monotonicNanoseconds() - start < 500_000_000 && watcher.leastTurn == 0)
    let record = trial(watcher, Load())
    #expect(record.energy.map(\.provenance) == [.estimated])
  }
}
