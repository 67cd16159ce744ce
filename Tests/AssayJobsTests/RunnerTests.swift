import AssayBase
import AssayHost
import AssayRecord
import AssayStore
import AssayTestSupport
import Testing

@testable import AssayJobs

/// A trial of nothing real.
func syntheticTrial(_ number: Int, device: String = "local") -> TrialSpecification {
  TrialSpecification(
    cell: SweepCell(
      model: "synthetic",
      recipe: "v\(number)",
      runtime: "none",
      provider: "cpu",
      threads: 1,
      batch: 1,
      device: device,
      scenario: "single-stream"
    ),
    artefact: Record.Model(path: "v\(number)", sha256: sha256("v\(number)"), byteCount: number),
    format: "none",
    library: "1",
    preset: "quick",
    deviceIdentity: "test"
  )
}

/// The record of a synthetic trial: it follows from the trial alone.
func syntheticRecord(_ trial: TrialSpecification, id: String) -> Record {
  var record = Record(
    id: id,
    session: "synthetic",
    finishedAt: 0,
    model: trial.artefact,
    artefact: "none",
    variant: trial.cell.recipe,
    runtime: "none",
    version: "1",
    provider: "cpu",
    device: "local",
    threads: 1
  )
  var random = SeededRNG(seed: UInt64(trial.key.prefix(15), radix: 16) ?? 0)
  record.samples = (0..<40).map { _ in 1000 + Int64(random.next() % 100) }
  record.rounds = [40]
  record.verdict = .valid
  return record
}

/// A sweep of synthetic trials in a store of its own.
final class SyntheticSweep {
  let folder: String
  let store: any Store
  let schedule: SweepSchedule

  init(count: Int, repetitions: Int = 1) throws {
    folder = try Host.makeTemporaryFolder("assay-jobs-tests")
    store = try openStore(folder + "/store.sqlite")
    schedule = SweepSchedule(
      (0..<count).map { syntheticTrial($0) },
      repetitions: repetitions,
      seed: 1
    )
    _ = try store.enroll(
      LedgerSweep(id: "s", name: "s", plan: .null),
      schedule.entries
    )
  }

  deinit { try? Host.remove(folder) }

  func runner() -> SweepRunner {
    var runner = SweepRunner(store: store, sweep: "s", devices: ["local-test"])
    runner.isInterrupted = { false }
    runner.temperature = { nil }
    runner.sleep = { _ in }
    return runner
  }
}

@Suite struct RunnerTests {
  @Test func everyTrialIsMeasuredOnce() throws {
    let sweep = try SyntheticSweep(count: 5, repetitions: 3)
    var measured: [String] = []
    let end = try sweep.runner().run({ _ in }) { trial, claim, renew in
      #expect(renew())
      measured.append(claim.trial.key)
      return TrialResult(record: syntheticRecord(trial, id: claim.trial.key))
    }
    #expect(end == .complete)
    #expect(measured == sweep.schedule.trials.map(\.key))
    #expect(Set(measured).count == 15)
    // The blocks are complete: each has every combination once.
    for block in 0..<3 {
      let groups = sweep.schedule.trials[block * 5..<block * 5 + 5].map(\.group)
      #expect(Set(groups).count == 5)
    }
    let records = try sweep.store.records(ofSweep: "s")
    #expect(records.map { $0.trial?.key } == measured)
    #expect(records.allSatisfy { $0.trial?.sweep == "s" && $0.trial?.attempt == 1 })
  }

