import AssayBase
import AssayRecord
import AssayStatistics

extension Trial {
  /// Runs the self-tests; what cannot be tested is a note and costs nothing else.
  func audit(seed: UInt64) {
    guard isAlive, let worker else { return }
    do {
      let request = JSON.object([
        "do": "audit", "seed": .integer(Int64(clamping: seed)), "rounds": 12,
      ])
      record.audit = Trial.audit(try worker.ask(request, seconds: patience))
    } catch {
      record.reasons.append(
        Diagnostic("BEN153", "the self-tests could not run", cause: "\(error)", severity: .note)
      )
    }
  }

  /// What a worker's answer says.
  static func audit(_ answer: JSON) -> Record.Audit {
    func medians(_ name: String) -> [Double] {
      (answer[name]?.array ?? []).compactMap { block in
        guard let samples = block.ints, !samples.isEmpty else { return nil }
        return OrderStatistics.grouped(.p50, ofSorted: samples.map { Int64($0) }.sorted())
      }
    }
    let (varied, repeated) = (medians("varied"), medians("repeated"))
    let level = ChangePoints.median(varied)
    // How much of the time of different samples one sample saves.
    let difference = DifferenceTest().paired(
      varied,
      repeated,
      resolution: level > 0 ? 2 / level : 0
    )
    let reason = "too few blocks, or below what the clock tells"
    return Record.Audit(
      compared: answer["compared"]?.int ?? 0,
      differing: answer["differing"]?.int ?? 0,
      samples: answer["samples"]?.int ?? 0,
      repetitionGain: difference.map { .value(-$0.estimate) } ?? .missing(reason: reason),
      surelyGained: difference.map { .value(-$0.interval.upperBound) } ?? .missing(reason: reason)
    )
  }
}

/// What self-tests say of a record: BEN150 one sample again and again is faster, BEN151 outputs of timed
/// runs are not those that were computed before.
func auditFindings(_ record: Record) -> [Diagnostic] {
  guard let audit = record.audit else { return [] }
  var findings: [Diagnostic] = []
  // MLPerf's TEST04 allows a tenth.
  if let gain = audit.repetitionGain.value, let sure = audit.surelyGained.value, gain > 0.1,
    sure > 0
  {
    findings.append(
      Diagnostic(
        "BEN150",
        "one sample again and again is \(Words.percent(gain)) faster than different ones: something "
          + "answers from memory, or the time depends on the data",
        remedy: "measure with data of your own: --input"
      )
    )
  }
  if audit.differing > 0 {
    findings.append(
      Diagnostic(
        "BEN151",
        "\(audit.differing) of \(audit.compared) outputs of timed runs are not what a fresh session "
          + "computes",
        remedy: "the runtime gives other answers when it is measured; see assay verify --runtime"
      )
    )
  }
  return findings
}
