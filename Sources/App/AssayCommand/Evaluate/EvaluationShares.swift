import AssayBase
import AssayStore

/// The shares that one worker takes from the ledger, cut into batches; the next share is taken before the
/// one under way has ended, so that there is always something to decode.
final class EvaluationShares {
  private struct Open {
    var claim: LedgerClaim
    var left: Range<Int>
    var expected: Int
    var outcomes: [(Int, Outcome)] = []
  }

  private let ledger: EvaluationLedger
  private let batch: Int
  private var open: [Open] = []

  init(_ ledger: EvaluationLedger, batch: Int) {
    self.ledger = ledger
    self.batch = batch
  }

  /// The next items; none when no share is left.
  func next() throws -> [Int] {
    if open.last.map(\.left.isEmpty) ?? true {
      guard let (claim, items) = try ledger.claim() else { return [] }
      open.append(Open(claim: claim, left: items, expected: items.count))
    }
    guard var last = open.popLast() else { return [] }
    let taken = last.left.prefix(batch)
    last.left = last.left.dropFirst(batch)
    open.append(last)
    return Array(taken)
  }

  /// Keeps outcomes of items that were given out, and stores a share that is whole.
  func note(_ outcomes: [(Int, Outcome)]) throws {
    guard !open.isEmpty else { return }
    open[0].outcomes += outcomes
    if open[0].outcomes.count == open[0].expected {
      let done = open.removeFirst()
      try ledger.conclude(done.claim, done.outcomes)
    }
  }

  /// Gives back what was not done: the first share with the reason, the next one untouched.
  func fail(_ faults: [Diagnostic]) throws {
    if open.isEmpty, let (claim, _) = try ledger.claim() {
      // The worker could not even begin.
      return try ledger.fail(claim, faults)
    }
    for (place, share) in open.enumerated() {
      if place == 0 {
        try ledger.fail(share.claim, faults)
      } else {
        try ledger.store.release(share.claim)
      }
    }
    open = []
  }
}
