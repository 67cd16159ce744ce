import AssayBase
import AssayBench
import AssayCatalog
import AssayDevice
import AssayHost
import AssayJobs
import AssayMachine
import AssayRecord
import AssayRemote
import AssayRuntime
import AssayStore

/// Runs trials of a sweep on this machine.
struct SweepWork {
  let layout: SweepLayout
  let shop: SweepShop
  let store: any Store
  let device: String
  let boards: SweepBoards
  let console: Console

  /// Works until nothing is left or something ends it.
  func run(most: Int?, isRetrying: Bool) throws -> SweepEnd {
    let plan = layout.plan
    if isRetrying {
      let count = try store.reopen(sweep: plan.id)
      console.note("\(count) trial\(count == 1 ? "" : "s") that were given up wait again")
    }
    var runner = SweepRunner(
      store: store,
      sweep: plan.id,
      devices: try ownDevices() + boards.ledgerDevices
    )
    runner.limits = plan.limits
    runner.budget = plan.budget
    runner.cooldown = plan.cooldown
    runner.mostTrials = most
    if plan.cooldown.below != nil || plan.budget.temperature != nil, SweepRunner.hottest() == nil {
      console.note("this machine tells no temperature: the plan's limits of it have no effect")
    }
    guard let executable = Host.executablePath else {
      throw Diagnostic("HST032", "this system does not tell where assay itself lies")
    }
    let scratch = try Scratch()
    defer { scratch.remove() }
    var meter = try SweepMeter(try store.progress(sweep: plan.id, devices: runner.devices), store)
    Host.catchInterrupts()
    let end = try runner.run({ show($0, &meter) }) { trial, _, renew in
      try measure(
        trial,
        folder: scratch.path,
        executable: executable,
        step: { show(meter.line, console) },
        renew: renew
      )
    }
    console.endProgress()
    return end
  }

  /// Measures one trial, here or on its device.
  private func measure(
    _ trial: TrialSpecification,
    folder: String,
    executable: String,
    step: () -> Void,
    renew: () -> Bool
  ) throws -> TrialResult {
    let board: DeviceSession?
    do {
      board = try boards.board(trial.cell.device)
      if let board {
        try boards.begin(board, trial.cell.device, store)
        step()
      }
    } catch let fault as Diagnostic {
      // The device is away; others go on.
      return unreachable(trial, fault)
    }
    guard version(of: trial.cell.runtime, on: board) == trial.library else {
      throw Diagnostic(
        "JOB008",
        "the plan was laid out with \(trial.cell.runtime) \(trial.library), which is not here",
        remedy: "install that version, or lay the plan out anew with this one"
      )
    }
    let scenario = try SweepScenario.options(trial.cell.scenario)
    var configuration = trial.configuration
    configuration.device = trial.cell.device
    configuration.scenario = scenario.scenario
    let plan = layout.plan
    let preset = Preset.all.first { $0.name == trial.preset } ?? .standard
    var comparison = Comparison(
      preset: scenario.applied(to: preset),
      seed: plan.seed &+ UInt64(trial.repetition),
      profiledRuns: 0,
      folder: folder,
      command: ["assay"] + CommandLine.arguments.dropFirst(),
      executable: executable
    )
    comparison.reserve = 0
    comparison.startPrograms()
    // A sweep goes on beside a bad state of the machine; its records say so.
    if let board {
      comparison.place(on: board)
    } else {
      comparison.watchers.append(
        try ConditionsWatcher(
          policy: .tag,
          threads: trial.cell.threads,
          folder: AssayHome.path
        )
      )
    }
    comparison.narrowing = scenario.narrowing
    var meters: DeviceLease?
    defer { meters?.release() }
    if trial.cell.meter != "none" {
      do {
        meters = try meterLease(trial.cell.meter, store, console)
        let watcher = try energyWatcher(trial.cell, on: board)
        watcher.lengthenTurns(&comparison.preset)
        comparison.watchers.append(watcher)
      } catch let reason as Diagnostic {
        // A meter that is busy or was pulled out fails its trials, not the sweep.
        var record = trial.emptyRecord(
          id: "\(plan.id)-\(Host.wallNanoseconds())",
          session: plan.id
        )
        record.reasons = [reason]
        return TrialResult(record: record, fault: TrialFault(reason: reason))
      }
    }
    let result = plan.limits.measure(
      configuration,
      comparison,
      // A device's workers are the comparison's own, and so are programs.
      executable: board == nil && Catalog.program(trial.cell.runtime) == nil ? executable : nil,
      arguments: ["worker"],
      step: { _ in step() },
      renew: renew,
      finished: { complete($0, trial) }
    )
    // A lost device ends this trial; whether it comes back decides about the next.
    if let board, let fault = result.fault, DeviceFault.ofTheWay.contains(fault.reason.code) {
      boards.recover(board, trial.cell.device, console)
    }
    return result
  }

