import AssayBase
import AssayStatistics
import AssayTestSupport
import Testing

@testable import AssayRecord

private func record(
  _ id: String = "a",
  session: String = "s",
  rounds: [[Int64]] = [],
  processes: [Int] = []
) -> Record {
  var record = Record(
    id: id,
    session: session,
    finishedAt: 0,
    model: .init(path: id, sha256: "", byteCount: 1),
    artefact: "tflite",
    variant: "v",
    runtime: "litert",
    version: "1",
    provider: "cpu",
    device: "local",
    threads: 1
  )
  record.samples = rounds.flatMap(\.self)
  record.rounds = rounds.map(\.count)
  record.processes = processes
  return record
}

/// Rounds of two sides on a machine that drifts by 20 %; B takes `factor` times as long.
private func sides(
  _ count: Int,
  factor: Double,
  seed: UInt64
) -> (a: [[Int64]], b: [[Int64]]) {
  var random = SeededRNG(seed: seed)
  var a: [[Int64]] = []
  var b: [[Int64]] = []
  for _ in 0..<count {
    let level = 100_000 * Double(random.uniform(0.9, 1.1))
    func round(_ scale: Double) -> [Int64] {
      (0..<40).map { _ in Int64(level * scale * (1 + 0.01 * Double(random.normal()))) }
    }
    a.append(round(1))
    b.append(round(factor))
  }
  return (a, b)
}

@Suite struct DifferenceOfRecordsTests {
  @Test func roundsOfOneSessionAreCompareInPairs() throws {
    let (a, b) = sides(16, factor: 1.03, seed: 1)
    let difference = try #require(
      record(rounds: a).difference(to: record("b", rounds: b)).value
    )
    #expect(difference.isPaired && difference.units == 16)
    #expect(difference.direction == .slower)
    #expect(difference.interval.contains(0.03))
    let apart = try #require(
      record(rounds: a).difference(to: record("b", session: "t", rounds: b)).value
    )
    #expect(!apart.isPaired)
    #expect(apart.interval.upperBound > difference.interval.upperBound)
  }

  @Test func processesAreTheUnits() throws {
    let (a, b) = sides(24, factor: 1, seed: 2)
    let processes = [Int](repeating: 4, count: 6)
    let (x, y) = (record(rounds: a, processes: processes), record(rounds: b, processes: processes))
    #expect(x.difference(to: y).value?.units == 6)
    #expect(x.processMedians.count == 6)
    // What does not add up is one process.
    let odd = record(rounds: a, processes: [4, 4])
    #expect(odd.difference(to: record("b", rounds: b, processes: [4, 4])).value?.units == 24)
    #expect(odd.processMedians.isEmpty)
  }

  @Test func roundsThatAreTooSmallAreTakenTogether() throws {
    let (a, b) = sides(24, factor: 1, seed: 3)
    let processes = [Int](repeating: 4, count: 6)
    let (x, y) = (record(rounds: a, processes: processes), record(rounds: b, processes: processes))
    #expect(x.difference(to: y, at: .p99).value?.units == 6)
    #expect(record(rounds: a).difference(to: record("b", rounds: b), at: .p99).value == nil)
  }

  @Test func lengthsThatOverflowAreRefused() {
    var hostile = record(rounds: [[1, 2], [3, 4]])
    hostile.rounds = [.max, .max, 6]
    hostile.processes = [.max, .max, 5]
    #expect(hostile.samplesByRound.isEmpty && hostile.processMedians.isEmpty)
    #expect(hostile.difference(to: hostile).value == nil)
    #expect([1, 2, 3].stretches([1, 2]) == [[1], [2, 3]])
    #expect([1, 2, 3].stretches([1, 1]).isEmpty && [1, 2, 3].stretches([4, -1]).isEmpty)
    #expect([Int]().stretches([]).isEmpty)
  }

  @Test func whatCannotBeComparedHasAReason() {
    let (a, b) = sides(3, factor: 1, seed: 4)
    let few = record(rounds: a).difference(to: record("b", rounds: b))
    #expect(few.missingReason?.contains("3 rounds are too few") == true)
    let zero = [[Int64]](repeating: [0, 0], count: 5)
    #expect(record(rounds: zero).difference(to: record("b", rounds: zero)).value == nil)
    #expect(record().difference(to: record()).value == nil)
  }

  @Test func regressions() {
    func outcome(_ low: Double, _ high: Double, limit: Double) -> RegressionCheck.Outcome {
      RegressionCheck(limit: limit).outcome(
        Difference(
          estimate: (low + high) / 2,
          interval: low...high,
          confidence: 0.95,
          detectable: 0.01,
          power: 0.9,
          isPaired: true,
          units: 10
        )
      )
    }
    #expect(outcome(0.03, 0.05, limit: 0.02) == .regressed)
    #expect(outcome(0.01, 0.05, limit: 0.02) == .regressed)
    #expect(outcome(0.001, 0.03, limit: 0.02) == .undecided)
    #expect(outcome(-0.01, 0.06, limit: 0.02) == .undecided)
    #expect(outcome(-0.01, 0.02, limit: 0.02) == .held)
    #expect(outcome(0.005, 0.015, limit: 0.02) == .held)
    #expect(outcome(0.005, 0.015, limit: 0) == .regressed)
  }

  @Test func unlikeThingsAreNamed() {
    var (a, b) = (record("a"), record("b"))
    #expect(a.unlikeness(to: b).isEmpty)
    a.inputs = [.init(name: "x", dtype: "float32", shape: [1, 4])]
    #expect(a.unlikeness(to: b).isEmpty, "what one does not tell is not counted")
    b.inputs = [.init(name: "x", dtype: "int8", shape: [8, 4])]
    b.threads = 2
    b.scenario = Record.Scenario(.offline)
    b.environment["emulated"] = true
    a.environment["emulated"] = false
    #expect(
      a.unlikeness(to: b).filter(\.forbidsRanking).map(\.words) == [
        "batch 1 and 8", "threads 1 and 2", "precision of the input float32 and int8",
        "scenario single-stream and offline", "emulation false and true",
      ]
    )
    b = record("b")
    b.runtime = "openvino"
    #expect(a.unlikeness(to: b).map(\.forbidsRanking) == [false])
    var server = record("c")
    server.scenario = Record.Scenario(.server)
    server.scenario?.ratePerSecond = 10
    var faster = server
    faster.scenario?.ratePerSecond = 20
    #expect(server.unlikeness(to: faster).map(\.words) == ["queries per second 10 and 20"])
    #expect(Record.unlikenesses(among: [server, faster, server]).count == 1)
    #expect(Record.unlikenesses(among: []).isEmpty)
  }
}
