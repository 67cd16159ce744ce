import AssayBase
import AssayHost
import AssayRecord
import AssayRuntime

/// One configuration while it is measured.
final class Trial {
  let configuration: Configuration
  var record: Record
  var outputs: String?
  private(set) var worker: (any WorkerLink)?
  private var null = JSON.emptyObject
  private var isFailed = false
  let patience: Double
  private var othersBusy: [Double] = []
  private let watchers: [any BenchWatcher]

  init(
    _ configuration: Configuration,
    session: String,
    index: Int,
    command: [String],
    patience: Double = 300,
    watchers: [any BenchWatcher] = []
  ) {
    self.configuration = configuration
    self.patience = patience
    self.watchers = watchers
    let digits = String(index)
    record = Record(
      id: "\(session)-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)",
      session: session,
      finishedAt: 0,
      model: configuration.model,
      artefact: configuration.artefact,
      variant: configuration.variant,
      runtime: configuration.runtime,
      version: "unknown",
      provider: configuration.provider.rawValue,
      device: configuration.device,
      threads: configuration.threads
    )
    record.command = command
    record.scenario = configuration.scenario
    record.accelerator = configuration.accelerator
  }

  /// Whether it still has a worker to measure with.
  var isAlive: Bool { worker != nil && !isFailed }

  /// Does one step; a failure becomes a reason of the record and ends the worker.
  func step(_ body: (any WorkerLink) throws -> Void) {
    guard let worker, !isFailed else { return }
    do {
      try body(worker)
    } catch {
      fail(error)
    }
  }

  func fail(_ error: any Error) {
    isFailed = true
    record.reasons.append(
      (error as? Diagnostic) ?? Diagnostic("BEN001", "\(error)")
    )
    end()
  }

  func end() {
    worker?.end()
    worker = nil
  }

  /// Starts the worker, loads, runs for the first time and warms up.
  func start(_ make: () throws -> any WorkerLink, _ preset: Preset) {
    do {
      worker = try make()
    } catch {
      fail(error)
      return
    }
    step { worker in
      null = try worker.ask(.object(["do": "hello"]), seconds: patience)
      try bind(worker)
      let loaded = try worker.ask(configuration.loadRequest, seconds: patience)
      record.version = loaded["version"]?.string ?? "unknown"
      record.placement = loaded["placement"] ?? .null
      noteAccelerator(loaded["accelerator"], isBefore: true)
      noteInputs(loaded)
      record.initialization.read = figure(loaded["read"])
      record.initialization.compile = figure(loaded["compile"])
      _ = try worker.ask(configuration.feedRequest, seconds: patience)
      record.initialization.first = figure(
        try worker.ask(.object(["do": "first"]), seconds: patience)["ns"]
      )
      try measureMemory(worker)
      let seconds = patience + Double(preset.warmup.maximumNanoseconds) / 1e9
      let warm = try worker.ask(preset.warmup.request("warmup"), seconds: seconds)
      record.warmup = samples(warm)
      if !Steadiness.isSettled(record.warmup) {
        record.reasons.append(
          Diagnostic(
            "BEN102",
            "latencies had not settled when the warm-up ended",
            remedy: "quiet the machine, or measure with --preset strict",
            severity: .warning
          )
        )
      }
    }
    if isAlive {
      for watcher in watchers { watcher.trialBegins(configuration, record: record.id) }
    }
  }

  /// One turn.
  func turn(_ preset: Preset) {
    guard isAlive else { return }
    for watcher in watchers { watcher.turnBegins(record: record.id) }
    let turns = record.windows.count
    defer {
      let window = record.windows.count > turns ? record.windows.last : nil
      for watcher in watchers { watcher.turnEnds(record: record.id, window: window) }
    }
    step { worker in
      var request = preset.block.request("block")
      request["rewarmNs"] = JSON(Int(preset.rewarmNanoseconds))
      addScenario(to: &request)
      let seconds = patience + Double(preset.block.maximumNanoseconds) / 1e9
      let answer = try worker.ask(request, seconds: seconds)
      let taken = samples(answer)
      if let others = answer["othersBusy"]?.double { othersBusy.append(others) }
      noteQueue(answer, count: taken.count)
      record.samples += taken
      record.rounds.append(taken.count)
      if let uncertainty = answer["clockUncertaintyNs"]?.double {
        let before = record.environment["clockUncertaintyNs"]?.double ?? 0
        record.environment["clockUncertaintyNs"] = .number(max(before, uncertainty))
      }
      if let begin = answer["begin"]?.int, let end = answer["end"]?.int {
        record.windows.append(Record.Window(begin: Int64(begin), end: Int64(end)))
      }
    }
  }