  @Test func aCrashingCombinationIsTriedAgainLaterAndThenGivenUp() throws {
    let sweep = try SyntheticSweep(count: 3, repetitions: 2)
    let bad = sweep.schedule.trials[0].group
    var order: [String] = []
    let end = try sweep.runner().run({ _ in }) { trial, claim, _ in
      order.append(trial.group == bad ? "bad" : "good")
      var record = syntheticRecord(trial, id: "\(claim.trial.key)-\(claim.attempt)")
      guard trial.group == bad else { return TrialResult(record: record) }
      let reason = Diagnostic("BEN110", "the runtime ended the worker: SIGSEGV")
      record.reasons = [reason]
      record.verdict = .invalid
      return TrialResult(record: record, fault: TrialFault(reason: reason, end: "SIGSEGV"))
    }
    #expect(end == .complete)
    // Once in its place, once behind the others, and its second repetition once: all in vain, and
    // the last is not tried a second time.
    #expect(order.filter { $0 == "bad" }.count == 3)
    #expect(order.first == "bad" && order.last == "bad")
    let progress = try sweep.store.progress(sweep: "s", devices: nil)
    #expect(progress.finished == 4 && progress.closed == 2)
    let events = try sweep.store.events(sweep: "s")
    #expect(events.filter { $0.kind == .failed }.allSatisfy { $0.detail["end"] == "SIGSEGV" })
    let given = try sweep.store.records(ofSweep: "s").filter { $0.trial?.isGivenUp == true }
    #expect(given.count == 2 && given.allSatisfy { $0.verdict == .invalid })
    #expect(Set(given.flatMap(\.reasons).map(\.code)) == ["BEN110", "JOB021"])
    // Nothing is tried again by itself; when it is asked for, it is.
    let more = try sweep.runner().run({ _ in }) { _, _, _ in throw Diagnostic("TST", "not wanted") }
    #expect(more == .complete)
    #expect(try sweep.store.reopen(sweep: "s") == 2)
    let last = try sweep.runner().run({ _ in }) { trial, claim, _ in
      TrialResult(record: syntheticRecord(trial, id: "mended-\(claim.trial.key)"))
    }
    #expect(last == .complete)
    #expect(try sweep.store.progress(sweep: "s", devices: nil).finished == 6)
  }

  @Test func whatTakesItsHolderAlongIsGivenUpInTheEnd() throws {
    let sweep = try SyntheticSweep(count: 2)
    struct Lost: Error {}
    let bad = sweep.schedule.trials[0].key
    var attempts = 0
    var ends: [SweepEnd] = []
    for number in 0..<10 {
      var runner = sweep.runner()
      runner.holder = "holder \(number)"
      runner.isGone = { $0 != "holder \(number)" }
      do {
        ends.append(
          try runner.run({ _ in }) { trial, claim, _ in
            if claim.trial.key == bad {
              attempts += 1
              throw Lost()
            }
            return TrialResult(record: syntheticRecord(trial, id: claim.trial.key))
          }
        )
      } catch is Lost {}
    }
    #expect(attempts == 3)
    #expect(ends.allSatisfy { $0 == .complete } && !ends.isEmpty)
    let records = try sweep.store.records(ofSweep: "s")
    #expect(records.map { $0.reasons.first?.code } == ["JOB020", nil])
  }

  @Test func theUserCanStopBetweenTrials() throws {
    let sweep = try SyntheticSweep(count: 4)
    var done = 0
    var runner = sweep.runner()
    runner.isInterrupted = { done == 2 }
    let measure: SweepRunner.Measure = { trial, claim, _ in
      done += 1
      return TrialResult(record: syntheticRecord(trial, id: claim.trial.key))
    }
    #expect(try runner.run({ _ in }, measure: measure) == .interrupted)
    #expect(try sweep.store.progress(sweep: "s", devices: nil).waiting == 2)
    runner.isInterrupted = { false }
    runner.mostTrials = 1
    #expect(try runner.run({ _ in }, measure: measure) == .enough)
    runner.mostTrials = nil
    runner.budget.seconds = 0
    #expect(try runner.run({ _ in }, measure: measure) == .outOfTime)
    runner.budget.seconds = nil
    #expect(try runner.run({ _ in }, measure: measure) == .complete)
    #expect(done == 4)
  }

  /// A worker that ends because the user pressed ctrl-C says nothing about its runtime.
  @Test func anInterruptIsNoCrash() throws {
    let sweep = try SyntheticSweep(count: 1)
    var stopped = false
    var runner = sweep.runner()
    runner.isInterrupted = { stopped }
    let end = try runner.run({ _ in }) { trial, _, _ in
      stopped = true
      let reason = Diagnostic("BEN110", "ended")
      return TrialResult(
        record: syntheticRecord(trial, id: "x"),
        fault: TrialFault(reason: reason, end: "SIGINT")
      )
    }
    #expect(end == .interrupted)
    #expect(try sweep.store.events(sweep: "s").map(\.kind) == [.claimed, .started, .released])
  }