  /// This machine's own names in the ledger; none where a plan has only devices that it drives.
  private func ownDevices() throws -> [String] {
    let isInPlan = layout.plan.devices.contains { $0.name == device }
    return isInPlan || boards.ledgerDevices.isEmpty ? try layout.devices(device) : []
  }

  /// A trial whose device cannot be reached.
  private func unreachable(_ trial: TrialSpecification, _ fault: Diagnostic) -> TrialResult {
    var record = trial.emptyRecord(
      id: "\(layout.plan.id)-\(trial.key.prefix(16))-\(Host.wallNanoseconds())",
      session: layout.plan.id
    )
    record.reasons = [fault]
    return TrialResult(record: record, fault: TrialFault(reason: fault))
  }

  /// The runtime's version where a trial runs; `nil` when it is not there.
  private func version(of runtime: String, on board: DeviceSession?) -> String? {
    if let board { return board.version(of: runtime) }
    let probe = Catalog.runtimes.first { $0.id == runtime }?.probe()
    guard case .available(let version)? = probe else { return nil }
    return version
  }

  /// The meters of a combination, opened.
  private func energyWatcher(
    _ cell: SweepCell,
    on board: DeviceSession?
  ) throws -> EnergyWatcher {
    let named = try board.map { try deviceMeters(cell.meter, on: $0) } ?? namedMeters(cell.meter)
    return try EnergyWatcher(
      EnergyPlan(
        meters: named.map { EnergyPlan.Meter($0.meter, $0.options) },
        threads: cell.threads
      )
    )
  }

  /// A trial's record with its device and how its outputs compare.
  private func complete(_ measured: Measured, _ trial: TrialSpecification) -> Record {
    var record = measured.record
    record.device = trial.cell.device
    // The records of a sweep belong together, whenever each was measured.
    record.session = layout.plan.id
    if trial.cell.batch != 1 { record.environment["batch"] = JSON(trial.cell.batch) }
    record.environment["assay"] = .string(assayVersion)
    guard let outputs = measured.outputs else { return record }
    defer { try? Host.remove(outputs) }
    do {
      guard let data = try shop.source(trial.cell.model).data else { return record }
      let graph = try importModel(path: trial.artefact.path).graph
      let judgement = try Judgement(outputs: outputs, graph: graph, data: data)
      record.accuracy = judgement.accuracy
      record.accuracyCount = judgement.count
      record.agreement = judgement.agreement
      record.snrDb = judgement.snrDb
    } catch {
      record.reasons.append(
        (error as? Diagnostic) ?? Diagnostic("BEN130", "\(error)", severity: .warning)
      )
    }
    return record
  }

  private func show(_ line: String, _ console: Console) { console.progress(line) }

  private func show(_ event: SweepEvent, _ meter: inout SweepMeter) {
    switch event {
    case .begins(let trial, let attempt):
      meter.begin(trial.title + (attempt > 1 ? ", attempt \(attempt)" : ""))
      console.progress(meter.line)
    case .step(let text), .waits(let text): console.progress("\(meter.line): \(text)")
    case .stored(_, let seconds): meter.finish(seconds)
    case .failed(let trial, let fault):
      console.endProgress()
      console.report(warning(fault.reason, trial, "it is tried again after the others"))
    case .givenUp(let trial, let reason):
      meter.finish(0)
      console.endProgress()
      console.report(warning(reason, trial, reason.remedy ?? "see the record"))
    }
  }

  private func warning(
    _ reason: Diagnostic,
    _ trial: TrialSpecification,
    _ remedy: String
  ) -> Diagnostic {
    var copy = reason.inside(trial.title)
    copy.severity = .warning
    copy.remedy = remedy
    return copy
  }
}

/// How far a sweep is, with the time left.
struct SweepMeter {
  private let total: Int
  private var done: Int
  private var spent: [Double] = []
  private var current = ""
  private let costs: CostModel

  init(_ progress: LedgerProgress, _ store: any Store) throws {
    total = progress.total
    done = progress.finished + progress.closed
    costs = CostModel(try store.finishedDetails(limit: 2000))
  }

  mutating func begin(_ title: String) { current = title }

  mutating func finish(_ seconds: Double) {
    done += 1
    if seconds > 0 { spent.append(seconds) }
  }

  /// The line that a terminal shows.
  var line: String {
    var left = ""
    if !spent.isEmpty {
      let mean = spent.reduce(0, +) / Double(spent.count)
      left = ", \(Text.duration(mean * Double(max(total - done, 0)) * 1e9)) left"
    }
    return "[\(min(done + 1, total))/\(total)\(left)] \(current)"
  }
}
