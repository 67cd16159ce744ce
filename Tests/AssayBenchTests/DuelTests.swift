import AssayBase
import AssayRecord
import AssayStatistics
import Synchronization
import Testing

@testable import AssayBench

/// A worker whose latencies drift with the machine, and with a level of its own as processes have.
private final class DriftingWorker: WorkerLink {
  private var random: SeededRNG
  private let level: Double
  private let fails: Bool

  init(seed: UInt64, factor: Double, fails: Bool = false) {
    random = SeededRNG(seed: seed)
    level = 100_000 * factor * (1 + 0.003 * Double(random.normal()))
    self.fails = fails
  }

  func ask(_ request: JSON, seconds: Double) throws -> JSON {
    func samples() -> JSON {
      .array(
        (0..<20).map { _ in .integer(Int64(level * (1 + 0.01 * Double(random.normal())))) }
      )
    }
    switch request["do"]?.string {
    case "hello": return .object(["peak": 1000])
    case "load":
      if fails { throw Diagnostic("BEN110", "the runtime ended the worker: SIGSEGV") }
      return .object(["version": "1", "placement": .object(["provider": "fake"])])
    case "warmup", "block": return .object(["samples": samples()])
    case "memory": return .object(["peak": 4096])
    default: return .object(["ns": 5])
    }
  }

  func end() {}
}

private final class Counter: Sendable {
  private let value = Mutex<UInt64>(0)
  func next() -> UInt64 {
    value.withLock {
      $0 += 1
      return $0
    }
  }
}

@Suite struct DuelTests {
  private func configuration(_ name: String) -> Configuration {
    Configuration(
      model: Record.Model(path: name, sha256: "", byteCount: 1),
      artefact: "tflite",
      variant: name,
      runtime: "fake"
    )
  }

  private func duel(
    factors: [String: Double],
    failing: String? = nil
  ) -> Duel {
    var comparison = Comparison(preset: .quick, folder: "", command: ["assay"], executable: "")
    let count = Counter()
    comparison.makeWorker = { configuration in
      let seed = count.next()
      return DriftingWorker(
        seed: seed,
        factor: factors[configuration.variant] ?? 1,
        fails: configuration.variant == failing
      )
    }
    comparison.availableMemory = { 8 << 30 }
    return Duel(comparison, thoroughness: "quick")
  }

  @Test func recordsHoldAllProcesses() throws {
    let records = try duel(factors: [:]).run(["a", "b"].map(configuration))
    #expect(records.map(\.variant) == ["a", "b"])
    for record in records {
      #expect(record.processes == [Int](repeating: 2, count: 12))
      #expect(record.rounds.count == 24 && record.samples.count == 480)
      #expect(record.verdict == .valid)
    }
    #expect(records[0].tookTurns(with: records[1]))
  }

  @Test func aSlowdownIsFoundAndAnEqualOneIsNot() throws {
    let slow = try duel(factors: ["b": 1.02]).run(["a", "b"].map(configuration))
    let found = try #require(slow[0].difference(to: slow[1]).value)
    #expect(found.direction == .slower && found.interval.contains(0.02), "\(found)")
    #expect(found.units == 12)
    let same = try duel(factors: [:]).run(["a", "b"].map(configuration))
    let none = try #require(same[0].difference(to: same[1]).value)
    #expect(none.direction == .undecided && none.detectable < 0.02, "\(none)")
  }

  @Test func whatFailsIsNotStartedAgainAndAgain() throws {
    let records = try duel(factors: [:], failing: "b").run(["a", "b"].map(configuration))
    #expect(records.count == 2)
    #expect(records[1].verdict == .invalid)
    #expect(records[1].reasons.contains { $0.code == "BEN110" })
    #expect(records[0].processes.count == 1)
  }
}
