import AssayBase
import AssayBench
import AssayCatalog
import AssayExplore
import AssayFormat
import AssayHost
import AssayJobs
import AssayRecord
import AssayRuntime
import AssayStore
import Synchronization

/// What the page has done, as trials of the ledger that sweeps work from: benchmarks and detections.
///
/// Each is a sweep of one trial: it is on the disk before it waits, has one record in the end (a detection
/// an answer) whatever happens to the process, and is taken up again by the next explorer of the store. A
/// button that is pressed again asks for a further repetition.
final class PageLedger: Sendable {
  /// The ids of the page's sweeps begin with this.
  static let prefix = "page-"
  private static let schema = "assay.page-job/1"
  private let url: String
  let identity = MachineInfo.current().identity
  private let state = Mutex(State())

  private struct State {
    var store: (any Store)?
    /// Keys that were handed out, so that two presses of the button are two repetitions.
    var keys: Set<String> = []
    /// Entries that this process has in its queue.
    var entries: Set<String> = []
  }

  init(url: String) { self.url = url }

  func open() throws -> any Store {
    if let store = state.withLock({ $0.store }) { return store }
    let store = try openStore(url)
    state.withLock { $0.store = store }
    return store
  }

  /// The devices of a job that this machine can run: itself, and those that it reaches.
  func devices(_ store: any Store, _ entry: String) throws -> [String] {
    try store.trials(sweep: entry).map(\.trial.device)
      .filter { !$0.hasPrefix("local-") || $0 == "local-\(identity)" }
  }

  // MARK: Jobs

  /// Writes a benchmark into the ledger.
  ///
  /// - Parameter words: what `assay bench` could have been started with.
  func enroll(_ request: JSON, title: String, bench words: [String]) throws -> String {
    let store = try open()
    var trial = try specification(words)
    // A record answers its key for all sweeps: what was asked before is a further repetition.
    while true {
      let key = trial.key
      let isNew = try !store.hasRecord(ofTrial: key)
      if isNew, state.withLock({ $0.keys.insert(key).inserted }) { break }
      trial.repetition += 1
    }
    return try enroll(
      request,
      title,
      LedgerTrial(
        key: trial.key,
        device: trial.ledgerDevice,
        title: trial.title,
        specification: trial.json
      )
    )
  }

  func enroll(_ request: JSON, _ title: String, _ trial: LedgerTrial) throws -> String {
    let noise = String(UInt64.random(in: 0..<(1 << 40)), radix: 32)
    let entry = "\(Self.prefix)\(Host.wallNanoseconds() / 1_000_000)-\(noise)"
    let plan = JSON.object(["schema": .string(Self.schema), "request": request])
    try open().enroll(LedgerSweep(id: entry, name: title, plan: plan), [trial])
    state.withLock { _ = $0.entries.insert(entry) }
    return entry
  }

  private func specification(_ words: [String]) throws -> TrialSpecification {
    let arguments = try Arguments(words, spec: benchCommand)
    let path = arguments.operands[0]
    let runtime = try Catalog.runtime(arguments.value("--runtime") ?? "")
    let target = arguments.value("--device") ?? "local"
    var library = "the one on \(target)"
    if target == "local" {
      guard case .available(let version) = runtime.probe() else {
        throw Diagnostic("HST030", "\(runtime.id) cannot be used", remedy: "see assay doctor")
      }
      library = version
    }
    let options = try sessionOptions(arguments)
    let artefact = try Record.Model(file: path)
    return TrialSpecification(
      cell: SweepCell(
        model: Host.name(of: path),
        recipe: "original",
        runtime: runtime.id,
        provider: options.provider.rawValue,
        threads: options.threads,
        device: target
      ),
      artefact: artefact,
      format: try format(ofModel: path).id,
      library: library,
      preset: arguments.value("--preset") ?? "standard",
      deviceIdentity: target == "local" ? identity : "named \(target)"
    )
  }

  /// Takes a job that waits, and gives it back at once: the ledger's word for "nobody wants it".
  func withdraw(_ entry: String) {
    guard let store = try? open(),
      let devices = try? devices(store, entry),
      let claim = try? store.claim(
        sweep: entry,
        devices: devices,
        holder: Host.ProcessIdentity.current.text,
        lease: 60_000_000_000,
        isGone: Self.isGone
      )
    else { return }
    try? store.release(claim)
  }

  static let isGone: @Sendable (String) -> Bool = {
    Host.ProcessIdentity(text: $0)?.isGone ?? false
  }

