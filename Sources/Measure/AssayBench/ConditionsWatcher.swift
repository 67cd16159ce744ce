import AssayBase
import AssayHost
import AssayMachine
import AssayRecord
import Synchronization

/// Looks at the machine's state before, between and after turns, and joins it to the records.
///
/// What it reads between turns is one small file; the rest is read before the first worker is started
/// and after a trial's worker has ended.
public final class ConditionsWatcher: BenchWatcher {
  /// What is done about a bad state.
  public let policy: PreflightPolicy
  /// The state before.
  public let before: Conditions
  /// What was wrong with it.
  public let findings: [Diagnostic]

  private let files: SystemFiles
  private let folder: String?
  private let start: UInt64
  private let frequencies = Mutex<[String: ClosedRange<Int>]>([:])

  /// Looks at the machine.
  ///
  /// - Parameters:
  ///   - threads: the greatest number of threads that a configuration asks for.
  ///   - folder: where results are kept.
  ///   - watch: how long others are watched, nanoseconds.
  /// - Throws: `Diagnostics` PRE1xx when the policy is strict and something must be remedied first.
  public init(
    policy: PreflightPolicy,
    threads: Int,
    folder: String? = nil,
    files: SystemFiles = SystemFiles(),
    watch: UInt64 = 200_000_000
  ) throws {
    self.policy = policy
    self.files = files
    self.folder = folder
    before = Conditions(files, folder: folder, watch: watch)
    let preflight = Preflight(before, threads: threads)
    findings = preflight.findings
    start = Host.monotonicNanoseconds()
    if policy == .strict { try Diagnostics(preflight.obstacles).throwIfErrors() }
  }

  /// Reads the frequency of the first allowed processor, which still is what the turn had.
  public func turnEnds(record: String, window: Record.Window?) {
    guard let first = before.allowed.first,
      let now = files.int("/sys/devices/system/cpu/cpu\(first)/cpufreq/scaling_cur_freq")
    else { return }
    frequencies.withLock { table in
      let known = table[record] ?? now...now
      table[record] = min(known.lowerBound, now)...max(known.upperBound, now)
    }
  }

  /// Joins the state to a record, with what is wrong among its reasons.
  public func trialEnds(_ record: inout Record) {
    let after = Conditions(files, folder: folder)
    let postflight = Postflight(
      before: before,
      after: after,
      elapsedNanoseconds: Host.monotonicNanoseconds() &- start
    )
    record.conditions = Record.Conditions(
      policy: policy.rawValue,
      before: before.json,
      after: after.json,
      frequencyKHz: frequencies.withLock { $0[record.id] },
      stealShare: postflight.stealShare.map { .value($0) }
        ?? .missing(reason: "the system does not tell, or the time was too short")
    )
    record.reasons += findings + postflight.findings(policy)
  }
}
