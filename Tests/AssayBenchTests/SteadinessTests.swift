import AssayBase
import AssayRecord
import AssayRuntime
import Testing

@testable import AssayBench

struct SteadinessTests {
  @Test("falling latencies are not steady, level ones are, too few are not")
  func steadiness() {
    #expect(!Steadiness.isSteady([9, 8, 7, 6, 5, 4, 3, 2, 1, 1].map { $0 * 100_000 }))
    #expect(Steadiness.isSteady([Int64](repeating: 100_000, count: 10)))
    #expect(!Steadiness.isSteady([Int64](repeating: 100_000, count: 9)))
    // One interrupted inference does not undo steadiness.
    #expect(
      Steadiness.isSteady([100, 101, 100, 99, 100, 101, 900, 100, 99, 100].map { $0 * 1000 })
    )
  }

  @Test("a block keeps its limits")
  func limits() {
    let limits = BlockLimits(
      minimumCount: 3,
      minimumNanoseconds: 100,
      maximumCount: 10,
      maximumNanoseconds: 1000
    )
    #expect(!limits.isOver(count: 0, elapsed: 0))
    #expect(!limits.isOver(count: 3, elapsed: 99))
    #expect(!limits.isOver(count: 2, elapsed: 500))
    #expect(limits.isOver(count: 3, elapsed: 100))
    #expect(limits.isOver(count: 1, elapsed: 1000))
    #expect(!limits.isOver(count: 0, elapsed: 5000))
    #expect(limits.isOver(count: 10, elapsed: 0))
  }

  @Test("the loop stores one sample for each inference and no more than it has room for")
  func loop() throws {
    let loop = TimedLoop(capacity: 100)
    try loop.run(
      NullSession(),
      BlockLimits(minimumCount: 50, minimumNanoseconds: 0, maximumNanoseconds: 1_000_000_000)
    )
    #expect(loop.samples.count == 50)
    #expect(loop.samples.allSatisfy { $0 >= 0 })
    try loop.run(
      NullSession(),
      BlockLimits(minimumCount: 500, minimumNanoseconds: 0, maximumNanoseconds: 1_000_000_000)
    )
    #expect(loop.samples.count == 100)
  }
}

struct VerdictTests {
  private func record(_ samples: [Int64], rounds: [Int]) -> Record {
    var record = Record(
      id: "1",
      session: "1",
      finishedAt: 0,
      model: Record.Model(path: "m", sha256: "", byteCount: 1),
      artefact: "tflite",
      variant: "v",
      runtime: "r",
      version: "1",
      provider: "cpu",
      device: "local",
      threads: 1
    )
    record.samples = samples
    record.rounds = rounds
    return judged(record)
  }

  @Test("level samples are valid without reasons")
  func valid() {
    let record = record((0..<100).map { 10_000 + $0 }, rounds: [50, 50])
    #expect(record.verdict == .valid)
    #expect(record.reasons.isEmpty)
  }

  @Test("few samples, a vague median and drift are invalid, each by its code")
  func invalid() {
    #expect(record([10_000, 10_000], rounds: [2]).reasons.map(\.code) == ["BEN101"])
    let vague = (0..<40).map { Int64(10_000 + ($0 * 7919) % 40 * 1000) }
    #expect(record(vague, rounds: [40]).reasons.map(\.code).contains("BEN108"))
    let drift = [Int64](repeating: 10_000, count: 30) + [Int64](repeating: 30_000, count: 30)
    #expect(record(drift, rounds: [30, 30]).reasons.map(\.code).contains("BEN103"))
    #expect(record(drift, rounds: [30, 30]).verdict == .invalid)
  }

  @Test("a small drift is a warning beside a valid verdict")
  func warning() {
    let drift = [Int64](repeating: 10_000, count: 30) + [Int64](repeating: 11_500, count: 30)
    let record = record(drift, rounds: [30, 30])
    #expect(record.verdict == .valid)
    #expect(record.reasons.map(\.code) == ["BEN103"])
  }
}