  /// Jobs of this kind of machine that wait, and those whose explorer is gone.
  func leftOver() -> [LeftOverJob] {
    guard let store = try? open(), let sweeps = try? store.sweeps() else { return [] }
    return sweeps.filter { $0.id.hasPrefix(Self.prefix) }.suffix(100).compactMap { sweep in
      guard let request = sweep.plan["request"],
        let devices = try? devices(store, sweep.id),
        let progress = try? store.progress(sweep: sweep.id, devices: devices),
        progress.waiting + progress.claimed > 0, let events = try? store.events(sweep: sweep.id)
      else { return nil }
      // A holder that lives is at work on it; what was given back is wanted no more.
      if progress.claimed > 0, let holder = events.last?.holder, !Self.isGone(holder) {
        return nil
      }
      if events.last?.kind == .released { return nil }
      // A detection has no second attempt: the reason was told, and would be the same.
      if request["kind"] == "detect", events.last?.kind == .failed { return nil }
      let keys = ((try? store.trials(sweep: sweep.id)) ?? []).map(\.trial.key)
      state.withLock { state in
        state.entries.insert(sweep.id)
        state.keys.formUnion(keys)
      }
      return LeftOverJob(entry: sweep.id, title: sweep.name, request: request)
    }
  }

  /// The newest sweeps, and jobs of other explorers that are not done, with how far each is.
  func overview() -> JSON {
    guard let store = try? open(), let sweeps = try? store.sweeps() else { return .array([]) }
    let own = state.withLock { $0.entries }
    let plans = sweeps.filter { !$0.id.hasPrefix(Self.prefix) }.suffix(8)
    let jobs = sweeps.filter { $0.id.hasPrefix(Self.prefix) && !own.contains($0.id) }.suffix(8)
    let rows = (plans + jobs).compactMap { sweep -> JSON? in
      guard let progress = try? store.progress(sweep: sweep.id, devices: nil) else { return nil }
      let isJob = sweep.id.hasPrefix(Self.prefix)
      if isJob, progress.claimed == 0 { return nil }
      return .object([
        "id": .string(sweep.id), "name": .string(sweep.name), "total": JSON(progress.total),
        "finished": JSON(progress.finished), "givenUp": JSON(progress.closed),
        "claimed": JSON(progress.claimed), "waiting": JSON(progress.waiting),
      ])
    }
    return .array(rows)
  }

  // MARK: Work

  /// Measures a job's trial, and keeps its record with the ledger's line in one step.
  ///
  /// - Throws: why the trial was given up; JOB012 when nobody wants it any more.
  func measure(
    _ entry: String,
    bench words: [String],
    _ isWanted: @escaping @Sendable () -> Bool,
    _ progress: (JobProgress) throws -> Void
  ) throws -> Record {
    let store = try open()
    guard let executable = Host.executablePath else {
      throw Diagnostic("HST032", "this system does not tell where assay itself lies")
    }
    var runner = SweepRunner(store: store, sweep: entry, devices: try devices(store, entry))
    // The most thorough preset may take minutes on a large model.
    runner.limits.seconds = 3600
    runner.isInterrupted = { !isWanted() }
    let limits = runner.limits
    var failure: Diagnostic?
    // Whoever looks on is told of each step; a job that is given up ends by `isWanted`.
    func tell(_ step: JobProgress) { try? progress(step) }
    while true {
      let end = try runner.run { event in
        switch event {
        case .givenUp(_, let reason): failure = reason
        case .failed(_, let fault):
          tell(JobProgress(done: 0, total: 1, current: "\(fault.reason.summary); once more"))
        default: break
        }
      } measure: { trial, _, renew in
        let arguments = try Arguments(words, spec: benchCommand)
        do {
          return try preparedBenchmark(arguments, PageBench.silent) {
            configuration,
            comparison,
            _ in
            guard configuration.model.sha256 == trial.artefact.sha256 else {
              throw Diagnostic("JOB013", "the file has changed since the job was asked for")
            }
            var comparison = comparison
            comparison.command = ["assay", "bench"] + words
            return limits.measure(
              configuration,
              comparison,
              executable: trial.cell.device == "local" ? executable : nil,
              arguments: ["worker"],
              step: { step in
                tell(
                  JobProgress(
                    done: step.done,
                    total: step.total,
                    current: step.current,
                    secondsLeft: step.secondsLeft
                  )
                )
              },
              renew: renew,
              isWanted: isWanted,
              finished: { $0.record }
            )
          }
        } catch let reason as Diagnostic {
          return trial.failed(reason, entry)
        } catch let reasons as Diagnostics {
          return trial.failed(
            reasons.all.first ?? Diagnostic("EXP009", "the benchmark failed"),
            entry
          )
        }
      }
      if end == .interrupted { throw Diagnostic("JOB012", "the trial was canceled") }
      if let failure { throw failure }
      if let record = try store.records(ofSweep: entry).last { return record }
      guard end == .othersWork else { throw Diagnostic("EXP009", "nothing was measured") }
      try progress(JobProgress(done: 0, total: 1, current: "another explorer measures it"))
      Host.sleep(nanoseconds: 500_000_000)
    }
  }
}

extension TrialSpecification {
  /// The result of a trial that could not begin.
  fileprivate func failed(_ reason: Diagnostic, _ sweep: String) -> TrialResult {
    var record = emptyRecord(id: "\(sweep)-\(Host.wallNanoseconds())", session: sweep)
    record.reasons = [reason]
    return TrialResult(record: record, fault: TrialFault(reason: reason))
  }
}
