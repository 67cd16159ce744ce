import AssayBase
import AssayRecord
import AssayTestSupport
import Testing

@testable import AssayBench

/// A worker on a clock of its own: each block takes a second; what it does in that time follows a course.
private final class ThrottlingWorker: WorkerLink {
  private var second: Int64 = 0
  private var random = SeededRNG(seed: 5)
  private let course: (Int64) -> Double

  init(_ course: @escaping (Int64) -> Double) { self.course = course }

  func ask(_ request: JSON, seconds: Double) throws -> JSON {
    switch request["do"]?.string {
    case "hello": return .object(["peak": 1000])
    case "load": return .object(["version": "1", "placement": .object(["provider": "fake"])])
    case "memory": return .object(["peak": 4096])
    case "warmup":
      return .object(["samples": .array((0..<40).map { _ in 1_000_000 })])
    case "block":
      defer { second += 1 }
      let count = Int(course(second) * (1 + 0.01 * Double(random.normal())))
      return .object([
        "samples": .array((0..<count).map { _ in .integer(1_000_000_000 / Int64(count)) }),
        "begin": .integer(second * 1_000_000_000),
        "end": .integer((second + 1) * 1_000_000_000),
      ])
    default: return .object(["ns": 5])
    }
  }

  func end() {}
}

@Suite struct SustainedTests {
  private func record(
    seconds: UInt64,
    _ course: @escaping @Sendable (Int64) -> Double
  ) throws -> Record {
    var comparison = Comparison(preset: .quick, folder: "", command: ["assay"], executable: "")
    comparison.makeWorker = { _ in ThrottlingWorker(course) }
    comparison.sustained = SustainedLoad(duration: seconds * 1_000_000_000)
    comparison.profiledRuns = 0
    let configuration = Configuration(
      model: Record.Model(path: "m", sha256: "", byteCount: 1),
      artefact: "tflite",
      variant: "v",
      runtime: "fake"
    )
    var parts: [Int] = []
    let measured = try comparison.run([configuration]) { parts.append($0.done) }
    #expect(parts.contains(50))
    return try #require(measured.first?.record)
  }

  @Test func throttleAndRecoveryAreDated() throws {
    let record = try record(seconds: 300) { (100..<220).contains($0) ? 410 : 500 }
    let sustained = try #require(record.sustained)
    #expect(sustained.windows.count == 300)
    #expect(sustained.levels.count == 3)
    let throttling = try #require(sustained.throttling)
    #expect(abs(throttling.onset - 100_000_000_000) <= 2_000_000_000)
    #expect(abs(try #require(throttling.recovery) - 220_000_000_000) <= 2_000_000_000)
    #expect(abs(throttling.loss - 0.18) < 0.01)
    #expect(record.reasons.map(\.code) == ["BEN144"])
    #expect(record.verdict == .valid)
    #expect(record.samples.count == record.rounds.reduce(0, +))
  }

  @Test func aSteadyLoadHasOneLevel() throws {
    let record = try record(seconds: 200) { _ in 500 }
    #expect(record.sustained?.levels.count == 1)
    #expect(record.sustained?.throttling == nil)
    #expect(record.reasons.isEmpty)
    #expect(try Record(json: JSON(parsing: record.json.text())) == record)
  }

  @Test func aSlowdownThatStaysHasNoRecovery() throws {
    let record = try record(seconds: 200) { $0 < 50 ? 500 : 300 }
    let throttling = try #require(record.sustained?.throttling)
    #expect(throttling.recovery == nil)
    #expect(abs(throttling.loss - 0.4) < 0.01)
  }

  @Test func loadsAreCutIntoHundredsOfWindows() {
    #expect(SustainedLoad(duration: 1_800_000_000_000).window == 1_000_000_000)
    #expect(SustainedLoad(duration: 20_000_000_000).window == 100_000_000)
  }
}
