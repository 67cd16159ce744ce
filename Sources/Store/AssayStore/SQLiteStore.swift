import AssayBase
import AssayHost
import AssayRecord
import Synchronization

// Safe because: the connection is used under the lock only.
/// A ledger in one SQLite file.
///
/// Key columns stand beside each record's whole JSON, so that other programs can query the file.
/// Triggers refuse what is not an append. Writing is by write-ahead log with a sync for each append;
/// several processes may append.
@safe public final class SQLiteStore: RecordStore, @unchecked Sendable {
  /// Where the records are, as it was opened.
  public let url: String
  private let connection: SQLiteConnection
  private let lock = Mutex(())

  /// Opens the file, makes it if there is none, and brings an older one to this version's schema
  /// after a backup beside it.
  ///
  /// - Throws: `Diagnostic` STO001 to STO007.
  public init(path: String) throws {
    url = "sqlite:" + path
    if !Host.exists(path) { try Host.makeFolders(Host.folder(of: path)) }
    connection = try SQLiteConnection(path: path)
    try SQLiteSchema.prepare(connection)
  }

  /// Appends records: all of them or none, synced to the disk before this returns.
  public func append(_ records: [Record]) throws {
    guard !records.isEmpty else { return }
    try lock.withLock { _ in
      try connection.transaction {
        for record in records { try SQLiteSchema.insert(record, into: connection) }
      }
    }
  }

  /// The records that a query asks for, in the order in which they were appended.
  ///
  /// - Throws: `Diagnostic` STO…; `Diagnostics` REC… that name each record that cannot be read.
  public func records(_ query: RecordQuery) throws -> [Record] {
    let (condition, values) = query.condition
    var sql = "SELECT seq, json FROM records\(condition) ORDER BY seq DESC"
    if let limit = query.limit { sql += " LIMIT \(max(limit, 0))" }
    return try lock.withLock { _ in
      var records: [Record] = []
      var faults: [Diagnostic] = []
      try connection.forEachRow(sql, values) { row in
        let frame = "record \(row[0].integer ?? 0)"
        do {
          records.append(try Record(json: JSON(parsing: row[1].text ?? "")))
        } catch let error as Diagnostic {
          faults.append(error.inside(frame).inside(connection.path))
        } catch let error as Diagnostics {
          faults += error.all.map { $0.inside(frame).inside(connection.path) }
        }
      }
      try Diagnostics(faults).throwIfErrors()
      return records.reversed()
    }
  }

  /// The number of records that a query asks for.
  public func count(_ query: RecordQuery) throws -> Int {
    let (condition, values) = query.condition
    let count = try lock.withLock { _ in
      try connection.run("SELECT count(*) FROM records\(condition)", values).first?.first?.integer
    }
    return min(Int(count ?? 0), query.limit.map { max($0, 0) } ?? .max)
  }

  /// The comparisons in the store, oldest first.
  public func sessions() throws -> [SessionInfo] {
    try lock.withLock { _ in
      try connection.run(
        "SELECT session, max(finished_at), count(*) FROM records GROUP BY session ORDER BY max(seq)"
      ).map { row in
        SessionInfo(
          id: row[0].text ?? "",
          finishedAt: row[1].integer ?? 0,
          count: Int(row[2].integer ?? 0)
        )
      }
    }
  }
}

extension RecordQuery {
  /// The query as the end of a statement, and its values.
  fileprivate var condition: (sql: String, values: [SQLValue]) {
    let wanted: [(column: String, value: String?)] = [
      ("session", session), ("model_sha256", modelSHA256), ("variant", variant),
      ("runtime", runtime), ("device", device),
    ]
    let given = wanted.compactMap { pair in pair.value.map { (pair.column, $0) } }
    if given.isEmpty { return ("", []) }
    return (
      " WHERE " + given.map { "\($0.0) = ?" }.joined(separator: " AND "),
      given.map { .text($0.1) }
    )
  }
}
