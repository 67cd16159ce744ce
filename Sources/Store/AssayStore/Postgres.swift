import AssayBase
import CPostgres

/// A connection to a PostgreSQL server; used by one thread at a time.
@safe final class PostgresConnection: SQLDatabase {
  let url: String
  var dialect: SQLDialect { .postgres }
  private let library: PostgresLibrary
  private let handle: OpaquePointer

  /// Connects by a URL as libpq takes it, `postgres://user@host:port/database?…`.
  ///
  /// - Throws: `Diagnostic` STO010 (no libpq), STO011 (no connection).
  init(url: String) throws {
    self.url = PostgresConnection.withoutSecrets(url)
    library = try PostgresLibrary.shared.get()
    let table = library.table
    guard let handle = unsafe table.PQconnectdb(url) else {
      throw Diagnostic("STO011", "libpq cannot make a connection", at: [self.url])
    }
    guard unsafe table.PQstatus(handle) == CPG_CONNECTION_OK else {
      let words = unsafe table.PQerrorMessage(handle).map { unsafe String(cString: $0) } ?? ""
      unsafe table.PQfinish(handle)
      throw Diagnostic(
        "STO011",
        "the database server cannot be reached",
        at: [self.url],
        remedy: "check host, port, database and user of the URL, and that the server runs",
        cause: PostgresConnection.trimmed(words)
      )
    }
    unsafe self.handle = handle
    unsafe _ = table.PQsetNoticeProcessor(handle, cpg_ignore_notice, nil)
    unsafe _ = table.PQsetClientEncoding(handle, "UTF8")
    // What is acknowledged must be on the server's disk, whatever its default is.
    try run("SET synchronous_commit = on")
    try run("SET lock_timeout = '10s'")
  }

  deinit { unsafe library.table.PQfinish(handle) }

  func forEachRow(_ sql: String, _ values: [SQLValue], _ body: ([SQLValue]) throws -> Void) throws {
    let table = library.table
    let texts = values.map(PostgresConnection.text)
    let result = unsafe withTexts(texts[...], []) { list in
      unsafe table.PQexecParams(handle, sql, Int32(list.count), nil, list.baseAddress, nil, nil, 0)
    }
    defer { unsafe table.PQclear(result) }
    let status = unsafe Int(table.PQresultStatus(result))
    guard status == CPG_TUPLES_OK || status == CPG_COMMAND_OK || status == CPG_EMPTY_QUERY else {
      throw unsafe fault(result)
    }
    guard status == CPG_TUPLES_OK else { return }
    let columns = unsafe table.PQnfields(result)
    let types = (0..<columns).map { unsafe table.PQftype(result, $0) }
    for row in 0..<(unsafe table.PQntuples(result)) {
      try body((0..<columns).map { unsafe value(result, row, $0, types[Int($0)]) })
    }
  }

  private func value(
    _ result: OpaquePointer?,
    _ row: Int32,
    _ column: Int32,
    _ type: UInt32
  ) -> SQLValue {
    let table = library.table
    guard unsafe table.PQgetisnull(result, row, column) == 0,
      let start = unsafe table.PQgetvalue(result, row, column)
    else { return .null }
    let count = Int(unsafe table.PQgetlength(result, row, column))
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    switch type {
    // int8, int2, int4, and float4, float8, numeric
    case 20, 21, 23: return Int64(text).map { .integer($0) } ?? .null
    case 700, 701, 1700: return Double(text).map { .real($0) } ?? .null
    default: return .text(text)
    }
  }

  func transaction<T>(_ body: () throws -> T) throws -> T {
    try run("BEGIN")
    do {
      let result = try body()
      try run("COMMIT")
      return result
    } catch {
      // The first fault matters; a lost connection has rolled back by itself.
      _ = try? run("ROLLBACK")
      throw error
    }
  }

  private static func text(_ value: SQLValue) -> String? {
    switch value {
    case .null: nil
    case .integer(let number): String(number)
    case .real(let number): "\(number)"
    // PostgreSQL's texts hold no NUL, and C's end at one.
    case .text(let text): text.contains("\0") ? text.replacing("\0", with: "\u{FFFD}") : text
    }
  }

  /// Calls `body` with a C string for each text.
  private func withTexts<R>(
    _ texts: ArraySlice<String?>,
    _ pointers: [UnsafePointer<CChar>?],
    _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> R
  ) -> R {
    guard let first = texts.first else { return unsafe pointers.withUnsafeBufferPointer(body) }
    guard let text = first else {
      return unsafe withTexts(texts.dropFirst(), pointers + [nil], body)
    }
    return unsafe text.withCString { unsafe withTexts(texts.dropFirst(), pointers + [$0], body) }
  }

  private func fault(_ result: OpaquePointer?) -> Diagnostic {
    let table = library.table
    let state =
      unsafe table.PQresultErrorField(result, Int32(CPG_SQLSTATE))
      .map { unsafe String(cString: $0) } ?? ""
    let words =
      unsafe (table.PQresultErrorMessage(result) ?? table.PQerrorMessage(handle))
      .map { unsafe String(cString: $0) } ?? ""
    let (code, summary, remedy): (String, String, String) =
      switch state.prefix(2) {
      case "23":
        ("STO006", "the store refuses this change", "records are only ever appended, under new ids")
      case "53": ("STO005", "the server has no room left", "free space on its disk, or its memory")
      case "55":
        ("STO004", "the store is locked by another process", "wait until that one has ended")
      case "28", "42":
        (
          "STO001", "the server does not allow this",
          "give a user who may make tables in the database (assay store migrate does so once)"
        )
      case "", "08", "57":
        ("STO011", "the connection to the database server is lost", "go on when the server is back")
      default: ("STO007", "the store failed", "see the server's own log")
      }
    let cause = [PostgresConnection.trimmed(words), state.isEmpty ? nil : "SQLSTATE \(state)"]
    return Diagnostic(
      code,
      summary,
      at: [url],
      remedy: remedy,
      cause: cause.compactMap(\.self).joined(separator: ", ")
    )
  }

  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }

  /// The URL as people may see it: a password becomes `***`.
  static func withoutSecrets(_ url: String) -> String {
    var shown = url
    if let start = shown.firstRange(of: "://")?.upperBound {
      let authority = shown[start...].prefix { $0 != "/" && $0 != "?" }
      if let at = authority.lastIndex(of: "@"),
        let colon = authority[..<at].firstIndex(of: ":")
      {
        shown.replaceSubrange(shown.index(after: colon)..<at, with: "***")
      }
    }
    guard let query = shown.firstIndex(of: "?") else { return shown }
    let pairs = shown[shown.index(after: query)...].split(separator: "&").map { pair in
      pair.hasPrefix("password=") ? "password=***" : String(pair)
    }
    return shown[...query] + pairs.joined(separator: "&")
  }
}
