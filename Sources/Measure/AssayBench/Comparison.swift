import AssayBase
import AssayHost
import AssayRecord
import AssayRuntime
import AssayStatistics

/// Measures configurations against each other.
///
/// Each has a worker of its own that lives for the whole comparison. Rounds visit all live workers in
/// a new random order, so that the machine's drift hits all alike. When memory does not hold all
/// workers at once they are measured in groups.
public struct Comparison: Sendable {
  /// How thoroughly.
  public var preset: Preset
  /// Seed of the order of turns.
  public var seed: UInt64
  /// Runs of the profiler for each configuration; 0 for none.
  public var profiledRuns: Int
  /// A folder for outputs of evaluations.
  public var folder: String
  /// The command line that records keep.
  public var command: [String]
  /// How long a worker may be silent beyond what a step may take by its limits, seconds.
  public var patience = 300.0
  /// Memory that must stay free when another worker is started, bytes.
  public var reserve: Int
  /// Starts of fresh workers, cold and warm each, that are measured for every configuration.
  public var starts = 0
  /// Whether a block is run under the counters of processor and kernel.
  public var countsEvents = false
  /// A picture whose way through the model is measured.
  public var pipeline: PipelineRequest?
  /// Whether it ends with what is measured by then when the user asks this process to stop
  /// (`Host.catchInterrupts`); a sweep's trials are whole or not there.
  public var stopsWhenInterrupted = false
  /// A long load in place of the rounds, one configuration after the other; `nil` for rounds.
  public var sustained: SustainedLoad?
  /// Whether self-tests of the measured sessions are run.
  public var audits = false
  /// How precisely a percentile is wanted; `nil` for the preset's rounds and no more.
  public var narrowing: Narrowing?
  /// What a device tells of itself, in place of this machine's facts; `nil` to measure on this machine.
  public var deviceFacts: JSON?
  /// What looks on and adds to the records.
  public var watchers: [any BenchWatcher] = []
  /// Starts a worker.
  public var makeWorker: @Sendable (Configuration) throws -> any WorkerLink
  /// Free memory, bytes; `nil` when the system does not tell.
  public var availableMemory: @Sendable () -> Int?

  /// A comparison whose workers are processes.
  ///
  /// - Parameters:
  ///   - executable: a program that serves `Worker` when it is started with `arguments`.
  ///   - folder: where outputs of evaluations are written.
  public init(
    preset: Preset,
    seed: UInt64 = 1,
    profiledRuns: Int = 20,
    folder: String,
    command: [String],
    executable: String,
    arguments: [String] = ["worker"]
  ) {
    self.preset = preset
    self.seed = seed
    self.profiledRuns = profiledRuns
    self.folder = folder
    self.command = command
    reserve = 512 << 20
    makeWorker = { _ in try ProcessWorker(executable: executable, arguments: arguments) }
    availableMemory = { Host.availableMemory() }
  }

  /// Measures all of them.
  ///
  /// - Parameters:
  ///   - progress: called between steps, never while anything is timed.
  ///   - finished: called with each record as soon as it is whole.
  /// - Returns: a record for each configuration, in their order.
  public func run(
    _ configurations: [Configuration],
    progress: (BenchProgress) -> Void = { _ in },
    finished: (Measured) throws -> Void = { _ in }
  ) rethrows -> [Measured] {
    let session = SessionID.make()
    let environment = environment(session)
    let trials = configurations.enumerated().map { index, configuration in
      Trial(
        configuration,
        session: session,
        index: index,
        command: command,
        patience: patience,
        watchers: watchers
      )
    }
    for watcher in watchers { watcher.comparisonBegins(configurations) }
    defer { for watcher in watchers { watcher.comparisonEnds() } }
    for trial in trials { trial.record.environment = environment }
    var meter = ProgressMeter(total: trials.count * (preset.rounds + 2))
    var random = SeededRNG(seed: seed)
    var results: [String: Measured] = [:]
    var waiting = trials[...]
    while !waiting.isEmpty {
      var group: [Trial] = []
      while let trial = waiting.first, group.isEmpty || hasRoom(after: group) {
        waiting.removeFirst()
        progress(meter.step("preparing \(trial.configuration.title)"))
        trial.measureStarts(starts, isElsewhere: deviceFacts != nil) {
          try makeWorker(trial.configuration)
        }
        trial.start({ try makeWorker(trial.configuration) }, preset)
        group.append(trial)
      }
      for _ in 0..<(sustained == nil ? preset.rounds : 0) where !isInterrupted {
        for trial in group.shuffled(using: &random) {
          progress(meter.step(trial.configuration.title))
          trial.turn(preset)
        }
      }
      if let sustained {
        for trial in group {
          trial.sustain(sustained, isStopped: { isInterrupted }) { part in
            progress(
              BenchProgress(
                done: Int(part * 100),
                total: 100,
                current: "load on \(trial.configuration.title)",
                secondsLeft: Double(sustained.duration) * max(1 - part, 0) / 1e9
              )
            )
          }
        }
      } else if let narrowing {
        narrow(group, narrowing, &random) { title in
          meter.total += 1
          progress(meter.step(title))
        }
      }
      for trial in group {
        progress(meter.step("finishing \(trial.configuration.title)"))
        if isInterrupted {
          trial.record.reasons.append(
            Diagnostic(
              "BEN145",
              "it was stopped before it was whole",
              remedy: "the figures are of what was measured by then",
              severity: .warning
            )
          )
        } else {
          if countsEvents { trial.count(preset) }
          if audits { trial.audit(seed: seed) }
          if let pipeline { trial.run(pipeline) }
        }
        let outputs = Host.join(folder, "\(trial.record.id).npz")
        trial.finish(profiledRuns: isInterrupted ? 0 : profiledRuns, outputs: outputs)
        if deviceFacts == nil {
          trial.record.environment["loadAfter"] = Host.loadAverage().map { JSON($0) } ?? .null
        }
        let measured = Measured(record: judged(trial.record), outputs: trial.outputs)
        results[measured.record.id] = measured
        try finished(measured)
      }
    }
    return trials.compactMap { results[$0.record.id] }
  }

