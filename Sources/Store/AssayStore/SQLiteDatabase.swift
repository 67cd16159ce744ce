import AssayBase
import CSQLite

/// A connection to an SQLite file: statements with bound values, nothing else.
@safe final class SQLiteDatabase {
  /// A value of a column or parameter.
  enum Value: Equatable {
    case null
    case integer(Int64)
    case text(String)
  }

  let path: String
  private var handle: OpaquePointer?

  /// Opens the file, making it when it is absent.
  init(path: String, isReadOnly: Bool = false) throws {
    self.path = path
    let mode = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let status = unsafe sqlite3_open_v2(path, &handle, mode | SQLITE_OPEN_NOMUTEX, nil)
    guard status == SQLITE_OK else {
      let cause = unsafe handle.map { unsafe String(cString: sqlite3_errmsg($0)) }
      unsafe sqlite3_close_v2(handle)
      throw Diagnostic(
        "STO002",
        "the store cannot be opened",
        at: [path],
        remedy: "check that its folder exists and may be written to, or give --store PATH",
        cause: cause
      )
    }
    // Another process that appends holds the lock for milliseconds.
    unsafe sqlite3_busy_timeout(handle, 30_000)
  }

  deinit { unsafe sqlite3_close_v2(handle) }

  /// Runs one statement and returns its rows.
  @discardableResult
  func run(_ sql: String, _ parameters: [Value] = []) throws -> [[Value]] {
    var statement: OpaquePointer?
    guard unsafe sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else {
      throw fault(sql)
    }
    defer { unsafe sqlite3_finalize(statement) }
    for (index, value) in parameters.enumerated() {
      try unsafe bind(value, to: Int32(index + 1), of: statement, sql)
    }
    var rows: [[Value]] = []
    while true {
      switch unsafe sqlite3_step(statement) {
      case SQLITE_ROW: rows.append(unsafe row(statement))
      case SQLITE_DONE: return rows
      default: throw fault(sql)
      }
    }
  }

  /// Runs `body` as one transaction: all of it or nothing.
  func transaction(_ body: () throws -> Void) throws {
    try run("BEGIN IMMEDIATE")
    do {
      try body()
      try run("COMMIT")
    } catch {
      _ = try? run("ROLLBACK")
      throw error
    }
  }

  private func bind(
    _ value: Value,
    to index: Int32,
    of statement: OpaquePointer?,
    _ sql: String
  )
    throws
  {
    let status =
      switch value {
      case .null: unsafe sqlite3_bind_null(statement, index)
      case .integer(let number): unsafe sqlite3_bind_int64(statement, index, number)
      case .text(let text):
        // The library copies the text: its lifetime is that of the call.
        unsafe sqlite3_bind_text64(
          statement,
          index,
          text,
          UInt64(text.utf8.count),
          sqliteTransient,
          UInt8(SQLITE_UTF8)
        )
      }
    guard status == SQLITE_OK else { throw fault(sql) }
  }

  private func row(_ statement: OpaquePointer?) -> [Value] {
    let columns = unsafe sqlite3_column_count(statement)
    return (0..<columns).map { column in
      switch unsafe sqlite3_column_type(statement, column) {
      case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(statement, column))
      case SQLITE_NULL: return .null
      default:
        guard let text = unsafe sqlite3_column_text(statement, column) else { return .null }
        let count = Int(unsafe sqlite3_column_bytes(statement, column))
        let bytes = unsafe UnsafeBufferPointer(start: text, count: count)
        return .text(unsafe String(decoding: bytes, as: UTF8.self))
      }
    }
  }

  private func fault(_ sql: String) -> Diagnostic {
    let words = unsafe String(cString: sqlite3_errmsg(handle))
    let (code, summary, remedy): (String, String, String) =
      switch unsafe sqlite3_errcode(handle) & 0xFF {
      case SQLITE_FULL, SQLITE_IOERR:
        ("STO003", "the store cannot be written: the disk is full or failing", "free some space")
      case SQLITE_BUSY, SQLITE_LOCKED:
        ("STO004", "the store is locked by another process", "wait for it, then try again")
      case SQLITE_CORRUPT, SQLITE_NOTADB:
        (
          "STO005", "this file is no store, or it is damaged",
          "restore it from a backup beside it, or give another --store"
        )
      case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
        ("STO006", "the store may not be written to", "change its permissions or give --store PATH")
      case SQLITE_CONSTRAINT:
        ("STO007", "the store refuses this change", "records are appended, never changed")
      default: ("STO008", "the store failed", "see the cause")
      }
    return Diagnostic(code, summary, at: [path], remedy: remedy, cause: words)
  }
}

/// SQLite's mark for text that it must copy (the macro is a cast that Swift does not see).
private let sqliteTransient = unsafe unsafeBitCast(
  -1 as Int,
  to: (@convention(c) (UnsafeMutableRawPointer?) -> Void).self
)
