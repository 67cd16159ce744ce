import AssayBase
import AssayHost
import AssayStore

/// An evaluation in the store's ledger: a sweep whose trials are shares of the set's items.
///
/// A share is taken by one worker at a time, wherever it runs; its answer holds the outcomes of its items.
/// So an evaluation can be stopped at any moment, goes on where it was, and is shared out to whoever sees
/// the store.
struct EvaluationLedger {
  /// How long a worker may be silent, nanoseconds: longer than a batch takes on the slowest machine.
  static let lease: Int64 = 600_000_000_000
  /// What stands for the device: outcomes do not depend on the machine.
  static let device = "any"

  let store: any Store
  let plan: EvaluationPlan
  let itemCount: Int

  /// The sweep's id.
  var id: String { "evaluation-" + plan.key }

  /// Items of a share: small sets are cut finer, so that several workers have something to do.
  private var shareSize: Int { min(max(itemCount / 16, 8), 64) }

  private var shareCount: Int { (itemCount + shareSize - 1) / shareSize }

  /// Puts the evaluation into the ledger, unless it is there.
  func enroll() throws {
    let name = "evaluate \(Shared.stem(plan.model)) on \(plan.runtime)"
    let trials = (0..<shareCount).map { share in
      let range = items(ofShare: share)
      return LedgerTrial(
        key: "\(id)-\(share)",
        device: EvaluationLedger.device,
        title: "items \(range.lowerBound + 1) to \(range.upperBound)",
        specification: .object(["share": JSON(share)])
      )
    }
    try store.enroll(LedgerSweep(id: id, name: name, plan: plan.json), trials)
  }

  private func items(ofShare share: Int) -> Range<Int> {
    let start = share * shareSize
    return start..<min(start + shareSize, itemCount)
  }

  /// Takes the next share that nobody has.
  func claim() throws -> (claim: LedgerClaim, items: Range<Int>)? {
    let claim = try store.claim(
      sweep: id,
      devices: [EvaluationLedger.device],
      holder: Host.ProcessIdentity.current.text,
      lease: EvaluationLedger.lease,
      isGone: { Host.ProcessIdentity(text: $0)?.isGone ?? false }
    )
    guard let claim else { return nil }
    guard let share = claim.trial.specification["share"]?.int, (0..<shareCount).contains(share)
    else {
      throw Diagnostic(
        "EVA008",
        "a share in the ledger is none of this set",
        at: [claim.trial.title]
      )
    }
    return (claim, items(ofShare: share))
  }

  /// Stores a share's outcomes.
  func conclude(_ claim: LedgerClaim, _ outcomes: [(Int, Outcome)]) throws {
    let answer = JSON.object(["outcomes": .array(outcomes.map { $0.1.json($0.0) })])
    _ = try store.conclude(claim, answer: answer)
  }

  /// Says why a share could not be evaluated; it waits again.
  func fail(_ claim: LedgerClaim, _ faults: [Diagnostic]) throws {
    try store.fail(claim, detail: .object(["faults": .array(faults.map(\.json))]))
  }

  /// What is known by now.
  func outcomes() throws -> [Int: Outcome] {
    var all: [Int: Outcome] = [:]
    for event in try store.events(sweep: id, kinds: [.answered]) {
      for entry in event.detail["outcomes"]?.array ?? [] {
        guard let (index, outcome) = Outcome.read(entry), (0..<itemCount).contains(index) else {
          throw Diagnostic("EVA008", "the ledger has an outcome that cannot be read", at: [id])
        }
        all[index] = outcome
      }
    }
    return all
  }

  /// Items whose shares are done, told quickly.
  func count() throws -> Int {
    let progress = try store.progress(sweep: id, devices: nil)
    return min(progress.finished * shareSize, itemCount)
  }

  /// The failures so far, each with its reasons.
  func failures() throws -> [[Diagnostic]] {
    try store.events(sweep: id, kinds: [.failed]).map { event in
      (event.detail["faults"]?.array ?? []).compactMap { Diagnostic(json: $0) }
    }
  }

  /// Shares that somebody has, in words.
  func held() throws -> [String] {
    try store.trials(sweep: id).filter { $0.state == "claimed" }.map(\.trial.title)
  }
}