  /// Peak memory of loading, compiling and the first inference.
  ///
  /// Asked before samples are taken: their buffers are the harness's and not the runtime's.
  private func measureMemory(_ worker: any WorkerLink) throws {
    let answer = try worker.ask(.object(["do": "memory"]), seconds: patience)
    let peak = answer["peak"]?.int ?? 0
    let nullPeak = null["peak"]?.int ?? 0
    record.peakMemoryBytes =
      peak > 0 && nullPeak > 0
      ? .value(max(peak - nullPeak, 0))
      : .missing(reason: "the system does not tell the peak of memory")
    var memory = Record.Memory(null: null, loaded: answer)
    memory.groupPeak = record.memory?.groupPeak ?? memory.groupPeak
    record.memory = memory
  }

  /// Outputs and operator times, after the last turn; then the worker ends.
  func finish(profiledRuns: Int, outputs path: String) {
    if let evaluation = configuration.evaluation {
      step { worker in
        let request = JSON.object([
          "do": "evaluate", "inputs": .string(evaluation), "outputs": .string(path),
        ])
        _ = try worker.ask(request, seconds: patience * 12)
        outputs = path
      }
    }
    if !othersBusy.isEmpty {
      record.environment["othersBusy"] = JSON(
        othersBusy.reduce(0, +) / Double(othersBusy.count)
      )
    }
    // Only a profile tells how much of a model an accelerator really took.
    let runs = configuration.provider == .cpu ? profiledRuns : max(profiledRuns, 1)
    if runs > 0, isAlive {
      profile(runs)
    }
    if record.accelerator != nil, isAlive {
      let answer = try? worker?.ask(.object(["do": "accelerator"]), seconds: patience)
      noteAccelerator(answer?["accelerator"], isBefore: false)
    }
    end()
    for watcher in watchers { watcher.trialEnds(&record) }
    record.finishedAt = Host.wallNanoseconds()
  }

  /// Keeps what the accelerator tells.
  private func noteAccelerator(_ facts: JSON?, isBefore: Bool) {
    guard let facts, let kind = facts["kind"]?.string else { return }
    var accelerator = record.accelerator ?? Record.Accelerator(kind: kind)
    accelerator.note(facts)
    if let celsius = facts["celsius"]?.double {
      if isBefore { accelerator.celsiusBefore = .value(celsius) }
      accelerator.celsiusAfter = .value(celsius)
    }
    record.accelerator = accelerator
  }

  /// A profile that fails costs the profile, not the record.
  private func profile(_ runs: Int) {
    do {
      let answer = try worker?.ask(
        .object(["do": "profile", "runs": JSON(runs)]),
        seconds: patience
      )
      // A profile counts the operators of each path, where the session only named the path.
      if let placement = answer?["placement"], placement["total"]?.int != nil {
        record.placement = placement
      }
      if let operators = answer?["operators"], operators.array?.isEmpty == false {
        record.operators = operators
        record.environment["profiledNs"] = answer?["profiledNs"]
      }
    } catch {
      record.reasons.append(
        Diagnostic(
          "BEN120",
          "operators could not be profiled",
          cause: "\(error)",
          severity: .note
        )
      )
    }
  }

  private func figure(_ value: JSON?) -> Figure<Int64> {
    value?.int.map { .value(Int64($0)) } ?? .missing(reason: "the runtime does not tell")
  }

  private func samples(_ answer: JSON) -> [Int64] {
    (answer["samples"]?.array ?? []).compactMap { $0.int.map { Int64($0) } }
  }
}
