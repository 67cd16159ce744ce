import AssayBase
import AssayHost
import AssayMachine
import AssayRecord
import AssayStore

/// What measuring one trial gave.
public struct TrialResult: Sendable {
  /// The record; whole, whatever its verdict.
  public var record: Record
  /// How the worker failed; `nil` when the record says all.
  public var fault: TrialFault?

  /// Makes a result.
  public init(record: Record, fault: TrialFault? = nil) {
    self.record = record
    self.fault = fault
  }
}

/// How a sweep ended.
public enum SweepEnd: Sendable, Equatable {
  /// Every trial that this process may run has its record or was given up.
  case complete
  /// The user asked for it.
  case interrupted
  /// The time was over.
  case outOfTime
  /// The machine stayed too hot.
  case tooHot(degrees: Double)
  /// As many trials as were asked for are done.
  case enough
  /// What is left is held by others.
  case othersWork
}

/// What happens in a sweep, for those who show it.
public enum SweepEvent: Sendable {
  /// A trial begins.
  case begins(TrialSpecification, attempt: Int)
  /// A step of the trial, in words.
  case step(String)
  /// A trial's record was stored.
  case stored(Record, seconds: Double)
  /// An attempt failed and will be made again later.
  case failed(TrialSpecification, TrialFault)
  /// A trial was given up.
  case givenUp(TrialSpecification, Diagnostic)
  /// The process waits before the next trial.
  case waits(String)
}

/// Works off a sweep's ledger, one trial after the other, until nothing is left.
///
/// Several runners, on several machines, may work off one ledger. At whatever moment one is killed, each
/// trial ends up with exactly one record.
public struct SweepRunner {
  /// Measures one trial: `renew` is to be called between steps, never while anything is timed; it
  /// lengthens the lease, and says whether the trial is still this runner's.
  public typealias Measure = (
    _ trial: TrialSpecification, _ claim: LedgerClaim, _ renew: () -> Bool
  ) throws -> TrialResult

  /// The store with the ledger.
  public let store: any Store
  /// The sweep's id.
  public let sweep: String
  /// The devices of the ledger that this process can run trials for.
  public let devices: [String]
  /// Limits of each trial.
  public var limits = SweepPlan.Limits()
  /// When the work ends early.
  public var budget = SweepPlan.Budget()
  /// What happens between trials.
  public var cooldown = SweepPlan.Cooldown()
  /// At most so many trials; `nil` for all.
  public var mostTrials: Int?
  /// Who holds the trials that this runner takes.
  public var holder = Host.ProcessIdentity.current.text
  /// Whether a holder is known to be gone.
  public var isGone: (String) -> Bool = {
    Host.ProcessIdentity(text: $0)?.isGone ?? false
  }
  /// Whether the user wants to stop.
  public var isInterrupted: () -> Bool = { Host.isInterrupted }
  /// The machine's temperature.
  public var temperature: () -> Double? = { SweepRunner.hottest() }
  /// Waits.
  public var sleep: (Double) -> Void = { Host.sleep(nanoseconds: UInt64(max($0, 0) * 1e9)) }

  /// Makes a runner.
  public init(store: any Store, sweep: String, devices: [String]) {
    self.store = store
    self.sweep = sweep
    self.devices = devices
  }

  /// The temperature of the machine's hottest part, degrees Celsius; `nil` when it tells none.
  public static func hottest() -> Double? {
    Thermal(SystemFiles()).zones.map(\.temperature).max().map { Double($0) / 1000 }
  }

  /// How long a holder may be silent, nanoseconds: longer than any step of a trial may take.
  private var lease: Int64 { Int64((limits.seconds + 60) * 1e9) }

  /// Works until one of the ends is reached.
  ///
  /// - Throws: the store's faults; the trial under way is then another runner's, or this one's at the
  ///   next start.
  public func run(_ report: (SweepEvent) -> Void, measure: Measure) throws -> SweepEnd {
    let start = Host.monotonicNanoseconds()
    var done = 0
    var givenUp = try groupsGivenUp()
    while true {
      if isInterrupted() { return .interrupted }
      if let most = mostTrials, done >= most { return .enough }
      if let seconds = budget.seconds, elapsed(start) >= seconds { return .outOfTime }
      if done > 0 || cooldown.below != nil || budget.temperature != nil,
        let end = coolDown(isFirst: done == 0, report)
      {
        return end
      }
      guard
        let claim = try store.claim(
          sweep: sweep,
          devices: devices,
          holder: holder,
          lease: lease,
          isGone: isGone
        )
      else {
        let progress = try store.progress(sweep: sweep, devices: devices)
        return progress.claimed > 0 ? .othersWork : .complete
      }
      let trial = try TrialSpecification(json: claim.trial.specification)
      if let reason = refusal(trial, claim, givenUp) {
        try close(trial, claim, refused(trial, claim, reason), reason, end: nil)
        givenUp[trial.group] = reason
        report(.givenUp(trial, reason))
        continue
      }
      report(.begins(trial, attempt: claim.attempt))
      try store.start(claim)
      let begin = Host.monotonicNanoseconds()
      var result = try measure(trial, claim) { (try? store.renew(claim, lease: lease)) ?? false }
      let seconds = elapsed(begin)
      result.record.trial = Record.Trial(
        key: claim.trial.key,
        sweep: sweep,
        repetition: trial.repetition,
        attempt: claim.attempt
      )
      guard let fault = result.fault else {
        let detail = trial.cost(seconds: seconds, verdict: result.record.verdict)
        if try store.finish(claim, result.record, detail: detail, isClosing: false) {
          report(.stored(result.record, seconds: seconds))
        }
        done += 1
        continue
      }
      if isInterrupted() {
        // A worker that ended while the user stopped everything says nothing about the runtime.
        try store.release(claim)
        return .interrupted
      }
      if claim.failures + 1 < limits.attempts {
        var detail = fault.json
        detail["seconds"] = JSON(seconds)
        try store.fail(claim, detail: detail)
        report(.failed(trial, fault))
      } else {
        result.record.trial?.isGivenUp = true
        try close(trial, claim, result.record, fault.reason, end: fault.end)
        givenUp[trial.group] = fault.reason
        report(.givenUp(trial, fault.reason))
      }
      done += 1
    }
  }

