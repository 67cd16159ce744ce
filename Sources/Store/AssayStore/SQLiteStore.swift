import AssayBase
import AssayHost
import AssayRecord

/// The ledger in an SQLite file.
///
/// One row holds one record: key columns to search by, and the whole record as JSON. Triggers refuse
/// changes and deletions. Writes are synced before they are acknowledged (WAL, synchronous=FULL);
/// several processes may append.
public final class SQLiteStore: RecordStore {
  /// The version of the tables that this code writes (`PRAGMA user_version`).
  public static let schemaVersion = 2

  private let database: SQLiteDatabase

  /// The store's path with its scheme.
  public var url: String { "sqlite:\(database.path)" }

  /// Opens the store at `path`, making it and its folder when they are absent.
  ///
  /// A store of an older version is copied to `path.backup-vN` and brought up to date.
  ///
  /// - Throws: `Diagnostic` STO002-STO008; STO009 for a store of a newer version.
  public init(path: String) throws {
    try Host.makeFolders(Host.folder(of: path))
    database = try SQLiteDatabase(path: path)
    try database.run("PRAGMA journal_mode=WAL")
    try database.run("PRAGMA synchronous=FULL")
    try migrate()
  }

  private func version() throws -> Int {
    guard case .integer(let version)? = try database.run("PRAGMA user_version").first?.first else {
      return 0
    }
    return Int(version)
  }

  private func migrate() throws {
    let found = try version()
    guard found <= SQLiteStore.schemaVersion else {
      throw Diagnostic(
        "STO009",
        "the store was written by a newer assay (tables of version \(found))",
        at: [database.path],
        remedy: "update assay, or give another --store"
      )
    }
    guard found < SQLiteStore.schemaVersion else { return }
    if found > 0 {
      let backup = "\(database.path).backup-v\(found)"
      if !Host.exists(backup) { try database.run("VACUUM INTO ?", [.text(backup)]) }
    }
    try database.transaction {
      // Another process may have migrated while this one waited for the lock.
      for step in try version()..<SQLiteStore.schemaVersion {
        for statement in SQLiteStore.migrations[step] { try database.run(statement) }
      }
      try database.run("PRAGMA user_version = \(SQLiteStore.schemaVersion)")
    }
  }

  /// Statements that lead from each version to the next.
  static let migrations: [[String]] = [
    [
      """
      CREATE TABLE record (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        session TEXT NOT NULL,
        finished_at INTEGER NOT NULL,
        model_sha256 TEXT NOT NULL,
        artefact TEXT NOT NULL,
        variant TEXT NOT NULL,
        runtime TEXT NOT NULL,
        version TEXT NOT NULL,
        provider TEXT NOT NULL,
        device TEXT NOT NULL,
        threads INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        json TEXT NOT NULL
      )
      """,
      "CREATE INDEX record_session ON record (session)",
      "CREATE INDEX record_model ON record (model_sha256, variant, runtime)",
    ],
    [
      """
      CREATE TRIGGER record_is_never_changed BEFORE UPDATE ON record
      BEGIN SELECT RAISE(ABORT, 'records are never changed'); END
      """,
      """
      CREATE TRIGGER record_is_never_removed BEFORE DELETE ON record
      BEGIN SELECT RAISE(ABORT, 'records are never removed'); END
      """,
    ],
  ]

  public func append(_ records: [Record]) throws {
    try database.transaction {
      for record in records {
        try database.run(
          """
          INSERT INTO record (id, session, finished_at, model_sha256, artefact, variant, runtime,
            version, provider, device, threads, verdict, json)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
          [
            .text(record.id), .text(record.session), .integer(record.finishedAt),
            .text(record.model.sha256), .text(record.artefact), .text(record.variant),
            .text(record.runtime), .text(record.version), .text(record.provider),
            .text(record.device), .integer(Int64(record.threads)), .text(record.verdict.rawValue),
            .text(record.json.text()),
          ]
        )
      }
    }
  }

  public func records(_ query: RecordQuery) throws -> [Record] {
    var conditions: [String] = []
    var parameters: [SQLiteDatabase.Value] = []
    for (column, value) in [
      ("session", query.session), ("model_sha256", query.modelSHA256), ("variant", query.variant),
      ("runtime", query.runtime),
    ] {
      guard let value else { continue }
      conditions.append("\(column) = ?")
      parameters.append(.text(value))
    }
    let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    parameters.append(.integer(query.limit.map { Int64($0) } ?? -1))
    let rows = try database.run(
      "SELECT json FROM record\(filter) ORDER BY sequence DESC LIMIT ?",
      parameters
    )
    return try rows.reversed().compactMap { row in
      guard case .text(let text)? = row.first else { return nil }
      return try locating(database.path) { try Record(json: try JSON(parsing: text)) }
    }
  }

  public func count() throws -> Int {
    guard case .integer(let count)? = try database.run("SELECT count(*) FROM record").first?.first
    else { return 0 }
    return Int(count)
  }
}
