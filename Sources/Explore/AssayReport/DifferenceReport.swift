import AssayBase
import AssayRecord
import AssayStatistics

/// Two measurements side by side, with what their difference is and whether it is allowed.
public struct DifferenceReport: Sendable {
  /// One side.
  public struct Side: Sendable {
    /// What it is called.
    public var name: String
    /// Its measurement.
    public var record: Record
    /// Makes a side.
    public init(name: String, record: Record) {
      self.name = name
      self.record = record
    }
  }

  /// What is compared with.
  public var a: Side
  /// What is compared.
  public var b: Side
  /// The percentile.
  public var percentile: Percentile
  /// The difference of B to A.
  public var difference: Figure<Difference>
  /// In what both are unlike beside the model.
  public var unlikeness: [Unlikeness]
  /// The slow-down that is allowed; `nil` when nothing is checked.
  public var limit: Double?
  /// What was asked to differ, such as `threads`: not to be warned of.
  public var asked: Set<String>

  /// Compares two measurements.
  public init(
    _ a: Side,
    _ b: Side,
    percentile: Percentile,
    limit: Double? = nil,
    asked: Set<String> = []
  ) {
    self.a = a
    self.b = b
    self.asked = asked
    self.percentile = percentile
    self.limit = limit
    difference = a.record.difference(to: b.record, at: percentile)
    unlikeness = a.record.unlikeness(to: b.record)
  }

  /// Whether both verdicts are VALID and there is a difference to speak of.
  public var isValid: Bool {
    difference.value != nil && a.record.verdict == .valid && b.record.verdict == .valid
  }

  /// What the check says; `nil` without a limit or a difference.
  public var outcome: RegressionCheck.Outcome? {
    guard let limit, let difference = difference.value else { return nil }
    return RegressionCheck(limit: limit).outcome(difference)
  }

  /// The answer, sentence by sentence.
  public var sentences: [String] {
    switch difference {
    case .missing(let reason): return ["Nothing can be said: \(reason)."]
    case .value(let difference):
      let words = DifferenceWords(difference, a: a.name, b: b.name)
      return [words.sentence, check, words.power, words.method, caution].compactMap(\.self)
    }
  }

  private var check: String? {
    guard let outcome, let limit else { return nil }
    let allowed = DifferenceWords.percent(limit)
    return switch outcome {
    case .regressed: "REGRESSED: at most \(allowed) slower is allowed."
    case .held: "It holds the limit of \(allowed)."
    case .undecided:
      "Whether the limit of \(allowed) is held remains open: measure longer to know."
    }
  }

  private var caution: String? {
    let differing = unlikeness.filter { $0.forbidsRanking && !asked.contains($0.what) }
    guard !differing.isEmpty else { return nil }
    return
      "These are unlike things: \(differing.map(\.words).joined(separator: "; ")). The figures are "
      + "those of two different jobs."
  }

  /// The comparison as a JSON object.
  public var json: JSON {
    var object = JSON.object([
      "schema": "assay.difference/1", "percentile": .string(percentile.description),
      "valid": .bool(isValid),
      "a": .object(["name": .string(a.name), "record": a.record.json]),
      "b": .object(["name": .string(b.name), "record": b.record.json]),
      "sentences": .array(sentences.map { .string($0) }),
      "unlike": .array(unlikeness.map(\.json)),
    ])
    switch difference {
    case .missing(let reason): object["difference"] = .object(["missing": .string(reason)])
    case .value(let difference):
      object["difference"] = .object([
        "estimate": .number(difference.estimate),
        "interval": .array([
          .number(difference.interval.lowerBound), .number(difference.interval.upperBound),
        ]),
        "confidence": .number(difference.confidence),
        "detectable": .number(difference.detectable), "power": .number(difference.power),
        "paired": .bool(difference.isPaired), "units": JSON(difference.units),
        "direction": .string(difference.direction.rawValue),
      ])
    }
    if let limit { object["limit"] = .number(limit) }
    if let outcome { object["outcome"] = .string(outcome.rawValue) }
    return object
  }
}
