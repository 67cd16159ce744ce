import AssayRecord
import AssayStatistics

extension Trial {
  /// Whether further rounds are needed and can help.
  func needsRounds(_ rule: Narrowing) -> Bool {
    let rounds = record.samplesByRound
    guard !rounds.isEmpty, rounds.count < rule.maximumRounds else { return false }
    switch rule.outlook(rounds) {
    case .reached: return false
    case .needs: return true
    // A dozen rounds tell how the rounds vary, a few do not.
    case .never: return rounds.count < 12
    }
  }

  /// Keeps how precisely the percentile is known, and how many rounds would do.
  func noteStopping(_ rule: Narrowing) {
    let rounds = record.samplesByRound
    let half = rule.halfWidth(rounds)
    let needed: Figure<Int>
    var isReached = false
    switch rule.outlook(rounds) {
    case .reached:
      isReached = true
      needed = .value(rounds.count)
    case .needs(let count) where count < .max, .never(let count) where count < .max:
      needed = .value(count)
    case .needs, .never: needed = .missing(reason: "the samples do not bound the percentile")
    }
    record.stopping = Record.Stopping(
      percentile: rule.percentile,
      target: rule.target,
      halfWidth: half.map { .value($0) }
        ?? .missing(reason: "\(record.samples.count) samples do not bound \(rule.percentile)"),
      outcome: isReached ? .reached : .never,
      roundsNeeded: needed
    )
  }
}
