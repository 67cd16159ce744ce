import AssayBase
import CSQLite

/// A connection to an SQLite file; used by one thread at a time.
@safe final class SQLiteConnection: SQLDatabase {
  let path: String
  var url: String { "sqlite:" + path }
  var dialect: SQLDialect { .sqlite }
  private let handle: OpaquePointer
  /// Statements that were prepared and are not in use, by their text.
  private var prepared: [String: OpaquePointer] = unsafe [:]
  /// The one that was used last, which most often is the next one too.
  private var last: (sql: String, statement: OpaquePointer)?

  /// Opens the file, and makes it if it does not exist.
  init(path: String) throws {
    self.path = path
    var handle: OpaquePointer?
    // One thread at a time uses it: SQLite's own locks would be for nothing.
    let flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX
    let status = unsafe sqlite3_open_v2(path, &handle, flags, nil)
    guard let open = unsafe handle, status == SQLITE_OK else {
      let words = unsafe handle.map { unsafe String(cString: sqlite3_errmsg($0)) }
      unsafe sqlite3_close_v2(handle)
      throw SQLiteConnection.diagnostic(status, words: words, path: path)
    }
    unsafe self.handle = open
    unsafe sqlite3_busy_timeout(open, 10_000)
  }

  deinit {
    unsafe prepared.values.forEach { unsafe sqlite3_finalize($0) }
    if let last = unsafe last { unsafe sqlite3_finalize(last.statement) }
    unsafe sqlite3_close_v2(handle)
  }

  /// Runs one statement and hands over its rows one by one.
  func forEachRow(_ sql: String, _ values: [SQLValue], _ body: ([SQLValue]) throws -> Void) throws {
    // Taken out while it runs: a statement inside its own rows gets another one.
    var statement: OpaquePointer? = unsafe taken(sql)
    if unsafe statement == nil {
      try check(unsafe sqlite3_prepare_v2(handle, sql, -1, &statement, nil), sql)
    }
    defer { unsafe keep(statement, sql) }
    // SQLite copies what is bound with this in place of a destructor.
    let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    for (index, value) in values.enumerated() {
      let place = Int32(index + 1)
      let status =
        switch value {
        case .null: unsafe sqlite3_bind_null(statement, place)
        case .integer(let number): unsafe sqlite3_bind_int64(statement, place, number)
        case .real(let number): unsafe sqlite3_bind_double(statement, place, number)
        case .text(let text):
          unsafe sqlite3_bind_text(statement, place, text, Int32(text.utf8.count), copied)
        }
      try check(status, sql)
    }
    while true {
      let status = unsafe sqlite3_step(statement)
      if status == SQLITE_DONE { return }
      guard status == SQLITE_ROW else { throw diagnostic(status, sql) }
      let count = unsafe sqlite3_column_count(statement)
      try body((0..<count).map { unsafe SQLiteConnection.column(statement, $0) })
    }
  }

  /// A statement that was prepared before.
  private func taken(_ sql: String) -> OpaquePointer? {
    if let found = unsafe last, unsafe found.sql == sql {
      unsafe last = nil
      return unsafe found.statement
    }
    return unsafe prepared.removeValue(forKey: sql)
  }

  /// Puts a statement back for its next use; a few at most are kept.
  private func keep(_ statement: OpaquePointer?, _ sql: String) {
    unsafe sqlite3_reset(statement)
    unsafe sqlite3_clear_bindings(statement)
    guard let statement = unsafe statement else { return }
    if let former = unsafe last { unsafe store(former.statement, former.sql) }
    unsafe last = (sql, statement)
  }

  private func store(_ statement: OpaquePointer, _ sql: String) {
    if unsafe prepared.count < 64, unsafe prepared[sql] == nil {
      unsafe prepared[sql] = statement
    } else {
      unsafe sqlite3_finalize(statement)
    }
  }

  private static func column(_ statement: OpaquePointer?, _ index: Int32) -> SQLValue {
    switch unsafe sqlite3_column_type(statement, index) {
    case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(statement, index))
    case SQLITE_FLOAT: return .real(unsafe sqlite3_column_double(statement, index))
    case SQLITE_NULL: return .null
    default:
      guard let start = unsafe sqlite3_column_text(statement, index) else { return .null }
      let count = Int(unsafe sqlite3_column_bytes(statement, index))
      let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
      return .text(unsafe String(decoding: bytes, as: UTF8.self))
    }
  }

  /// Runs `body` in a transaction that holds the write lock; what it throws undoes its changes.
  func transaction<T>(_ body: () throws -> T) throws -> T {
    try run("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try run("COMMIT")
      return result
    } catch {
      // The first fault matters; SQLite may have rolled back by itself already.
      _ = try? run("ROLLBACK")
      throw error
    }
  }

  /// The library's version.
  static var version: String { unsafe String(cString: sqlite3_libversion()) }

  /// A whole number that a pragma tells.
  func pragma(_ name: String) throws -> Int64 {
    try run("PRAGMA \(name)").first?.first?.integer ?? 0
  }

  private func check(_ status: Int32, _ sql: String) throws {
    guard status == SQLITE_OK else { throw diagnostic(status, sql) }
  }

  private func diagnostic(_ status: Int32, _ sql: String) -> Diagnostic {
    let words = unsafe String(cString: sqlite3_errmsg(handle))
    return SQLiteConnection.diagnostic(status, words: words, path: path)
  }

  private static func diagnostic(_ status: Int32, words: String?, path: String) -> Diagnostic {
    let (code, summary, remedy): (String, String, String) =
      switch status & 0xFF {
      case SQLITE_BUSY, SQLITE_LOCKED:
        ("STO004", "the store is locked by another process", "wait until that one has ended")
      case SQLITE_FULL:
        ("STO005", "there is no space left for the store", "free space on its disk")
      case SQLITE_CORRUPT, SQLITE_NOTADB:
        (
          "STO002", "this is no store, or a damaged one",
          "move the file away and start a new store, or put a backup in its place"
        )
      case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH:
        (
          "STO001", "the store cannot be opened for writing",
          "give a path in a folder that you may write to (--store)"
        )
      case SQLITE_CONSTRAINT:
        ("STO006", "the store refuses this change", "records are only ever appended, under new ids")
      default: ("STO007", "the store failed", "check its disk, and the file's permissions")
      }
    return Diagnostic(
      code,
      summary,
      at: [path],
      remedy: remedy,
      cause: [words, "SQLite status \(status)"].compactMap(\.self).joined(separator: ", ")
    )
  }
}
