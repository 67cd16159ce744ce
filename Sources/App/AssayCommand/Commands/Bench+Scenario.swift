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
  if let sustained = record.sustained { text += words(sustained) }
  if let audit = record.audit { text += words(audit) }
  return text
}

private func words(_ sustained: Record.Sustained) -> String {
  let levels = sustained.levels
  guard let first = levels.first, let last = levels.last else { return "" }
  var text = "sustained       \(Text.duration(Double(last.end))) of load: "
  text +=
    levels.count == 1
    ? "\(Words.rate(first.throughput)) throughout\n"
    : "\(Words.rate(first.throughput)) at first, \(Words.rate(last.throughput)) at last\n"
  text += "                \(bars(sustained.windows.map(\.throughput)))\n"
  for level in levels.count > 1 ? levels.prefix(12)[...] : [] {
    let change = (level.throughput / first.throughput - 1) * 100
    text +=
      "                from \(Text.duration(Double(level.begin))): \(Words.rate(level.throughput))"
      + (level == first ? "\n" : " (\(change < 0 ? "" : "+")\(Words.fixed(change, 1)) %)\n")
  }
  return text
}

/// A course as a line of bars from 0 to its greatest value.
private func bars(_ values: [Double]) -> String {
  let marks = Array("▁▂▃▄▅▆▇█")
  let columns = min(60, values.count)
  guard columns > 0, let top = values.max(), top > 0 else { return "" }
  return String(
    (0..<columns).map { column in
      let range = values[column * values.count / columns..<(column + 1) * values.count / columns]
      let mean = range.reduce(0, +) / Double(max(range.count, 1))
      return marks[min(Int(mean / top * 8), 7)]
    }
  )
}

private func words(_ audit: Record.Audit) -> String {
  let outputs =
    audit.differing == 0
    ? "\(audit.compared) outputs of timed runs are right"
    : "\(audit.differing) of \(audit.compared) outputs of timed runs differ"
  switch audit.repetitionGain {
  case .missing: return "self-tests      \(outputs)\n"
  case .value(let gain):
    let speed =
      abs(gain) < 0.005
      ? "as fast as" : "\(Words.percent(abs(gain))) \(gain > 0 ? "faster" : "slower") than"
    return "self-tests      \(outputs); one sample again and again is \(speed) different ones\n"
  }
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
