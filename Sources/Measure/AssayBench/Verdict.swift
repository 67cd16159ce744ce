import AssayBase
import AssayHost
import AssayMachine
import AssayRecord
import AssayRuntime

/// Decides whether a record's figures hold, from the record alone.
///
/// Reasons of severity `error` make it INVALID: BEN101 too few samples, BEN103 drift between rounds,
/// BEN105 another provider executed, wholly or in part, BEN108 the median is not known well enough, and every
/// failure (BEN110-113, RTM…); what a scenario's rules say (BEN140-144); what self-tests found (BEN150-151).
/// Warnings and notes stay beside a VALID verdict, as that the user stopped it (BEN145).
public func judged(_ record: Record) -> Record {
  var record = record
  if !record.reasons.contains(where: { $0.severity == .error }) {
    record.reasons +=
      findings(record) + scenarioFindings(record) + auditFindings(record)
      + sustainedFindings(record)
  }
  record.verdict = record.reasons.contains { $0.severity == .error } ? .invalid : .valid
  return record
}

private func findings(_ record: Record) -> [Diagnostic] {
  var findings: [Diagnostic] = []
  let summary = record.summary
  if record.samples.count < 20 {
    findings.append(
      Diagnostic(
        "BEN101",
        "\(record.samples.count) samples are too few",
        remedy: "measure longer: --preset standard or strict"
      )
    )
  }
  if case .value(let median) = summary.p50, case .value(let interval) = median.interval,
    median.value > 1000
  {
    let width = Double(interval.upperBound - interval.lowerBound) / Double(median.value)
    if width > 0.2 {
      findings.append(
        Diagnostic(
          "BEN108",
          "the median is known only to within \(Int(width * 100)) %",
          remedy: "quiet the machine, or measure longer: --preset strict"
        )
      )
    }
  }
  // A server's latency is that of its queue, which differs from round to round; of a long load the
  // course is what is wanted.
  let isQueue = record.scenario?.kind == .server || record.sustained != nil
  // Of several processes each is one measurement: a disturbed round of one does not count alone.
  let levels = record.processes.count > 1 ? record.processMedians : summary.roundMedians
  if !isQueue, let low = levels.min(), let high = levels.max(),
    low > 1000
  {
    let ratio = Double(high) / Double(low)
    if ratio > 2 {
      findings.append(
        Diagnostic(
          "BEN103",
          "the slowest round's median is \(ratio.rounded()) times the fastest's",
          remedy: "something else used the machine; close it and measure again"
        )
      )
    } else if ratio > 1.1 {
      findings.append(
        Diagnostic(
          "BEN103",
          "medians of rounds differ by \(Int((ratio - 1) * 100)) %: the machine drifts",
          remedy: "quiet the machine, or measure with --preset strict",
          severity: .warning
        )
      )
    }
  }
  if !isQueue, let modes = modes(of: record.samples), modes.low > 1000 {
    findings.append(
      Diagnostic(
        "BEN104",
        "latencies have two modes, near \(modes.low / 1000) and \(modes.high / 1000) microseconds;"
          + " \(Int(modes.share * 100)) % of the samples are in the upper one",
        remedy: "look at the distribution; try fewer threads",
        severity: .warning
      )
    )
  }
  if let others = record.environment["othersBusy"]?.double, others > 0.25 {
    findings.append(
      Diagnostic(
        "BEN107",
        "others kept \((others * 100).rounded() / 100) processors busy meanwhile",
        remedy: "close other programs and measure again",
        severity: .warning
      )
    )
  }
  findings += placementFindings(record)
  let processors =
    record.environment["boundTo"]?.string.flatMap(ProcessorList.parse)?.count
    ?? Host.allowedProcessors().count
  if record.threads > processors {
    findings.append(
      Diagnostic(
        "BEN106",
        "\(record.threads) threads share \(processors) processors",
        severity: .warning
      )
    )
  }
  return findings
}
