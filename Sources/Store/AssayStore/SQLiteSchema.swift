import AssayBase
import AssayHost
import AssayRecord

/// The layout of the SQLite file, and the way from older layouts.
enum SQLiteSchema {
  /// `ASSY`, kept in `PRAGMA application_id`; the layout's number is in `PRAGMA user_version`.
  static let applicationID: Int64 = 0x4153_5359

  /// Makes the layout in a new file, or brings an older file to it.
  static func prepare(_ connection: SQLiteConnection) throws {
    try connection.run("PRAGMA trusted_schema = OFF")
    // A file of another program is left as it is: look before anything is written.
    _ = try check(connection)
    try retrying { _ = try connection.run("PRAGMA journal_mode = WAL") }
    try connection.run("PRAGMA synchronous = FULL")
    // Keys of trials are random: their index, 80 MB of a million, is the one that wants to stay in memory.
    try connection.run("PRAGMA cache_size = -131072")
    // Each page that changed in between is copied into the file once, not once per thousand pages.
    try connection.run("PRAGMA wal_autocheckpoint = 64000")
    // A trigger may end each insertion, so that SQLite notes what it changes: not in a file of its own,
    // which would be written more often than the store itself.
    try connection.run("PRAGMA temp_store = MEMORY")
    if try check(connection) == StoreLayout.version { return }
    // Beside the write lock another process may do the same; the second finds it done.
    try backUp(connection)
    try connection.transaction {
      let found = try check(connection)
      if found == StoreLayout.version { return }
      if try hasTable(connection) {
        try found == 2 ? migrateFromTwo(connection) : migrate(from: found, connection)
      } else {
        for statement in StoreLayout.statements(.sqlite) { try connection.run(statement) }
      }
      try connection.run("PRAGMA application_id = \(applicationID)")
      try connection.run("PRAGMA user_version = \(StoreLayout.version)")
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
    guard found <= StoreLayout.version else { throw newer(found, at: connection.path) }
    return found
  }

  /// The finding that a store has a layout of the future.
  static func newer(_ found: Int64, at place: String) -> Diagnostic {
    Diagnostic(
      "STO003",
      "the store has layout \(found), this program knows layouts up to \(StoreLayout.version)",
      at: [place],
      remedy: "use the newer version of assay that wrote it, or another store (--store)"
    )
  }

  private static func hasTable(_ connection: SQLiteConnection) throws -> Bool {
    try !connection.run("SELECT 1 FROM sqlite_schema WHERE name = 'records'").isEmpty
  }

  /// Copies a file that holds records to `PATH.v<layout>.backup` before its layout is changed.
  private static func backUp(_ connection: SQLiteConnection) throws {
    guard try hasTable(connection) else { return }
    let layout = try check(connection)
    if layout == StoreLayout.version { return }
    var copy = "\(connection.path).v\(layout).backup"
    var number = 1
    while Host.exists(copy) {
      number += 1
      copy = "\(connection.path).v\(layout).backup-\(number)"
    }
    try connection.run("VACUUM INTO ?", [.text(copy)])
  }

  /// Layout 0 had the id and the JSON of each record, layout 1 some columns beside it: what a record
  /// says is in its JSON, so that each is added anew, word for word, in the same order.
  private static func migrate(from layout: Int64, _ connection: SQLiteConnection) throws {
    for name in ["records_keep", "records_fixed", "records_new"] {
      try connection.run("DROP TRIGGER IF EXISTS \(name)")
    }
    for name in ["records_session", "records_model"] {
      try connection.run("DROP INDEX IF EXISTS \(name)")
    }
    try connection.run("ALTER TABLE records RENAME TO records_old")
    for statement in StoreLayout.statements(.sqlite) { try connection.run(statement) }
    var faults: [Diagnostic] = []
    try connection.forEachRow("SELECT json FROM records_old ORDER BY rowid", []) { row in
      let text = row[0].text ?? ""
      do {
        let record = try Record(json: JSON(parsing: text))
        try StoreLayout.insert(
          StoreLayout.row(of: record, text: text),
          trial: nil,
          into: connection
        )
      } catch let error as Diagnostic {
        faults.append(error.inside(connection.path))
      } catch let error as Diagnostics {
        faults += error.all.map { $0.inside(connection.path) }
      }
    }
    // A record that cannot be read would be lost: leave the file as it was.
    try Diagnostics(faults).throwIfErrors()
    try connection.run("DROP TABLE records_old")
  }

  /// Layout 2 had wide indexes in place of the table of configurations; its records are as they are now.
  private static func migrateFromTwo(_ connection: SQLiteConnection) throws {
    for name in ["records_model", "records_trial"] { try connection.run("DROP INDEX \(name)") }
    for name in ["records_keep", "records_fixed", "records_new"] {
      try connection.run("DROP TRIGGER \(name)")
    }
    let statements = StoreLayout.configurations(.sqlite) + StoreLayout.sqliteGuards("records")
    for statement in statements { try connection.run(statement) }
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
