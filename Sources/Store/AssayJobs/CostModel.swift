import AssayBase
import AssayBench
import AssayRecord

extension TrialSpecification {
  /// What a trial has cost, as the ledger keeps it.
  func cost(seconds: Double, verdict: Record.Verdict) -> JSON {
    .object([
      "seconds": JSON(seconds), "verdict": .string(verdict.rawValue),
      "artefact": .string(artefact.sha256), "runtime": .string(cell.runtime),
      "provider": .string(cell.provider), "threads": JSON(cell.threads),
      "batch": JSON(cell.batch), "scenario": cell.scenario, "preset": .string(preset),
      "meter": cell.meter == "none" ? .null : .string(cell.meter),
    ])
  }
}

/// How long trials will take, from those of earlier sweeps.
public struct CostModel: Sendable {
  /// Where an estimate comes from.
  public enum Basis: String, Sendable {
    /// The very same combination was measured before.
    case same
    /// The same runtime, scenario and preset were.
    case alike
    /// Nothing like it was: the preset's own least durations.
    case nominal
  }

  private var same: [String: [Double]] = [:]
  private var alike: [String: [Double]] = [:]

  /// Learns from details of `finished` events.
  public init(_ details: [JSON]) {
    for detail in details {
      guard let seconds = detail["seconds"]?.double, seconds >= 0 else { continue }
      same[CostModel.identity(detail), default: []].append(seconds)
      alike[CostModel.likeness(detail), default: []].append(seconds)
    }
  }

  /// The seconds that a trial will take.
  public func seconds(_ trial: TrialSpecification) -> (seconds: Double, basis: Basis) {
    let detail = trial.cost(seconds: 0, verdict: .valid)
    if let known = CostModel.median(same[CostModel.identity(detail)]) { return (known, .same) }
    if let known = CostModel.median(alike[CostModel.likeness(detail)]) { return (known, .alike) }
    let preset = Preset.all.first { $0.name == trial.preset } ?? .standard
    let block = preset.block.minimumNanoseconds + preset.rewarmNanoseconds
    let least = Double(preset.warmup.minimumNanoseconds) + Double(block) * Double(preset.rounds)
    // Starting a worker and loading a model take about a second more.
    return (least / 1e9 + 1, .nominal)
  }

  private static func identity(_ detail: JSON) -> String {
    words(
      detail,
      ["artefact", "runtime", "provider", "threads", "batch", "scenario", "preset", "meter"]
    )
  }

  private static func likeness(_ detail: JSON) -> String {
    words(detail, ["runtime", "scenario", "preset", "meter"])
  }

  private static func words(_ detail: JSON, _ keys: [String]) -> String {
    keys.map { key in detail[key].map { $0.isNull ? "" : $0.text() } ?? "" }.joined(separator: "|")
  }

  private static func median(_ values: [Double]?) -> Double? {
    guard let sorted = values?.sorted(), !sorted.isEmpty else { return nil }
    return sorted[(sorted.count - 1) / 2]
  }
}
