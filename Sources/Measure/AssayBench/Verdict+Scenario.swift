import AssayBase
import AssayRecord
import AssayStatistics

/// What a scenario's rules say of a record: BEN140 the target does not hold, BEN141 the queue grew
/// without end, BEN142 too few queries for the claim, BEN143 a percentile is less well known than was
/// asked for.
func scenarioFindings(_ record: Record) -> [Diagnostic] {
  var findings = stoppingFindings(record)
  guard let scenario = record.scenario else { return findings }
  if let utilization = scenario.utilization {
    if utilization >= 1 || scenario.unserved > 0 {
      findings.append(
        Diagnostic(
          "BEN141",
          "the server is overloaded: \(Words.rate(scenario.ratePerSecond ?? 0)) arrive, "
            + "\(Words.rate((scenario.ratePerSecond ?? 0) / max(utilization, 1e-9))) can be done",
          remedy: "lower --rate, or raise --streams or --threads"
        )
      )
    } else if utilization > 0.9 {
      findings.append(
        Diagnostic(
          "BEN141",
          "the queries keep the server busy for \(Words.percent(utilization)) of the time: "
            + "the queue is long, and its percentiles depend on how long was measured",
          remedy: "lower --rate, or measure longer: --preset strict",
          severity: .warning
        )
      )
    }
  }
  let claim = record.claim
  switch claim.outcome {
  case .fails:
    let target = Words.time(Double(scenario.targetLatency ?? 0))
    findings.append(
      Diagnostic(
        "BEN140",
        "\(scenario.percentile) is over the target of \(target): \(claim.over ?? 0) of "
          + "\(claim.queries) queries took longer",
        remedy: "a faster variant, more threads or streams, or a lower --rate"
      )
    )
  case .needs(let more):
    findings.append(
      Diagnostic(
        "BEN142",
        "\(claim.queries) queries, \(claim.over ?? 0) of them over the target, do not show that "
          + "\(scenario.percentile) holds it: \(more) more are needed, none of them over",
        remedy: "measure longer: --preset strict, or --count"
      )
    )
  case .holds, nil: break
  }
  return findings
}

private func stoppingFindings(_ record: Record) -> [Diagnostic] {
  guard let stopping = record.stopping, stopping.outcome == .never else { return [] }
  let known = stopping.halfWidth.value.map { "known to ±\(Words.percent($0, 2))" } ?? "not bounded"
  let more = stopping.roundsNeeded.value.map { "; about \(Words.count($0)) rounds would do" } ?? ""
  return [
    Diagnostic(
      "BEN143",
      "\(stopping.percentile) is \(known) after \(record.rounds.count) rounds, "
        + "±\(Words.percent(stopping.target, 2)) was asked for\(more)",
      remedy: "quiet the machine, ask for less with --width, or allow more with --max-rounds"
    )
  ]
}
