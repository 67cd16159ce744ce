import AssayBase
import AssayStore

/// The trials of a sweep in their order.
public struct SweepSchedule: Sendable {
  /// A combination that cannot be measured.
  public struct Omission: Sendable, Equatable {
    /// The combination.
    public var cell: SweepCell
    /// Why.
    public var reason: Diagnostic
    /// Makes an omission.
    public init(cell: SweepCell, reason: Diagnostic) {
      self.cell = cell
      self.reason = reason
    }
  }

  /// The trials, first to last.
  public var trials: [TrialSpecification]
  /// What cannot be measured.
  public var omissions: [Omission]

  /// Orders trials in randomized complete blocks: each repetition visits every combination once, in a
  /// new random order, so that the machine's drift hits all alike and whatever is done when the sweep
  /// is stopped can be compared.
  ///
  /// Combinations that come to the same trial (two recipes that give the same bytes) are one trial.
  ///
  /// - Parameters:
  ///   - firsts: each combination's first repetition, in the plan's order.
  ///   - seed: of the order; the same seed gives the same order.
  public init(
    _ firsts: [TrialSpecification],
    repetitions: Int,
    seed: UInt64,
    omissions: [Omission] = []
  ) {
    var seen: Set<String> = []
    let unique = firsts.filter { seen.insert($0.group).inserted }
    var random = SeededRNG(seed: seed)
    trials = []
    for repetition in 0..<max(repetitions, 1) {
      for var trial in unique.shuffled(using: &random) {
        trial.repetition = repetition + 1
        trials.append(trial)
      }
    }
    self.omissions = omissions
  }

  /// The trials as the ledger takes them.
  public var entries: [LedgerTrial] {
    trials.map {
      LedgerTrial(
        key: $0.key,
        device: $0.ledgerDevice,
        title: $0.title,
        specification: $0.json
      )
    }
  }
}

extension TrialSpecification {
  /// Who may run it, in the ledger's words: a device by its name; `local` stands for machines of
  /// the kind of the one that laid out the plan.
  public var ledgerDevice: String {
    cell.device == "local" ? "local-\(deviceIdentity)" : cell.device
  }
}
