import AssayBase
import AssayHost
import AssayRecord
import AssayRuntime
import AssayStatistics
import AssayTensor
import CAllocationCount
import Synchronization
import Testing

@testable import AssayBench

/// A session whose run takes a given time, kept up by the clock.
private final class BusySession: Session {
  let inputs: [Port] = []
  let outputs: [Port] = []
  var placement: Placement { Placement(provider: "none") }
  var readNanoseconds: UInt64 { 0 }
  var compileNanoseconds: UInt64 { 0 }
  var failureText: String { "asked for" }
  let nanoseconds: UInt64
  var runs = 0
  var failsAt = 0
  init(_ nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
  func write(_ bytes: ByteView, toInput index: Int) throws {}
  func readOutput(_ index: Int) throws -> ByteView { ByteView([]) }
  func run() throws(RunFailure) {
    runs += 1
    if runs == failsAt { throw RunFailure(status: 7) }
    let end = Host.monotonicNanoseconds() + nanoseconds
    while Host.monotonicNanoseconds() < end {}
  }
}

private func record(
  _ scenario: Record.Scenario?,
  samples: [Int64] = [],
  rounds: [Int]? = nil
) -> Record {
  var record = Record(
    id: "a",
    session: "s",
    finishedAt: 0,
    model: .init(path: "m", sha256: "", byteCount: 1),
    artefact: "tflite",
    variant: "v",
    runtime: "r",
    version: "1",
    provider: "cpu",
    device: "local",
    threads: 1
  )
  record.scenario = scenario
  record.samples = samples
  record.rounds = rounds ?? [samples.count]
  return record
}

@Suite struct ScenarioTests {
  @Test func latencyCountsFromWhenAQueryWasDue() throws {
    // All queries are due at once; each takes 200 us: the n-th waits for the n - 1 before it.
    let loop = ArrivalLoop(
      arrivals: [0, 0, 0, 0, 0],
      start: Host.monotonicNanoseconds(),
      limit: 1_000_000_000,
      inferences: 2
    )
    let session = BusySession(100_000)
    try loop.serve(session)
    let block = loop.block(end: Host.monotonicNanoseconds())
    #expect(session.runs == 10)
    #expect(block.samples.count == 5 && block.unserved == 0)
    for (index, sample) in block.samples.enumerated() {
      #expect(sample >= Int64(index + 1) * 200_000)
    }
    #expect(try #require(block.serviceTime) >= 200_000)
  }

  @Test func noQueryBeginsBeforeItIsDue() throws {
    let start = Host.monotonicNanoseconds()
    let loop = ArrivalLoop(
      arrivals: [0, 1_000_000, 2_500_000],
      start: start,
      limit: 1_000_000_000,
      inferences: 1
    )
    try loop.serve(BusySession(1000))
    #expect(Host.monotonicNanoseconds() - start >= 2_500_000)
    #expect(loop.block(end: 0).samples.count == 3)
  }

  @Test func whatIsDueAfterTheEndIsCounted() throws {
    let loop = ArrivalLoop(
      arrivals: (0..<50).map { UInt64($0) * 1000 },
      start: Host.monotonicNanoseconds(),
      limit: 2_000_000,
      inferences: 1
    )
    try loop.serve(BusySession(1_000_000))
    let block = loop.block(end: 0)
    #expect((1...3).contains(block.samples.count))
    #expect(block.unserved == 50 - block.samples.count)
  }

  @Test("serving allocates nothing", .enabled(if: allocation_count_works()))
  func serving() throws {
    let loop = ArrivalLoop(
      arrivals: (0..<1000).map { UInt64($0) * 100 },
      start: Host.monotonicNanoseconds(),
      limit: 10_000_000_000,
      inferences: 1
    )
    let session = NullSession()
    let count = try Host.onOwnThread { () throws -> Int in
      allocation_count_begin()
      try loop.serve(session)
      return Int(allocation_count_end())
    }
    #expect(count == 0)
    #expect(loop.block(end: 0).samples.count == 1000)
  }

  @Test func streamsWorkTogetherAndTellWhoFailed() {
    let sessions = [BusySession(0), BusySession(0), BusySession(0)]
    sessions[1].failsAt = 5
    let failure = Streams.run(sessions) { (_, session) throws(RunFailure) in
      for _ in 0..<10 { try session.run() }
    }
    #expect(failure?.stream == 1 && failure?.failure == RunFailure(status: 7))
    #expect(sessions.map(\.runs) == [10, 5, 10])
    #expect(Streams.run(sessions) { (_, _) throws(RunFailure) in } == nil)
  }

  @Test func arrivalsAreAPoissonProcess() {
    let moments = Arrivals.poisson(rate: 1000, count: 20_000, seed: 3)
    #expect(moments == Arrivals.poisson(rate: 1000, count: 20_000, seed: 3))
    #expect(moments != Arrivals.poisson(rate: 1000, count: 20_000, seed: 4))
    #expect(moments == moments.sorted())
    // Counts in windows of 10 ms have mean and variance 10.
    var counts: [UInt64: Int] = [:]
    for moment in moments { counts[moment / 10_000_000, default: 0] += 1 }
    let windows = (moments.last ?? 0) / 10_000_000
    let values = (0..<windows).map { Double(counts[$0] ?? 0) }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    #expect(abs(mean - 10) < 0.3, "\(mean)")
    #expect(abs(variance - 10) < 1, "\(variance)")
  }

