import AssayBase
import AssayHost
import AssayRecord
import AssayRuntime

/// Compares configurations in fresh processes, several times over.
///
/// Two processes of one program on one file differ by where the system put them; rounds of one pair of
/// processes do not show that. Each turn of a duel starts a worker for every configuration, lets them
/// take turns in random order, and ends them. What is compared are pairs of processes.
public struct Duel: Sendable {
  /// How each pair of processes is measured.
  public var comparison: Comparison
  /// How many pairs of processes.
  public var pairs: Int

  /// A duel as thorough as a preset's name says: `quick` takes seconds, `strict` a minute or more.
  ///
  /// - Parameter comparison: how each pair is measured; its preset is replaced, and operators are not
  ///   profiled.
  public init(_ comparison: Comparison, thoroughness name: String) {
    self.comparison = comparison
    self.comparison.profiledRuns = 0
    let (pairs, rounds, milliseconds): (Int, Int, UInt64) =
      switch name {
      case "quick": (12, 2, 20)
      case "strict": (24, 6, 150)
      default: (16, 4, 60)
      }
    self.pairs = pairs
    self.comparison.preset = Preset(
      name: name,
      rounds: rounds,
      block: BlockLimits(
        minimumCount: 5,
        minimumNanoseconds: milliseconds * 1_000_000,
        maximumNanoseconds: 10_000_000_000
      ),
      warmup: BlockLimits(
        minimumCount: 10,
        minimumNanoseconds: milliseconds * 1_000_000,
        maximumCount: 100_000,
        maximumNanoseconds: 20 * milliseconds * 1_000_000
      ),
      rewarmNanoseconds: 5_000_000
    )
  }

  /// Measures all of them.
  ///
  /// - Parameter progress: called between steps, never while anything is timed.
  /// - Returns: a record for each configuration, in their order, with the rounds of all processes.
  public func run(
    _ configurations: [Configuration],
    progress: (BenchProgress) -> Void = { _ in }
  ) throws -> [Record] {
    var records: [Record] = []
    let start = Host.monotonicNanoseconds()
    for pair in 0..<pairs {
      var turn = comparison
      turn.seed = comparison.seed &+ UInt64(pair)
      // The machine's state is looked at once.
      if pair > 0 { turn.watchers = [] }
      let measured = try turn.run(configurations) { step in
        var shown = step
        shown.done = pair * step.total + step.done
        shown.total = pairs * step.total
        let elapsed = Double(Host.monotonicNanoseconds() - start) / 1e9
        shown.secondsLeft =
          shown.done > 2
          ? elapsed / Double(shown.done) * Double(shown.total - shown.done) : nil
        progress(shown)
      }.map(\.record)
      records =
        records.isEmpty
        ? measured.map { $0.asProcess() } : zip(records, measured).map { $0.adding($1) }
      // A configuration that fails once is not started a dozen times more.
      if measured.contains(where: { $0.samples.isEmpty }) { break }
    }
    return records.map(judged)
  }
}

extension Record {
  /// The record as that of the first process of several.
  fileprivate func asProcess() -> Record {
    var copy = self
    copy.processes = [rounds.count]
    copy.reasons = reasons.filter(isOfTheProcess)
    return copy
  }

  /// The record with the rounds of another process of the same configuration.
  fileprivate func adding(_ other: Record) -> Record {
    var copy = self
    copy.samples += other.samples
    copy.rounds += other.rounds
    copy.windows += other.windows
    copy.processes.append(other.rounds.count)
    copy.finishedAt = other.finishedAt
    copy.reasons += other.reasons.filter { reason in
      isOfTheProcess(reason) && !copy.reasons.contains { $0.code == reason.code }
    }
    if let unserved = other.scenario?.unserved { copy.scenario?.unserved += unserved }
    return copy
  }

  /// Whether a reason is of what one process did; what samples say is judged of all together.
  private func isOfTheProcess(_ reason: Diagnostic) -> Bool {
    !["BEN101", "BEN103", "BEN104", "BEN105", "BEN106", "BEN107", "BEN108"].contains(reason.code)
      && !reason.code.hasPrefix("BEN14")
  }
}