  @Test func heatIsWaitedForAndEndsTheWork() throws {
    let sweep = try SyntheticSweep(count: 3)
    var degrees = [90.0, 80, 59, 70, 58, 50]
    var naps = 0.0
    var runner = sweep.runner()
    runner.cooldown.below = 60
    runner.cooldown.seconds = 5
    runner.temperature = { degrees.isEmpty ? 40 : degrees.removeFirst() }
    runner.sleep = { naps += $0 }
    runner.mostTrials = 2
    let measure: SweepRunner.Measure = { trial, claim, _ in
      TrialResult(record: syntheticRecord(trial, id: claim.trial.key))
    }
    #expect(try runner.run({ _ in }, measure: measure) == .enough)
    #expect(naps == 2 + 5 + 1)
    runner.temperature = { 99 }
    runner.budget.temperature = 85
    runner.cooldown.patience = 3
    #expect(try runner.run({ _ in }, measure: measure) == .tooHot(degrees: 99))
  }
}

@Suite struct TrialKeyTests {
  @Test func theKeyIsWhatTheFiguresDependOn() {
    let trial = syntheticTrial(1)
    var other = trial
    other.artefact.path = "elsewhere"
    other.cell.model = "another name"
    other.cell.recipe = "another name"
    other.artefact.byteCount = 9
    #expect(other.key == trial.key)
    let changes: [(inout TrialSpecification) -> Void] = [
      { $0.artefact.sha256 = "x" }, { $0.cell.runtime = "x" }, { $0.cell.provider = "x" },
      { $0.cell.threads = 2 }, { $0.cell.batch = 2 }, { $0.cell.scenario = "x" },
      { $0.preset = "x" }, { $0.data = "x" }, { $0.deviceIdentity = "x" }, { $0.library = "x" },
      { $0.campaign = "x" }, { $0.repetition = 2 },
    ]
    var keys: Set = [trial.key]
    for change in changes {
      var changed = trial
      change(&changed)
      #expect(keys.insert(changed.key).inserted)
    }
    var second = trial
    second.repetition = 2
    #expect(second.group == trial.group)
    // Pinned: a key that changes would measure everything anew.
    #expect(trial.key == "0a9690726e24c96ae4c25aedba293267550fa2b44e1adedbc990ec0962869345")
  }

  @Test func theOrderOfOptionsDoesNotMatter() {
    var a = syntheticTrial(1)
    var b = a
    a.cell.scenario = .object(["name": "server", "rate": 10])
    b.cell.scenario = .object(["rate": 10, "name": "server"])
    #expect(a.key == b.key)
  }

  @Test func specificationsComeBack() throws {
    var trial = syntheticTrial(3)
    trial.inputs = "x.npz"
    trial.campaign = "c"
    trial.repetition = 4
    trial.artefact.deflatedByteCount = .value(7)
    #expect(try TrialSpecification(json: JSON(parsing: trial.json.text())) == trial)
    var broken = trial.json
    broken["threads"] = "two"
    #expect(throws: Diagnostic.self) { try TrialSpecification(json: broken) }
  }

  @Test func equalArtefactsAreOneTrial() {
    var twin = syntheticTrial(1)
    twin.cell.recipe = "twin"
    let schedule = SweepSchedule(
      [syntheticTrial(1), twin, syntheticTrial(2)],
      repetitions: 2,
      seed: 1
    )
    #expect(schedule.trials.count == 4)
  }
}

@Suite struct CostModelTests {
  @Test func earlierTrialsTellTheCost() {
    let trial = syntheticTrial(1)
    var alike = syntheticTrial(2)
    alike.cell.threads = 8
    #expect(CostModel([]).seconds(trial).basis == .nominal)
    let model = CostModel(
      [2.0, 3, 4].map { trial.cost(seconds: $0, verdict: .valid) } + [.object(["seconds": "x"])]
    )
    #expect(model.seconds(trial) == (3, .same))
    #expect(model.seconds(alike) == (3, .alike))
    alike.preset = "strict"
    #expect(model.seconds(alike).basis == .nominal)
  }
}