  @Test func aQueryIsAsManyInferencesAsTheBatchLeaves() throws {
    var configuration = Configuration(
      model: Record.Model(path: "m", sha256: "", byteCount: 1),
      artefact: "none",
      variant: "v",
      runtime: "r"
    )
    configuration.scenario = Record.Scenario(.multiStream)
    let trial = Trial(configuration, session: "s", index: 0, command: [])
    let input = JSON.object([
      "name": "x", "dtype": "int8", "shape": [3, 96, 96, 1],
    ])
    trial.noteInputs(.object(["inputs": .array([input])]))
    #expect(trial.record.batch == 3)
    #expect(trial.record.scenario?.inferencesPerQuery == 3)
    #expect(trial.record.scenario?.samplesPerQuery == 8)
    var request = JSON.emptyObject
    trial.addScenario(to: &request)
    #expect(QueryPlan(json: request["scenario"])?.inferences == 3)
    configuration.scenario = Record.Scenario(.offline)
    let offline = Trial(configuration, session: "s", index: 0, command: [])
    offline.noteInputs(.object(["inputs": .array([input])]))
    #expect(offline.record.scenario?.inferencesPerQuery == 1)
    #expect(offline.record.scenario?.samplesPerQuery == 3)
  }

  @Test func presetsSupportTheirClaims() {
    let server = Record.Scenario(.server)
    let standard = Preset.standard.supporting(server)
    #expect(standard.block.minimumCount * standard.rounds >= 662)
    #expect(Preset.quick.supporting(server) == .quick)
    #expect(Preset.strict.supporting(server).block.minimumCount == 67)
    let long = Preset.standard.lasting(80_000_000_000)
    #expect(long.block.minimumNanoseconds == 10_000_000_000)
    #expect(long.block.maximumNanoseconds == 20_000_000_000)
    #expect(Preset.quick.counting(1024).block.minimumCount == 205)
  }

  @Test func verdictsOfTheClaim() {
    var scenario = Record.Scenario(.singleStream)
    scenario.targetLatency = 1000
    func codes(_ samples: [Int64]) -> [String] {
      scenarioFindings(record(scenario, samples: samples)).map(\.code)
    }
    #expect(codes([Int64](repeating: 900, count: 64)).isEmpty)
    #expect(codes([Int64](repeating: 900, count: 30)) == ["BEN142"])
    #expect(codes([Int64](repeating: 1900, count: 64)) == ["BEN140"])
    #expect(codes([Int64](repeating: 900, count: 63) + [2000]).isEmpty)
    #expect(codes([Int64](repeating: 900, count: 62) + [2000]) == ["BEN142"])
  }

  @Test func anOverloadIsRecognized() {
    var scenario = Record.Scenario(.server)
    scenario.ratePerSecond = 1000
    scenario.serviceTime = 1_200_000
    let findings = scenarioFindings(record(scenario, samples: [1, 2]))
    #expect(findings.map(\.code) == ["BEN141"] && findings.first?.severity == .error)
    scenario.streams = 2
    #expect(scenarioFindings(record(scenario)).isEmpty)
    scenario.serviceTime = 1_900_000
    #expect(scenarioFindings(record(scenario)).first?.severity == .warning)
    scenario.unserved = 3
    #expect(scenarioFindings(record(scenario)).first?.severity == .error)
  }

  @Test func throughputIsOfAllSessionsTogether() {
    var scenario = Record.Scenario(.offline, streams: 2)
    scenario.samplesPerQuery = 4
    var record = record(scenario, samples: [1, 1, 1, 1, 1, 1], rounds: [4, 2])
    #expect(record.throughput.value == nil)
    record.windows = [.init(begin: 0, end: 1_000_000), .init(begin: 5_000_000, end: 6_000_000)]
    #expect(record.throughput.value == 12_000)
  }

  @Test func scenariosSurviveInRecords() throws {
    var scenario = Record.Scenario(.server, streams: 3)
    scenario.ratePerSecond = 12.5
    scenario.targetLatency = 5_000_000
    scenario.serviceTime = 1234.5
    scenario.unserved = 2
    scenario.seed = .max
    var record = record(scenario, samples: [5, 6, 7])
    record.inputs = [.init(name: "x", dtype: "int8", shape: [1, 2])]
    record.stopping = Record.Stopping(
      percentile: .p99,
      target: 0.01,
      halfWidth: .missing(reason: "few"),
      outcome: .never,
      roundsNeeded: .value(400)
    )
    #expect(try Record(json: JSON(parsing: record.json.text())) == record)
    #expect(scenarioFindings(record).map(\.code).contains("BEN143"))
    var json = record.json
    json["scenario"] = .object(["kind": "guess"])
    #expect { try Record(json: json) } throws: { ($0 as? Diagnostic)?.code == "REC002" }
  }
}
