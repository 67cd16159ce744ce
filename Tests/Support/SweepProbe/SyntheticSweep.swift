import AssayBase
import AssayHost
import AssayJobs
import AssayRecord
import AssayStore

/// A sweep of sessions that measure nothing: their figures follow from the trial's key.
struct SyntheticSweep {
  let id = "synthetic"
  let schedule: SweepSchedule

  init(count: Int) {
    let combinations = max(count / 2, 1)
    schedule = SweepSchedule(
      (0..<combinations).map { number in
        TrialSpecification(
          cell: SweepCell(
            model: "synthetic",
            recipe: "v\(number)",
            runtime: "none",
            provider: "cpu",
            threads: 1,
            batch: 1,
            device: "local",
            scenario: "single-stream"
          ),
          artefact: Record.Model(path: "v\(number)", sha256: sha256("v\(number)"), byteCount: 1),
          format: "none",
          library: "1",
          preset: "quick",
          deviceIdentity: "synthetic"
        )
      },
      repetitions: 2,
      seed: 1
    )
  }

  /// Works until the sweep is complete, and prints a line for each record that was acknowledged.
  ///
  /// - Parameter seed: of crashes and hangs of sessions; 0 for none.
  func work(store url: String, seed: UInt64) throws {
    // A line that was said is out, whatever happens next.
    let channel = LineChannel(input: -1, output: 1)
    func say(_ line: String) { _ = channel.write(line) }
    let store = try openStore(url)
    _ = try store.enroll(LedgerSweep(id: id, name: id, plan: .null), schedule.entries)
    var runner = SweepRunner(store: store, sweep: id, devices: ["local-synthetic"])
    runner.limits.attempts = 1_000_000
    runner.limits.losses = 1_000_000
    runner.temperature = { nil }
    var random = SeededRNG(seed: seed)
    guard let executable = Host.executablePath else { return }
    let end = try runner.run({ event in
      if case .stored(let record, _) = event { say("stored \(record.trial?.key ?? "")") }
    }) { trial, claim, _ in
      let chance = seed == 0 ? 99 : random.next() % 100
      let kind = chance < 12 ? "crash" : chance < 16 ? "hang" : "answer"
      let session = try ChildProcess(executable, ["session", kind])
      let deadline = Host.monotonicNanoseconds() + (kind == "hang" ? 50_000_000 : 10_000_000_000)
      let ended = session.wait(until: deadline) ?? session.kill()
      var record = answer(trial, id: "\(claim.trial.key.prefix(20))-\(claim.attempt)")
      guard ended != .exited(0) else { return TrialResult(record: record) }
      let code = kind == "hang" ? "JOB010" : "BEN110"
      let reason = Diagnostic(code, "the session ended: \(ended.text)")
      record.reasons = [reason]
      record.verdict = .invalid
      say("fault \(kind)")
      return TrialResult(record: record, fault: TrialFault(reason: reason, end: ended.text))
    }
    say("end \(end)")
  }

  private func answer(_ trial: TrialSpecification, id: String) -> Record {
    var record = Record(
      id: id,
      session: "synthetic",
      finishedAt: 0,
      model: trial.artefact,
      artefact: trial.format,
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

  /// The sweep's table without what differs from run to run: ids and times.
  func table(store url: String) throws -> String {
    let store = try openStore(url)
    let table = RecordTable()
    return try store.records(ofSweep: id).map { record in
      var record = record
      record.id = record.trial?.key ?? ""
      record.finishedAt = 0
      return table.line(record)
    }.joined()
  }
}
