import AssayBase
import AssayRecord

/// Records as CSV: a line each, the figures that people compare in columns, and the whole record as JSON
/// in the last column, from which it can be read again.
public struct RecordTable: Sendable {
  /// Whether the last column is there.
  public var hasWholeRecord: Bool

  /// Makes a table.
  public init(hasWholeRecord: Bool = false) { self.hasWholeRecord = hasWholeRecord }

  private static let columns: [(name: String, value: @Sendable (Record, Summary) -> String)] = [
    ("id", { record, _ in record.id }),
    ("session", { record, _ in record.session }),
    ("finished_at_ns", { record, _ in "\(record.finishedAt)" }),
    ("model", { record, _ in record.model.path }),
    ("model_sha256", { record, _ in record.model.sha256 }),
    ("bytes", { record, _ in "\(record.model.byteCount)" }),
    ("artefact", { record, _ in record.artefact }),
    ("variant", { record, _ in record.variant }),
    ("runtime", { record, _ in record.runtime }),
    ("version", { record, _ in record.version }),
    ("provider", { record, _ in record.provider }),
    ("device", { record, _ in record.device }),
    ("threads", { record, _ in "\(record.threads)" }),
    ("repetition", { record, _ in record.trial.map { "\($0.repetition)" } ?? "" }),
    ("verdict", { record, _ in record.verdict.rawValue }),
    ("samples", { record, _ in "\(record.samples.count)" }),
    ("p50_ns", { _, summary in text(summary.p50.value?.value) }),
    ("p90_ns", { _, summary in text(summary.p90.value?.value) }),
    ("p99_ns", { _, summary in text(summary.p99.value?.value) }),
    ("mean_ns", { _, summary in text(summary.mean.value) }),
    ("compile_ns", { record, _ in text(record.initialization.compile.value) }),
    ("first_ns", { record, _ in text(record.initialization.first.value) }),
    ("peak_memory_bytes", { record, _ in text(record.peakMemoryBytes.value) }),
    ("accuracy", { record, _ in text(record.accuracy.value) }),
    ("agreement", { record, _ in text(record.agreement.value) }),
    ("reasons", { record, _ in record.reasons.map(\.code).joined(separator: " ") }),
  ]

  /// The first line.
  public var header: String {
    (RecordTable.columns.map(\.name) + (hasWholeRecord ? ["record"] : [])).joined(separator: ",")
      + "\n"
  }

  /// The line of a record.
  public func line(_ record: Record) -> String {
    let summary = record.summary
    var fields = RecordTable.columns.map { $0.value(record, summary) }
    if hasWholeRecord { fields.append(record.json(summary).text()) }
    return fields.map(RecordTable.quoted).joined(separator: ",") + "\n"
  }

  private static func text(_ value: (some CustomStringConvertible)?) -> String {
    value.map { $0.description } ?? ""
  }

  /// A field as RFC 4180 has it.
  private static func quoted(_ field: String) -> String {
    guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
    return "\"" + field.replacing("\"", with: "\"\"") + "\""
  }
}
