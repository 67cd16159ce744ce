import AssayBase
import AssayBench
import AssayHost
import AssayRecord

extension SweepPlan.Limits {
  /// Measures one trial in a worker process that has these limits.
  ///
  /// - Parameters:
  ///   - configuration: what is measured.
  ///   - comparison: how it is measured; its worker gets the limits.
  ///   - executable: serves `Worker` when it is started with `arguments`; `nil` for the comparison's own
  ///     workers, whose memory somebody else watches, as those of another device.
  ///   - isWanted: asked before each step; a trial that nobody wants any more fails with JOB012.
  ///   - finished: completes the record by what the worker's outputs tell.
  public func measure(
    _ configuration: Configuration,
    _ comparison: Comparison,
    executable: String?,
    arguments: [String] = [],
    step: (BenchProgress) -> Void,
    renew: () -> Bool,
    isWanted: @escaping @Sendable () -> Bool = { true },
    finished: (Measured) -> Record
  ) -> TrialResult {
    let deadline = Host.monotonicNanoseconds() + UInt64(seconds * 1e9)
    let time = seconds
    let words = arguments + (memory.map { ["--memory-limit", "\($0)"] } ?? [])
    let ends = WorkerEnds()
    var comparison = comparison
    comparison.patience = min(comparison.patience, seconds)
    let make = comparison.makeWorker
    comparison.makeWorker = { configuration in
      let worker: any WorkerLink
      if let executable {
        let process = try ProcessWorker(executable: executable, arguments: words)
        ends.watch(process)
        worker = process
      } else {
        worker = try make(configuration)
      }
      return LimitedWorker(worker, deadline: deadline, seconds: time, isWanted: isWanted)
    }
    var lastRenewal = Host.monotonicNanoseconds()
    let measured = comparison.run(
      [configuration],
      progress: { progress in
        step(progress)
        // Between steps nothing is timed; a sync every few seconds is enough for a lease of minutes.
        if Host.monotonicNanoseconds() - lastRenewal > 10_000_000_000 {
          _ = renew()
          lastRenewal = Host.monotonicNanoseconds()
        }
      },
      finished: { _ in }
    )
    guard let first = measured.first else {
      preconditionFailure("a comparison gives a record for each configuration")
    }
    var record = finished(first)
    guard let place = record.reasons.firstIndex(where: { TrialFault.codes.contains($0.code) })
    else { return TrialResult(record: record) }
    if let memory, isOutOfMemory(record.reasons[place]) {
      record.reasons[place] = Diagnostic(
        "JOB011",
        "the runtime wanted more than \(memory) bytes of memory, the trial's limit",
        remedy: "raise limits.memory in the plan, or leave this combination out",
        cause: [record.reasons[place].summary, record.reasons[place].cause]
          .compactMap(\.self).joined(separator: "\n")
      )
    }
    return TrialResult(
      record: record,
      fault: TrialFault(reason: record.reasons[place], end: ends.text)
    )
  }

  /// Whether a worker that ended had asked for memory in vain: C++ says so as it ends.
  private func isOutOfMemory(_ reason: Diagnostic) -> Bool {
    let words = reason.cause ?? ""
    return reason.code == "BEN112" || words.contains("bad_alloc") || words.contains("out of memory")
      || words.contains("Cannot allocate memory")
  }
}

/// How the workers of a trial ended.
private final class WorkerEnds: @unchecked Sendable {
  // Safe because: the comparison starts and ends workers on the thread that reads this.
  private var workers: [ProcessWorker] = []

  func watch(_ worker: ProcessWorker) { workers.append(worker) }

  /// The last worker's end, when a signal or a failing status was it.
  var text: String? {
    guard let end = workers.last?.processEnd, end != .exited(0) else { return nil }
    return end.text
  }
}
