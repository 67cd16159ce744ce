import AssayBase
import AssayHost
import AssayRecord

/// The layout of the SQLite file, and the way from older layouts.
enum SQLiteSchema {
  /// The layout's number, kept in `PRAGMA user_version`.
  static let version: Int64 = 1
  /// `ASSY`, kept in `PRAGMA application_id`.
  static let applicationID: Int64 = 0x4153_5359

  /// The statements that make the layout, one idea a statement.
  static let statements = [
    """
    CREATE TABLE records (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      session TEXT NOT NULL,
      finished_at INTEGER NOT NULL,
      model_sha256 TEXT NOT NULL,
      artefact TEXT NOT NULL,
      variant TEXT NOT NULL,
      runtime TEXT NOT NULL,
      provider TEXT NOT NULL,
      device TEXT NOT NULL,
      threads INTEGER NOT NULL,
      verdict TEXT NOT NULL,
      json TEXT NOT NULL
    )
    """,
    "CREATE INDEX records_session ON records (session)",
    "CREATE INDEX records_model ON records (model_sha256, variant, runtime)",
    """
    CREATE TRIGGER records_keep BEFORE DELETE ON records
    BEGIN SELECT RAISE(ABORT, 'records are append-only'); END
    """,
    """
    CREATE TRIGGER records_fixed BEFORE UPDATE ON records
    BEGIN SELECT RAISE(ABORT, 'records are append-only'); END
    """,
    """
    CREATE TRIGGER records_new BEFORE INSERT ON records
    WHEN EXISTS (SELECT 1 FROM records WHERE id = NEW.id OR seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'there is a record of this id already'); END
    """,
  ]

  /// Makes the layout in a new file, or brings an older file to it.
  static func prepare(_ connection: SQLiteConnection) throws {
    try connection.run("PRAGMA trusted_schema = OFF")
    // A file of another program is left as it is: look before anything is written.
    _ = try check(connection)
    try retrying { _ = try connection.run("PRAGMA journal_mode = WAL") }
    try connection.run("PRAGMA synchronous = FULL")
    if try check(connection) == version { return }
    // Beside the write lock another process may do the same; the second finds it done.
    try backUp(connection)
    try connection.transaction {
      let found = try check(connection)
      if found == version { return }
      if try hasTable(connection) {
        try migrateFromZero(connection)
      } else {
        for statement in statements { try connection.run(statement) }
      }
      try connection.run("PRAGMA application_id = \(applicationID)")
      try connection.run("PRAGMA user_version = \(version)")
    }
  }

  /// The layout's number in the file.
  ///
  /// - Throws: `Diagnostic` STO002 for a file of another program, STO003 for a newer layout.
  private static func check(_ connection: SQLiteConnection) throws -> Int64 {
    let id = try connection.pragma("application_id")
    let found = try connection.pragma("user_version")
    let tables = try connection.run("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .compactMap { $0.first?.text }.filter { !$0.hasPrefix("sqlite_") }
    let isOurs =
      id == applicationID || (id == 0 && found == 0 && Set(tables).isSubset(of: ["records"]))
    guard isOurs else {
      throw Diagnostic(
        "STO002",
        "this is the database of another program",
        at: [connection.path],
        remedy: "give another path for the store (--store)"
      )
    }
    guard found <= version else {
      throw Diagnostic(
        "STO003",
        "the store has layout \(found), this program knows layouts up to \(version)",
        at: [connection.path],
        remedy: "use the newer version of assay that wrote it, or another store (--store)"
      )
    }
    return found
  }

  private static func hasTable(_ connection: SQLiteConnection) throws -> Bool {
    try !connection.run("SELECT 1 FROM sqlite_schema WHERE name = 'records'").isEmpty
  }

  /// Copies a file that holds records to `PATH.v<layout>.backup` before its layout is changed.
  private static func backUp(_ connection: SQLiteConnection) throws {
    guard try hasTable(connection) else { return }
    let layout = try check(connection)
    if layout == version { return }
    var copy = "\(connection.path).v\(layout).backup"
    var number = 1
    while Host.exists(copy) {
      number += 1
      copy = "\(connection.path).v\(layout).backup-\(number)"
    }
    try connection.run("VACUUM INTO ?", [.text(copy)])
  }

  /// Layout 0 had the id and the JSON of each record, nothing else.
  private static func migrateFromZero(_ connection: SQLiteConnection) throws {
    try connection.run("ALTER TABLE records RENAME TO records_0")
    for statement in statements { try connection.run(statement) }
    var faults: [Diagnostic] = []
    for row in try connection.run("SELECT json FROM records_0 ORDER BY rowid") {
      do {
        try insert(Record(json: JSON(parsing: row[0].text ?? "")), into: connection)
      } catch let error as Diagnostic {
        faults.append(error.inside(connection.path))
      } catch let error as Diagnostics {
        faults += error.all.map { $0.inside(connection.path) }
      }
    }
    // A record that cannot be read would be lost: leave the file as it was.
    try Diagnostics(faults).throwIfErrors()
    try connection.run("DROP TABLE records_0")
  }

  static func insert(_ record: Record, into connection: SQLiteConnection) throws {
    try connection.run(
      """
      INSERT INTO records (id, session, finished_at, model_sha256, artefact, variant, runtime,
        provider, device, threads, verdict, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(record.id), .text(record.session), .integer(record.finishedAt),
        .text(record.model.sha256), .text(record.artefact), .text(record.variant),
        .text(record.runtime), .text(record.provider), .text(record.device),
        .integer(Int64(record.threads)), .text(record.verdict.rawValue),
        .text(record.json.text()),
      ]
    )
  }

  /// Switching to the write-ahead log does not wait for other processes by itself.
  private static func retrying(_ body: () throws -> Void) throws {
    let deadline = Host.monotonicNanoseconds() + 10_000_000_000
    while true {
      do {
        return try body()
      } catch let error as Diagnostic where error.code == "STO004" {
        if Host.monotonicNanoseconds() > deadline { throw error }
        Host.sleep(nanoseconds: 5_000_000)
      }
    }
  }
}
