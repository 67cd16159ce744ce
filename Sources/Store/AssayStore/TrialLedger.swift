import AssayBase
import AssayRecord

/// A sweep as its ledger knows it.
public struct LedgerSweep: Sendable, Equatable {
  /// Identifies it: the same plan gives the same id.
  public var id: String
  /// What people call it.
  public var name: String
  /// The plan, as it was read.
  public var plan: JSON

  /// Makes a sweep.
  public init(id: String, name: String, plan: JSON) {
    self.id = id
    self.name = name
    self.plan = plan
  }
}

/// A trial that is wanted.
public struct LedgerTrial: Sendable, Equatable {
  /// Identifies what is measured, whatever sweep asks for it.
  public var key: String
  /// The device that must run it.
  public var device: String
  /// It in a few words.
  public var title: String
  /// Everything that its runner needs.
  public var specification: JSON

  /// Makes a trial.
  public init(key: String, device: String, title: String, specification: JSON) {
    self.key = key
    self.device = device
    self.title = title
    self.specification = specification
  }
}

/// A trial that its holder may run until the lease ends.
public struct LedgerClaim: Sendable, Equatable {
  /// The sweep.
  public var sweep: String
  /// The trial.
  public var trial: LedgerTrial
  /// Who holds it.
  public var holder: String
  /// How often it was claimed, this time included.
  public var attempt: Int
  /// How often it failed in a way that was its own.
  public var failures: Int
  /// How often its holder was lost: killed, or the machine went down.
  public var losses: Int
}

/// The id of the sweep in which devices and meters stand while somebody uses them; it is no sweep of
/// anybody's, and lists leave it out.
public let leaseSweep = "leases"

/// What becomes of trials, one event a line of the ledger.
public enum LedgerEventKind: String, Sendable, CaseIterable {
  /// A holder took it.
  case claimed
  /// Its worker was started.
  case started
  /// Its record was stored.
  case finished
  /// An attempt failed; the detail says how.
  case failed
  /// Its answer was stored: the detail holds it, there is no record.
  case answered
  /// No further attempt is made; the record with the reason was stored.
  case closed
  /// Its holder gave it back untouched.
  case released
  /// Its holder was lost before it ended.
  case lost
  /// Another sweep had measured the same already.
  case reused
  /// It is wanted once more, after it had been closed.
  case reopened
}

/// One line of the ledger.
public struct LedgerEvent: Sendable, Equatable {
  /// Its place.
  public var sequence: Int64
  /// The trial's key.
  public var trial: String
  /// What happened.
  public var kind: LedgerEventKind
  /// The attempt that it belongs to.
  public var attempt: Int
  /// Whose it was.
  public var holder: String
  /// When, nanoseconds since 1970 (UTC) by the store's clock.
  public var at: Int64
  /// What else is known.
  public var detail: JSON
}

/// How far a sweep is.
public struct LedgerProgress: Sendable, Equatable {
  /// Trials that nobody holds.
  public var waiting = 0
  /// Trials that somebody holds.
  public var claimed = 0
  /// Trials that have their record.
  public var finished = 0
  /// Trials that were given up.
  public var closed = 0
  /// All trials.
  public var total: Int { waiting + claimed + finished + closed }
  /// Whether nothing is left to do.
  public var isComplete: Bool { waiting == 0 && claimed == 0 }

  /// Makes a count of nothing.
  public init() {}
}

/// The append-only ledger of sweeps, from which several processes and machines may work.
///
/// Everything that is told here is on the disk when the call returns. Each trial has exactly one record
/// in the end: a holder that lost its lease is told so, and its record is not stored.
public protocol TrialLedger: AnyObject, Sendable {
  /// Adds a sweep and its trials in their order; those that are there already stay as they are, and
  /// those whose record is in the store count as done.
  ///
  /// - Returns: how many trials were done before by another sweep.
  @discardableResult
  func enroll(_ sweep: LedgerSweep, _ trials: [LedgerTrial]) throws -> Int

  /// Takes the next trial for one of `devices`.
  ///
  /// Trials whose holder was lost come last, so that one which takes machines down holds up nobody.
  ///
  /// - Parameters:
  ///   - lease: how long the holder may be silent, nanoseconds.
  ///   - isGone: whether a holder is known to have ended, so that nobody waits for its lease.
  /// - Returns: `nil` when nothing is waiting.
  func claim(
    sweep: String,
    devices: [String],
    holder: String,
    lease: Int64,
    isGone: (String) -> Bool
  ) throws -> LedgerClaim?

  /// Says that the trial's worker was started.
  func start(_ claim: LedgerClaim) throws

  /// Lengthens the lease.
  ///
  /// - Returns: whether the trial is still the holder's.
  func renew(_ claim: LedgerClaim, lease: Int64) throws -> Bool

  /// Stores the trial's record and says that it is done (`isClosing`: given up), in one step.
  ///
  /// - Returns: whether the record was stored; `false` when the lease was lost or another sweep was
  ///   faster.
  func finish(_ claim: LedgerClaim, _ record: Record, detail: JSON, isClosing: Bool) throws -> Bool

  /// Stores the answer of a trial that is no measurement, such as a share of an evaluation, and says that
  /// it is done, in one step.
  ///
  /// - Returns: whether it was stored; `false` when the lease was lost.
  func conclude(_ claim: LedgerClaim, answer: JSON) throws -> Bool

  /// Says that an attempt failed; the trial waits again, behind the others.
  func fail(_ claim: LedgerClaim, detail: JSON) throws

  /// Gives the trial back as if it had not been taken.
  func release(_ claim: LedgerClaim) throws

  /// Makes trials that were given up wait again.
  ///
  /// - Returns: how many.
  func reopen(sweep: String) throws -> Int

  /// How far a sweep is, on some devices or all.
  func progress(sweep: String, devices: [String]?) throws -> LedgerProgress

  /// The trials of a sweep in their order with their states: `waiting`, `claimed`, `finished`, `closed`.
  func trials(sweep: String) throws -> [(trial: LedgerTrial, state: String)]

  /// The sweep's ledger, oldest line first: all of it, or the lines of some kinds.
  func events(sweep: String, kinds: [LedgerEventKind]?) throws -> [LedgerEvent]

  /// The sweeps in the store, oldest first, without that of the leases.
  func sweeps() throws -> [LedgerSweep]

  /// The records of a sweep's trials, in the trials' order.
  func records(ofSweep sweep: String) throws -> [Record]

  /// Whether a trial has its record, whichever sweep asked for it.
  func hasRecord(ofTrial key: String) throws -> Bool

  /// Details of the last `finished` events over all sweeps, newest first: what earlier trials cost.
  func finishedDetails(limit: Int) throws -> [JSON]
}

extension TrialLedger {
  /// The sweep's whole ledger, oldest line first.
  public func events(sweep: String) throws -> [LedgerEvent] {
    try events(sweep: sweep, kinds: nil)
  }
}

/// A store of records with the ledger of sweeps.
public typealias Store = RecordStore & TrialLedger
