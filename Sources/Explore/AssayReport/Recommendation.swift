import AssayBase
import AssayRecord

/// Which configuration to ship, and why, in words.
///
/// Only VALID records count. The Pareto set holds every configuration that no other beats or equals in
/// latency, quality and size all at once (and beats in one). The pick is the fastest one that holds the
/// constraint; of those that are as fast within their intervals and rounds, the one with the smallest
/// file, then the fewest threads, then the best quality.
public struct Recommendation: Sendable {
  /// What quality is told by.
  public enum Quality: String, Sendable {
    case accuracy, agreement, snr, none
  }

  /// What quality is told by: accuracy where there are labels, else signal to noise.
  public var quality: Quality
  /// The ids of the Pareto set's records, fastest first.
  public var pareto: [String]
  /// The id of the record to ship; `nil` when none holds the constraint.
  public var pick: String?
  /// The constraint that the pick holds; the usual one where the user gave none.
  public var constraint: Constraint
  /// The answer in one sentence.
  public var headline: String
  /// What speaks for it and what to know, one sentence each.
  public var details: [String]
  /// The id of the record that the pick is compared with: the fastest float32.
  public var baseline: String?

  /// The recommendation as a JSON object.
  public var json: JSON {
    .object([
      "headline": .string(headline),
      "details": .array(details.map { .string($0) }),
      "pick": JSON(pick),
      "pareto": .array(pareto.map { .string($0) }),
      "quality": .string(quality.rawValue),
      "baseline": JSON(baseline),
    ])
  }
}

extension Recommendation {
  /// Derives the recommendation from a comparison.
  public init(_ report: ComparisonReport) {
    let valid = report.valid
    quality = Recommendation.quality(of: valid)
    let quality = quality
    constraint = report.constraint
    if constraint.isEmpty { constraint.maxDrop = 0.01 }
    pareto = Recommendation.paretoSet(valid, quality, report).map(\.id)
    baseline = Recommendation.fastest(valid.filter { $0.variant == "float32" }, report)?.id
    headline = ""
    details = []
    let judge = ConstraintJudge(constraint, report, quality)
    let holding = valid.filter { judge.violations($0).isEmpty }
    let chosen = Recommendation.choose(holding, quality, report)
    pick = chosen?.id
    let words = RecommendationWords(report: report, recommendation: self, judge: judge)
    if report.networkCount > 1 {
      (pick, pareto, baseline) = (nil, [], nil)
      headline =
        "These are \(report.networkCount) networks: none is picked, since they do not stand for one another."
      details = [
        "Name one (assay report NAME) for what to ship of its variants;"
          + " assay rate grades networks of one task."
      ]
    } else if let chosen {
      headline = words.headline(chosen)
      details = words.details(chosen, alternatives: holding)
    } else {
      headline = words.noPick(valid)
      details = words.nearMisses(valid)
    }
    details += words.caveats(valid)
  }

  private static func quality(of records: [Record]) -> Quality {
    if records.contains(where: { $0.accuracy.value != nil }) { return .accuracy }
    if records.contains(where: { $0.snrDb.value != nil }) { return .snr }
    return .none
  }

  /// The quality figure of a record; greater is better.
  static func value(_ record: Record, _ quality: Quality) -> Double? {
    switch quality {
    case .accuracy: record.accuracy.value
    case .agreement: record.agreement.value
    case .snr: record.snrDb.value
    case .none: 0
    }
  }

  static func fastest(_ records: [Record], _ report: ComparisonReport) -> Record? {
    records.min { report.median($0) < report.median($1) }
  }

  /// The records that no other dominates, fastest first; those without the quality figure are left
  /// out.
  static func paretoSet(
    _ records: [Record],
    _ quality: Quality,
    _ report: ComparisonReport
  ) -> [Record] {
    struct Point {
      var record: Record
      var latency: Double
      var quality: Double
      var bytes: Int
    }
    let points = records.compactMap { record in
      value(record, quality).map {
        Point(
          record: record,
          latency: report.median(record),
          quality: $0,
          bytes: record.model.byteCount
        )
      }
    }
    func dominates(_ a: Point, _ b: Point) -> Bool {
      a.latency <= b.latency && a.quality >= b.quality && a.bytes <= b.bytes
        && (a.latency < b.latency || a.quality > b.quality || a.bytes < b.bytes)
    }
    return points.filter { point in !points.contains { dominates($0, point) } }
      .sorted { $0.latency < $1.latency }.map(\.record)
  }