  private func elapsed(_ start: UInt64) -> Double {
    Double(Host.monotonicNanoseconds() - start) / 1e9
  }

  /// Combinations that were given up, with the reason: their further repetitions would do the same.
  private func groupsGivenUp() throws -> [String: Diagnostic] {
    var groups: [String: Diagnostic] = [:]
    for event in try store.events(sweep: sweep) {
      guard let group = event.detail["group"]?.string else { continue }
      switch event.kind {
      case .closed: groups[group] = event.detail["reason"].flatMap { Diagnostic(json: $0) }
      default: break
      }
    }
    // Those that were reopened are wanted once more, with their repetitions.
    var waiting: Set<String> = []
    let reopened = Set(try store.events(sweep: sweep).filter { $0.kind == .reopened }.map(\.trial))
    for (trial, state) in try store.trials(sweep: sweep)
    where state == "waiting" && reopened.contains(trial.key) {
      if let group = try? TrialSpecification(json: trial.specification).group {
        waiting.insert(group)
      }
    }
    for group in waiting { groups[group] = nil }
    return groups
  }

  /// Why a trial is not begun at all.
  private func refusal(
    _ trial: TrialSpecification,
    _ claim: LedgerClaim,
    _ givenUp: [String: Diagnostic]
  ) -> Diagnostic? {
    if let reason = givenUp[trial.group] {
      return Diagnostic(
        "JOB021",
        "another repetition of this combination was given up (\(reason.code)); it is not tried again",
        remedy: "mend the cause, then assay sweep --retry",
        cause: reason.summary
      )
    }
    if claim.losses >= limits.losses {
      return Diagnostic(
        "JOB020",
        "whoever measured this was lost \(claim.losses) times: the process or the machine ended",
        remedy: "look into the system's log for that time, then assay sweep --retry"
      )
    }
    return nil
  }

  private func close(
    _ trial: TrialSpecification,
    _ claim: LedgerClaim,
    _ record: Record,
    _ reason: Diagnostic,
    end: String?
  ) throws {
    var detail = JSON.object(["group": .string(trial.group), "reason": reason.json])
    detail["end"] = end.map { .string($0) }
    _ = try store.finish(claim, record, detail: detail, isClosing: true)
  }

  /// A record that holds nothing but the reason.
  private func refused(
    _ trial: TrialSpecification,
    _ claim: LedgerClaim,
    _ reason: Diagnostic
  ) -> Record {
    var record = trial.emptyRecord(
      id: "\(sweep)-\(claim.trial.key.prefix(16))-\(claim.attempt)",
      session: sweep
    )
    record.reasons = [reason]
    record.trial = Record.Trial(
      key: claim.trial.key,
      sweep: sweep,
      repetition: trial.repetition,
      attempt: claim.attempt,
      isGivenUp: true
    )
    return record
  }

  /// Rests, and waits until the machine is cool enough.
  private func coolDown(isFirst: Bool, _ report: (SweepEvent) -> Void) -> SweepEnd? {
    if cooldown.seconds > 0, !isFirst {
      report(.waits("resting \(Int(cooldown.seconds.rounded(.up))) s"))
      sleep(cooldown.seconds)
    }
    let ceiling = [cooldown.below, budget.temperature].compactMap(\.self).min()
    guard let ceiling else { return nil }
    var waited = 0.0
    while let now = temperature(), now > ceiling {
      if isInterrupted() { return .interrupted }
      if waited >= cooldown.patience {
        if let limit = budget.temperature, now > limit { return .tooHot(degrees: now) }
        return nil
      }
      report(.waits("cooling down: \(Int(now.rounded())) C, wanted \(Int(ceiling)) C"))
      sleep(1)
      waited += 1
    }
    return nil
  }
}

extension TrialFault {
  /// The fault as the ledger keeps it.
  var json: JSON {
    var json = JSON.object(["reason": reason.json])
    json["end"] = end.map { .string($0) }
    return json
  }
}
