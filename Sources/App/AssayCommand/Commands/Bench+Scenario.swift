import AssayBase
import AssayRecord
import AssayStatistics

/// What `bench` prints of the scenario, its claim, and how precisely a percentile is known.
func scenarioText(_ record: Record) -> String {
  var text = ""
  if let scenario = record.scenario {
    text += "scenario        \(words(scenario))\n"
    text += "claim           \(words(record.claim, scenario))\n"
    if let utilization = scenario.utilization, let service = scenario.serviceTime {
      text +=
        "server          busy \(Words.percent(utilization)) of the time, "
        + "\(Words.time(service)) of work a query; the rest of its latency is waiting\n"
    }
  }
  if let stopping = record.stopping, let half = stopping.halfWidth.value {
    text +=
      "precision       \(stopping.percentile) known to ±\(Words.percent(half, 2)) after "
      + "\(record.rounds.count) rounds (±\(Words.percent(stopping.target, 2)) wanted)\n"
  }
  return text
}

private func words(_ scenario: Record.Scenario) -> String {
  let sessions = scenario.streams == 1 ? "1 session" : "\(scenario.streams) sessions"
  switch scenario.kind {
  case .singleStream: return "single-stream: one inference after the other"
  case .multiStream: return "multi-stream: \(scenario.samplesPerQuery) inputs a query"
  case .offline: return "offline: \(sessions), as fast as they can"
  case .server:
    return "server: \(Words.short(scenario.ratePerSecond ?? 0)) queries a second at random "
      + "(seed \(scenario.seed)), \(sessions)"
  }
}

private func words(_ claim: Record.Claim, _ scenario: Record.Scenario) -> String {
  let estimate: String
  switch claim.estimate {
  case .value(let value):
    estimate = "\(claim.percentile) is at most \(Words.time(Double(value))) with 99 % confidence"
  case .missing(let reason): estimate = "none: \(reason)"
  }
  guard let target = scenario.targetLatency, let outcome = claim.outcome else { return estimate }
  let goal = Words.time(Double(target))
  let over = "\(claim.over ?? 0) of \(claim.queries) over it"
  switch outcome {
  case .holds: return "\(claim.percentile) holds \(goal) (\(over)); \(estimate)"
  case .fails: return "\(claim.percentile) does not hold \(goal) (\(over)); \(estimate)"
  case .needs(let more):
    return "\(claim.percentile) may hold \(goal) (\(over)); \(more) more queries are needed to say"
  }
}
