import AssayBase
import AssayRecord
import Synchronization
import Testing

@testable import AssayBench

/// A worker that answers from a script and notes what it was asked.
private final class FakeWorker: WorkerLink {
  let name: String
  let journal: Journal
  let failsAt: String?
  private var turn = 0

  init(_ name: String, _ journal: Journal, failsAt: String? = nil) {
    self.name = name
    self.journal = journal
    self.failsAt = failsAt
    journal.live(+1)
  }

  func ask(_ request: JSON, seconds: Double) throws -> JSON {
    let verb = request["do"]?.string ?? ""
    journal.note("\(name) \(verb)")
    if verb == failsAt { throw Diagnostic("BEN110", "the runtime ended the worker: SIGSEGV") }
    switch verb {
    case "hello": return .object(["peak": 1000])
    case "load":
      return .object([
        "version": "9.9", "read": 11, "compile": 22, "placement": .object(["provider": "fake"]),
      ])
    case "first": return .object(["ns": 33])
    case "warmup": return .object(["samples": .array((0..<10).map { _ in 5000 })])
    case "block":
      turn += 1
      return .object([
        "samples": .array((0..<5).map { .integer(Int64(5000 + turn * 10 + $0)) }),
        "begin": JSON(turn * 1000), "end": JSON(turn * 1000 + 500),
      ])
    case "memory": return .object(["peak": 4096])
    default: return .emptyObject
    }
  }

  func end() {
    journal.note("\(name) end")
    journal.live(-1)
  }
}

private final class Journal: Sendable {
  private let state = Mutex<(lines: [String], live: Int, most: Int)>(([], 0, 0))
  func note(_ line: String) { state.withLock { $0.lines.append(line) } }
  func live(_ change: Int) {
    state.withLock {
      $0.live += change
      $0.most = max($0.most, $0.live)
    }
  }
  var lines: [String] { state.withLock { $0.lines } }
  var mostAlive: Int { state.withLock { $0.most } }
}

/// Notes what it is told, and marks the records.
private struct Onlooker: BenchWatcher {
  let journal: Journal
  func comparisonBegins(_ configurations: [Configuration]) {
    journal.note("begins \(configurations.count)")
  }
  func trialBegins(_ configuration: Configuration, record: String) {
    journal.note("\(configuration.variant) trial \(record.suffix(4))")
  }
  func turnBegins(record: String) { journal.note("turn \(record.suffix(4))") }
  func turnEnds(record: String, window: Record.Window?) {
    journal.note("turned \(record.suffix(4)) \(window.map { "\($0.begin)" } ?? "-")")
  }
  func trialEnds(_ record: inout Record) { record.environment["seen"] = true }
  func comparisonEnds() { journal.note("ends") }
}

struct ComparisonTests {
  private func configuration(_ name: String) -> Configuration {
    Configuration(
      model: Record.Model(path: name, sha256: "", byteCount: 1),
      artefact: "tflite",
      variant: name,
      runtime: "fake"
    )
  }

  private func comparison(_ journal: Journal, failures: [String: String] = [:]) -> Comparison {
    var comparison = Comparison(
      preset: .quick,
      profiledRuns: 0,
      folder: "",
      command: ["assay"],
      executable: ""
    )
    comparison.makeWorker = { configuration in
      FakeWorker(configuration.variant, journal, failsAt: failures[configuration.variant])
    }
    comparison.availableMemory = { 8 << 30 }
    return comparison
  }

  @Test("every configuration gets a turn in every round, in an order that changes")
  func interleaving() throws {
    let journal = Journal()
    let names = ["a", "b", "c", "d"]
    let results = try comparison(journal).run(names.map(configuration))
    let turns = journal.lines.filter { $0.hasSuffix("block") }.map { String($0.prefix(1)) }
    let rounds = stride(from: 0, to: turns.count, by: 4).map { Array(turns[$0..<$0 + 4]) }
    #expect(rounds.count == Preset.quick.rounds)
    #expect(rounds.allSatisfy { $0.sorted() == names })
    #expect(Set(rounds).count > 1)
    #expect(results.map(\.record.variant) == names)
  }

