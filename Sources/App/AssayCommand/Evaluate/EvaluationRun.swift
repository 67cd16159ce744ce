import AssayBase
import AssayHost
import AssayJobs
import AssaySets
import AssayStore

/// Runs an evaluation's shares in processes of their own, here or by Slurm, so that a runtime that crashes
/// is a row with its reason.
struct EvaluationRun {
  let executable: String
  /// Processes, or jobs of Slurm.
  let workers: Int
  /// The store and how workers are told of it.
  let store: any Store
  let storeURL: String
  /// Whether Slurm runs the workers.
  let usesSlurm: Bool
  let console: Console

  /// Evaluates what is not known yet.
  func run(_ plan: EvaluationPlan, _ set: LabelledSet) throws -> EvaluationResult {
    let ledger = EvaluationLedger(store: store, plan: plan, itemCount: set.items.count)
    try ledger.enroll()
    let before = try ledger.count()
    let start = Host.monotonicNanoseconds()
    var result = EvaluationResult(
      plan: plan,
      task: set.task,
      classCount: set.classes.count,
      outcomes: [:]
    )
    if before < set.items.count { result.fault = try process(ledger, before, start) }
    let seconds = Double(Host.monotonicNanoseconds() - start) / 1e9
    result.outcomes = try ledger.outcomes()
    let made = result.outcomes.count - before
    if made > 0, seconds > 0 { result.rate = Double(made) / seconds }
    return result
  }

  private func process(
    _ ledger: EvaluationLedger,
    _ before: Int,
    _ start: UInt64
  ) throws -> [Diagnostic] {
    let failures = try ledger.failures().count
    let ends = try usesSlurm ? jobs(ledger, before, start) : processes(ledger, before, start)
    let faults = try ledger.failures().dropFirst(failures).flatMap(\.self)
    if !faults.isEmpty {
      return faults.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
    guard let end = ends.first else { return [] }
    let held = try ledger.held().prefix(3).joined(separator: ", ")
    return [
      Diagnostic(
        "EVA020",
        "a worker of \(ledger.plan.runtime) ended with \(end.text)"
          + (held.isEmpty ? "" : " over \(held)"),
        at: [ledger.plan.model],
        remedy: "run it again: what was evaluated is kept"
      )
    ]
  }

  private func processes(
    _ ledger: EvaluationLedger,
    _ before: Int,
    _ start: UInt64
  ) throws -> [ProcessEnd] {
    let scratch = try Scratch()
    defer { scratch.remove() }
    let path = Host.join(scratch.path, "plan.json")
    try AtomicFile.write(ledger.plan.json.text(pretty: true) + "\n", to: path)
    let children = try (0..<workers).map { _ in
      try ChildProcess(
        executable,
        ["evaluate-worker", path, storeURL, "--quiet"],
        descriptors: [2: 2]
      )
    }
    var shown = start
    while children.contains(where: { $0.poll() == nil }) {
      Host.sleep(nanoseconds: 10_000_000)
      let now = Host.monotonicNanoseconds()
      guard Console.isTerminal, now - shown > 500_000_000 else { continue }
      shown = now
      console.progress(try words(ledger, before, start))
    }
    console.endProgress()
    return children.map { $0.wait() }.filter { $0 != .exited(0) }
  }

  /// How far it is, and the time that is left.
  private func words(
    _ ledger: EvaluationLedger,
    _ before: Int,
    _ start: UInt64
  ) throws -> String {
    let done = try ledger.count()
    let elapsed = Double(Host.monotonicNanoseconds() - start)
    let left =
      done > before ? elapsed / Double(done - before) * Double(ledger.itemCount - done) : 0
    return "\(ledger.plan.runtime): \(done)/\(ledger.itemCount)"
      + (left > 0 ? ", \(Text.duration(left)) left" : "")
  }

  /// Hands the shares to a job array, and waits until Slurm knows none of the jobs any more.
  private func jobs(
    _ ledger: EvaluationLedger,
    _ before: Int,
    _ start: UInt64
  ) throws -> [ProcessEnd] {
    if storeURL.hasPrefix("sqlite:") || !storeURL.contains("://") {
      console.note(
        "an SQLite store serves jobs of one machine; give several machines a postgres:// store"
      )
    }
    // Where the jobs of every machine see it: beside the set.
    let folder = Host.join(ledger.plan.set, "slurm/" + ledger.plan.key)
    try Host.makeFolders(folder)
    let path = Host.join(folder, "plan.json")
    try AtomicFile.write(ledger.plan.json.text(pretty: true) + "\n", to: path)
    let script = SlurmScript(
      name: "assay-evaluate",
      jobs: workers,
      resources: nil,
      processors: ledger.plan.threads + 1,
      minutes: 24 * 60,
      output: Host.join(Host.realPath(folder) ?? folder, "%A_%a.log"),
      settings: SweepPlan.Slurm(),
      command: [executable, "evaluate-worker", path, storeURL, "--quiet"]
    )
    Host.catchInterrupts()
    let queue = SlurmQueue(console: console)
    let job = try queue.submit(script, as: Host.join(folder, "jobs.sh"))
    console.note("submitted: job \(job)")
    guard try queue.wait(for: [job], status: { try words(ledger, before, start) }) else {
      throw Diagnostic(
        "EVA021",
        "the evaluation was left to its jobs",
        remedy: "scancel \(job) ends them; the same command shows what they found"
      )
    }
    return []
  }
}