  private static func choose(
    _ records: [Record],
    _ quality: Quality,
    _ report: ComparisonReport
  ) -> Record? {
    guard let fastest = fastest(records, report) else { return nil }
    return records.filter { report.areAsFast($0, fastest) }.min { a, b in
      if a.model.byteCount != b.model.byteCount { return a.model.byteCount < b.model.byteCount }
      if a.threads != b.threads { return a.threads < b.threads }
      let x = value(a, quality) ?? -.infinity
      let y = value(b, quality) ?? -.infinity
      return x == y ? report.median(a) < report.median(b) : x > y
    }
  }
}

/// Says what of a constraint a record does not hold.
struct ConstraintJudge {
  let constraint: Constraint
  /// The accuracy that a drop is counted from.
  let reference: Proportion?
  /// What a drop is counted in; agreement stands in where there are no labels.
  let dropQuality: Recommendation.Quality
  /// Whether the constraint is the usual one, because the user gave none.
  let isDefault: Bool
  private let report: ComparisonReport

  init(_ constraint: Constraint, _ report: ComparisonReport, _ quality: Recommendation.Quality) {
    self.constraint = constraint
    isDefault = report.constraint.isEmpty
    self.report = report
    let float = report.valid.first { $0.variant == "float32" && $0.accuracy.value != nil }
    reference =
      report.original.accuracy
      ?? float.flatMap { record in
        record.accuracy.value.map { Proportion(fraction: $0, of: record.accuracyCount) }
      }
    dropQuality =
      quality == .accuracy && reference?.fraction != nil
      ? .accuracy
      : report.valid.contains { $0.agreement.value != nil } ? .agreement : .none
  }

  /// The part of accuracy (or of agreement) that a record loses.
  func drop(_ record: Record) -> Double? {
    switch dropQuality {
    case .accuracy:
      guard let before = reference?.fraction, let after = record.accuracy.value else { return nil }
      return before - after
    case .agreement: return record.agreement.value.map { 1 - $0 }
    case .snr, .none: return nil
    }
  }

  /// What the record does not hold, in words; empty when it holds everything.
  func violations(_ record: Record) -> [String] {
    var words: [String] = []
    if let limit = constraint.maxDrop {
      if let drop = drop(record) {
        // A little slack: 0.985 - 0.975 is not exactly 0.01.
        if drop > limit + 1e-9 {
          words.append(
            dropQuality == .accuracy
              ? "loses \(Words.fixed(drop * 100, 1)) points of accuracy"
              : "disagrees with the original on \(Words.percent(drop))"
          )
        }
      } else if !isDefault || dropQuality != .none {
        words.append("has no figure that a drop could be told by")
      }
    }
    if let limit = constraint.maxLatencyNanoseconds, report.median(record) > limit {
      words.append("takes \(Words.time(report.median(record)))")
    }
    if let limit = constraint.maxByteCount, record.model.byteCount > limit {
      words.append("is of \(Words.bytes(record.model.byteCount))")
    }
    return words
  }

  private func points(_ fraction: Double) -> String {
    let text = Words.short(fraction * 100)
    return text == "1" ? "1 point" : text + " points"
  }

  /// The constraint in words.
  var text: String {
    var parts: [String] = []
    if let limit = constraint.maxDrop {
      switch dropQuality {
      case .accuracy:
        parts.append("at most \(points(limit)) of accuracy lost")
      case .agreement:
        parts.append("the original's answer on at least \(Words.percent(1 - limit))")
      case .snr, .none: parts.append("at most \(points(limit)) lost")
      }
    }
    if let limit = constraint.maxLatencyNanoseconds { parts.append("at most \(Words.time(limit))") }
    if let limit = constraint.maxByteCount { parts.append("at most \(Words.bytes(limit))") }
    return parts.joined(separator: ", ")
  }
}