  /// Further rounds for those whose percentile is not known as well as wanted, while that can help.
  private func narrow(
    _ group: [Trial],
    _ rule: Narrowing,
    _ random: inout SeededRNG,
    progress: (String) -> Void
  ) {
    while true {
      let unfinished = group.filter { $0.isAlive && $0.needsRounds(rule) }
      if unfinished.isEmpty || isInterrupted { break }
      for trial in unfinished.shuffled(using: &random) {
        progress(trial.configuration.title)
        trial.turn(preset)
      }
    }
    for trial in group where trial.isAlive { trial.noteStopping(rule) }
  }

  private var isInterrupted: Bool { stopsWhenInterrupted && Host.isInterrupted }

  /// Whether another worker fits beside those that live.
  private func hasRoom(after group: [Trial]) -> Bool {
    guard group.count < 64 else { return false }
    guard let free = availableMemory() else { return true }
    return free > reserve
  }

  private func environment(_ session: String) -> JSON {
    var environment = deviceFacts ?? MachineInfo.current().json
    environment["clock"] = "CLOCK_MONOTONIC_RAW"
    environment["preset"] = .string(preset.name)
    environment["seed"] = .integer(Int64(bitPattern: seed))
    // What this machine does while a device works is no fact of the measurement.
    guard deviceFacts == nil else { return environment }
    environment["loadBefore"] = Host.loadAverage().map { JSON($0) } ?? .null
    environment["nullSessionNs"] = nullSession().map { .integer($0) } ?? .null
    return environment
  }

  /// The median cost of a session that does nothing: what the loop itself adds to every sample.
  private func nullSession() -> Int64? {
    let loop = TimedLoop(capacity: 20_000)
    let limits = BlockLimits(
      minimumCount: 20_000,
      minimumNanoseconds: 0,
      maximumCount: 20_000,
      maximumNanoseconds: 1_000_000_000
    )
    let samples = try? Host.onOwnThread { () throws -> [Int64] in
      try loop.run(NullSession(), limits)
      return loop.samples
    }
    return samples.map { Steadiness.median($0) }
  }
}

/// Names for comparisons that sort by time.
enum SessionID {
  /// Milliseconds since 1970 and 40 random bits, in base 32.
  static func make() -> String {
    let milliseconds = UInt64(max(Host.wallNanoseconds() / 1_000_000, 0))
    return text(milliseconds, digits: 9)
      + text(UInt64.random(in: 0..<(1 << 40)), digits: 8)
  }

  private static func text(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 32, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

/// Counts steps and estimates the time left.
private struct ProgressMeter {
  var total: Int
  private var done = 0
  private let start = Host.monotonicNanoseconds()

  init(total: Int) { self.total = total }

  mutating func step(_ current: String) -> BenchProgress {
    defer { done += 1 }
    let elapsed = Double(Host.monotonicNanoseconds() - start) / 1e9
    let left = done > 2 ? elapsed / Double(done) * Double(total - done) : nil
    return BenchProgress(done: done, total: total, current: current, secondsLeft: left)
  }
}
