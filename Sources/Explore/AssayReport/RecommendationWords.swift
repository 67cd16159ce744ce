import AssayBase
import AssayRecord

/// Turns a recommendation into sentences.
struct RecommendationWords {
  let report: ComparisonReport
  let recommendation: Recommendation
  let judge: ConstraintJudge

  private var baseline: Record? { report.records.first { $0.id == recommendation.baseline } }

  func headline(_ pick: Record) -> String {
    let threads = pick.threads == 1 ? "1 thread" : "\(pick.threads) threads"
    return "Ship \(pick.variant) on \(report.title(ofRuntime: pick.runtime)) with \(threads)."
  }

  func details(_ pick: Record, alternatives: [Record]) -> [String] {
    [
      speed(pick), size(pick), quality(pick), uncertainty(pick), ties(pick, alternatives),
      constraintWords(),
    ].compactMap(\.self)
  }

  private func constraintWords() -> String? {
    guard judge.isDefault else { return "It holds the constraint: \(judge.text)." }
    if judge.dropQuality == .none {
      return "There were no data to tell quality by: this is the fastest, whatever it computes."
    }
    return "No constraint was given; taken: \(judge.text) (--max-drop)."
  }

  private func speed(_ pick: Record) -> String? {
    guard let p50 = report.summary(pick).p50.value else { return nil }
    let here = "\(Words.time(Double(p50.value)))\(spread(pick)) at the median"
    guard let baseline, baseline.id != pick.id, let base = report.summary(baseline).p50.value,
      p50.value > 0
    else { return "It takes \(here)." }
    let other = report.place(baseline)
    let there = "\(Words.time(Double(base.value)))\(spread(baseline))"
    if report.areAsFast(pick, baseline) {
      return
        "It takes \(here), as fast as the fastest float32 (\(other), \(there)): their rounds overlap."
    }
    let ratio = Double(base.value) / Double(p50.value)
    return ratio >= 1
      ? "\(Words.significant(ratio, 2))x faster than the fastest float32 (\(other)): \(here) against \(there)."
      : "\(Words.significant(1 / ratio, 2))x slower than the fastest float32 (\(other)): \(here) against \(there)."
  }

  /// How well a median is known, as ` ±0.1 %`.
  private func spread(_ record: Record) -> String {
    guard let range = report.spread(record) else { return "" }
    let text = Words.halfWidth(range, of: Int64(report.median(record)))
    return text.isEmpty ? "" : " " + text
  }

  private func size(_ pick: Record) -> String? {
    let here = Words.bytes(pick.model.byteCount)
    guard let baseline, baseline.id != pick.id, pick.model.byteCount > 0 else {
      return "The file is of \(here)."
    }
    let ratio = Double(baseline.model.byteCount) / Double(pick.model.byteCount)
    if ratio >= 1.05 {
      return "The file is of \(here), \(Words.significant(ratio, 2))x smaller than float32's."
    }
    return "The file is of \(here), float32's of \(Words.bytes(baseline.model.byteCount))."
  }

  private func quality(_ pick: Record) -> String? {
    var words: [String] = []
    if let accuracy = pick.accuracy.value {
      words.append(
        "is right on \(Words.percent(accuracy)) of \(pick.accuracyCount) labelled samples"
          + (judge.reference?.fraction.map { ", the original on \(Words.percent($0))" } ?? "")
      )
    }
    if let agreement = pick.agreement.value {
      words.append("gives the original's answer on \(Words.percent(agreement))")
    }
    if let snr = pick.snrDb.value {
      words.append(
        snr.isFinite
          ? "has \(Words.fixed(snr, 1)) dB signal to noise" : "has outputs equal to the original's"
      )
    }
    return words.isEmpty ? nil : "It " + words.joined(separator: "; ") + "."
  }

  /// What the number of samples can tell about the accuracy that is lost.
  private func uncertainty(_ pick: Record) -> String? {
    guard let accuracy = pick.accuracy.value, let reference = judge.reference,
      let range = Proportion(fraction: accuracy, of: pick.accuracyCount).difference(from: reference)
    else { return nil }
    let bounds =
      "\(signed(range.lowerBound)) to \(signed(range.upperBound)) points (95 % interval)"
    if range.contains(0) {
      return "The difference in accuracy is \(bounds): \(pick.accuracyCount) samples show none."
    }
    return "The difference in accuracy is \(bounds)."
  }

  private func signed(_ fraction: Double) -> String {
    let text = Words.fixed(fraction * 100, 1)
    return fraction > 0 && text != "0.0" ? "+" + text : text
  }

  private func ties(_ pick: Record, _ alternatives: [Record]) -> String? {
    let others = alternatives.filter { $0.id != pick.id && report.areAsFast($0, pick) }
    if others.isEmpty { return nil }
    let named = others.prefix(3).map(report.title).joined(separator: "; ")
    let more = others.count > 3 ? " and \(others.count - 3) more" : ""
    return "As fast within what rounds differ by: \(named)\(more)."
  }

  func noPick(_ valid: [Record]) -> String {
    if report.records.isEmpty { return "Nothing was measured." }
    if valid.isEmpty { return "No measurement is valid, so there is no recommendation." }
    return "No variant holds the constraint: \(judge.text)."
  }

  /// The configurations that come nearest: those with the fewest faults, fastest first.
  func nearMisses(_ valid: [Record]) -> [String] {
    let ranked = valid.map { (record: $0, faults: judge.violations($0)) }.sorted { a, b in
      a.faults.count == b.faults.count
        ? report.median(a.record) < report.median(b.record)
        : a.faults.count < b.faults.count
    }
    return ranked.prefix(3).map { pair in
      "Nearest: \(report.title(pair.record)) \(pair.faults.joined(separator: " and "))."
    }
  }

  func caveats(_ valid: [Record]) -> [String] {
    var words: [String] = []
    let emulated = report.emulated.count
    let invalid = report.records.count - valid.count - emulated
    if invalid > 0, !valid.isEmpty {
      words.append(
        invalid == 1
          ? "1 configuration has no valid result and was left out; its reason is below."
          : "\(invalid) configurations have no valid result and were left out; their reasons are "
            + "below."
      )
    }
    if emulated > 0 {
      words.append(
        "\(emulated) of emulators \(emulated == 1 ? "is" : "are") shown, and never ranked with hardware."
      )
    } else if valid.contains(where: { $0.emulator != nil }) {
      words.append("These are times of an emulator: they tell nothing of hardware.")
    }
    // Every row names its threads; what no column shows must be said.
    let unlike = Record.unlikenesses(among: valid).filter { $0.what != "threads" }
    if !unlike.isEmpty {
      words.append(
        "The rows are not all the same job: \(unlike.map(\.words).joined(separator: "; "))."
      )
    }
    return words
  }
}
