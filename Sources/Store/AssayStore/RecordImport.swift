import AssayBase
import AssayRecord

/// Records from files that `assay store export` or a sweep wrote.
public enum RecordImport {
  /// The formats that can be read.
  public static let formats = ["jsonl", "csv"]

  /// What an import did, or would do.
  public struct Outcome: Sendable, Equatable {
    /// Records that are new to the store.
    public var added = 0
    /// Records that the store has, word for word.
    public var known = 0
    /// Makes an outcome of nothing.
    public init() {}
  }

  /// The records of a text.
  ///
  /// - Parameters:
  ///   - format: one of `formats`.
  ///   - csv: takes a CSV text apart into records of fields, each with its first line.
  /// - Throws: `Diagnostics` with every line that is no record: STO012, REC….
  public static func records(
    _ text: String,
    format: String,
    csv: (String) throws -> [(line: Int, fields: [String])]
  ) throws -> [Record] {
    var faults: [Diagnostic] = []
    var records: [Record] = []
    func read(_ text: String, _ line: Int) {
      do {
        records.append(try Record(json: JSON(parsing: text)))
      } catch let error as Diagnostic {
        faults.append(error.inside("line \(line)"))
      } catch let error as Diagnostics {
        faults += error.all.map { $0.inside("line \(line)") }
      } catch {
        faults.append(Diagnostic("STO012", "this is no record", at: ["line \(line)"]))
      }
    }
    if format == "csv" {
      let rows = try csv(text)
      guard let column = rows.first?.fields.firstIndex(of: "record") else {
        throw Diagnostic(
          "STO012",
          "the table has no column 'record' with the whole records",
          remedy: "write it with assay store export --format csv"
        )
      }
      for row in rows.dropFirst() {
        guard row.fields.indices.contains(column) else {
          faults.append(
            Diagnostic("STO012", "the line is too short", at: ["line \(row.line)"])
          )
          continue
        }
        read(row.fields[column], row.line)
      }
    } else {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() where line.contains(where: { !$0.isWhitespace }) {
        read(String(line), index + 1)
      }
    }
    try Diagnostics(faults).throwIfErrors()
    return records
  }

  /// Adds records to a store: all that are new, or none when one cannot be added.
  ///
  /// - Parameter isDry: only tells what would be done.
  /// - Throws: `Diagnostics` STO013 with every record whose id stands for another record there.
  public static func add(
    _ records: [Record],
    to store: any RecordStore,
    isDry: Bool = false
  ) throws -> Outcome {
    var outcome = Outcome()
    var fresh: [Record] = []
    var faults: [Diagnostic] = []
    var seen: [String: Record] = [:]
    for record in records {
      let other = try seen[record.id] ?? store.records(RecordQuery(id: record.id)).first
      seen[record.id] = record
      switch other {
      case nil: fresh.append(record)
      case record?: outcome.known += 1
      default:
        faults.append(
          Diagnostic(
            "STO013",
            "the store has another record under this id",
            at: [record.id],
            remedy: "import into a store of its own"
          )
        )
      }
    }
    try Diagnostics(faults).throwIfErrors()
    outcome.added = fresh.count
    if !isDry { try store.append(fresh) }
    return outcome
  }
}