  @Test("a watcher is told of every trial and turn, and adds to the record before the verdict")
  func watchers() throws {
    let journal = Journal()
    var comparison = comparison(journal, failures: ["b": "block", "c": "load"])
    comparison.watchers = [Onlooker(journal: journal)]
    let results = try comparison.run(["a", "b", "c"].map(configuration))
    let lines = journal.lines
    #expect(lines.first == "begins 3" && lines.last == "ends")
    #expect(lines.filter { $0.contains("trial") } == ["a trial 0000", "b trial 0001"])
    let rounds = Preset.quick.rounds
    #expect(
      lines.filter { $0.hasPrefix("turned 0000") }
        == (1...rounds).map { "turned 0000 \($0 * 1000)" }
    )
    // The failed turn is ended too, without a window; after it there are no more.
    #expect(lines.filter { $0.hasPrefix("turned 0001") } == ["turned 0001 -"])
    #expect(lines.firstIndex(of: "turn 0000")! + 1 == lines.firstIndex(of: "a block"))
    #expect(results.allSatisfy { $0.record.environment["seen"] == true })
    #expect(results[0].record.windows.map(\.begin) == (1...rounds).map { Int64($0 * 1000) })
    #expect(results[1].record.windows.isEmpty)
  }

  @Test("a record holds what its worker answered, in order")
  func record() throws {
    let results = try comparison(Journal()).run([configuration("a")])
    let record = try #require(results.first?.record)
    #expect(record.initialization.read == .value(11))
    #expect(record.initialization.compile == .value(22))
    #expect(record.initialization.first == .value(33))
    #expect(record.version == "9.9")
    #expect(record.rounds == [5, 5, 5, 5, 5])
    #expect(record.samples.count == 25)
    #expect(record.samples[5] == 5020)
    #expect(record.peakMemoryBytes == .value(3096))
    #expect(record.verdict == .valid)
    #expect(record.environment["nullSessionNs"]?.int != nil)
  }

  @Test("the same seed gives the same order, another seed another")
  func seeds() throws {
    func order(_ seed: UInt64) throws -> [String] {
      let journal = Journal()
      var comparison = comparison(journal)
      comparison.seed = seed
      _ = try comparison.run(["a", "b", "c", "d", "e"].map(configuration))
      return journal.lines.filter { $0.hasSuffix("block") }
    }
    #expect(try order(7) == order(7))
    #expect(try order(7) != order(8))
  }

  @Test(
    "a worker that dies is a row with its reason and the others go on",
    arguments: ["load", "first", "warmup", "block", "memory"]
  )
  func crash(verb: String) throws {
    let journal = Journal()
    let results = try comparison(journal, failures: ["b": verb])
      .run(["a", "b", "c"].map(configuration))
    #expect(results.map(\.record.verdict) == [.valid, .invalid, .valid])
    #expect(results[1].record.reasons.map(\.code) == ["BEN110"])
    #expect(journal.lines.filter { $0 == "b end" }.count == 1)
    #expect(journal.lines.filter { $0 == "a block" }.count == Preset.quick.rounds)
  }

  @Test("without room for another worker they are measured one after the other")
  func memory() throws {
    let journal = Journal()
    var comparison = comparison(journal)
    comparison.availableMemory = { 1 << 20 }
    let results = try comparison.run(["a", "b", "c"].map(configuration))
    #expect(journal.mostAlive == 1)
    #expect(results.map(\.record.samples.count) == [25, 25, 25])
  }

  @Test("progress counts up to its total and estimates the time left")
  func progress() throws {
    var steps: [BenchProgress] = []
    _ = try comparison(Journal()).run(
      ["a", "b"].map(configuration),
      progress: { steps.append($0) }
    )
    #expect(steps.map(\.done) == Array(0..<14))
    #expect(steps.allSatisfy { $0.total == 14 })
    #expect(steps.last?.secondsLeft != nil)
  }
}
