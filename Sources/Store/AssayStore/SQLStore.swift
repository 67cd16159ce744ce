import AssayBase
import AssayHost
import AssayRecord
import Synchronization

// Safe because: the connection is used under the lock only.
/// A ledger in a database: SQLite's file or PostgreSQL's server.
///
/// Key columns stand beside each record's whole JSON, so that other programs can query the database.
/// Triggers refuse what is not an append. An append is on the disk when it returns; several processes
/// may append.
@safe final class SQLStore: Store, @unchecked Sendable {
  let url: String
  private let connection: any SQLDatabase
  private let lock = Mutex(())

  /// A store in a database whose layout was prepared.
  init(_ connection: any SQLDatabase) {
    self.connection = connection
    url = connection.url
  }

  /// Runs `body` alone with the database.
  func withDatabase<T>(_ body: (any SQLDatabase) throws -> T) throws -> T {
    // What `body` gives never leaves the caller's thread.
    var result: Result<T, any Error>?
    lock.withLock { _ in result = Result { try body(connection) } }
    guard let result else { preconditionFailure("the lock runs its body") }
    return try result.get()
  }

  func append(_ records: [Record]) throws {
    guard !records.isEmpty else { return }
    // The first rows are made before the write lock is taken: most often they are all.
    try RowsAhead.rows(of: records) { forEach in
      try withDatabase { database in
        try database.transaction {
          try forEach { record, row in
            try StoreLayout.insert(row, trial: record.answeredTrial, into: database)
          }
        }
      }
    }
  }

  func records(_ query: RecordQuery) throws -> [Record] {
    let (condition, values) = query.condition
    var sql = "SELECT seq, json FROM records\(condition) ORDER BY seq DESC"
    if let limit = query.limit { sql += " LIMIT \(max(limit, 0))" }
    return try withDatabase { database in
      var reader = RecordRows(url: url)
      try database.forEachRow(sql, values) { reader.read($0) }
      return try reader.finish().reversed()
    }
  }

  func page(after place: Int64, limit: Int) throws -> RecordPage {
    try page(after: place, limit: limit, RecordQuery())
  }

  private func page(after place: Int64, limit: Int, _ query: RecordQuery) throws -> RecordPage {
    let (condition, values) = query.condition(from: 2)
    let sql =
      "SELECT seq, json FROM records WHERE seq > $1\(condition) ORDER BY seq LIMIT \(max(limit, 0))"
    var rows = RecordRows(url: url)
    try withDatabase { database in
      try database.forEachRow(sql, [.integer(place)] + values) { rows.read($0) }
    }
    return RecordPage(try rows.finish(), place: max(place, rows.last))
  }

  func lastPlace() throws -> Int64 {
    try withDatabase { try $0.run("SELECT max(seq) FROM records").first?.first?.integer ?? 0 }
  }

  func id(at place: Int64) throws -> String? {
    try withDatabase {
      try $0.run("SELECT id FROM records WHERE seq = $1", [.integer(place)]).first?.first?.text
    }
  }

  // SQLite has one writer at a time.
  var isInOrder: Bool { connection.dialect == .sqlite }

  func forEach(_ query: RecordQuery, _ body: (Record) throws -> Void) throws {
    var last: Int64 = 0
    var left = query.limit ?? .max
    if query.limit != nil {
      for record in try records(query) { try body(record) }
      return
    }
    // Page by page: neither the memory for all of them nor the lock for the whole time.
    while left > 0 {
      let page = try page(after: last, limit: min(left, 500), query)
      guard !page.records.isEmpty else { return }
      last = page.place
      left -= page.records.count
      for record in page.records { try body(record) }
    }
  }

  func count(_ query: RecordQuery) throws -> Int {
    let (condition, values) = query.condition
    let count = try withDatabase {
      try $0.run("SELECT count(*) FROM records\(condition)", values).first?.first?.integer
    }
    return min(Int(count ?? 0), query.limit.map { max($0, 0) } ?? .max)
  }

  func sessions() throws -> [SessionInfo] {
    try withDatabase { database in
      try database.run(
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

  func models() throws -> [StoredModel] {
    try withDatabase { database in
      try database.run(
        """
        SELECT model_sha256, CAST(sum(records) AS BIGINT), CAST(sum(valid) AS BIGINT)
        FROM configurations GROUP BY model_sha256 ORDER BY model_sha256
        """
      ).map { row in
        StoredModel(
          sha256: row[0].text ?? "",
          count: Int(row[1].integer ?? 0),
          validCount: Int(row[2].integer ?? 0)
        )
      }
    }
  }

  func summary(modelSHA256: String) throws -> [StoredSummary] {
    try withDatabase { database in
      try database.run(
        """
        SELECT variant, runtime, provider, device, threads, records, valid, least_p50,
          sum_p50 / nullif(medians, 0), greatest_p50, greatest_p99, greatest_peak_memory
        FROM configurations WHERE model_sha256 = $1
        ORDER BY variant, runtime, provider, device, threads
        """,
        [.text(modelSHA256)]
      ).map { row in
        StoredSummary(
          variant: row[0].text ?? "",
          runtime: row[1].text ?? "",
          provider: row[2].text ?? "",
          device: row[3].text ?? "",
          threads: Int(row[4].integer ?? 0),
          count: Int(row[5].integer ?? 0),
          validCount: Int(row[6].double ?? 0),
          leastMedian: row[7].integer,
          meanMedian: row[8].double,
          greatestMedian: row[9].integer,
          greatestP99: row[10].integer,
          greatestPeakMemory: row[11].integer
        )
      }
    }
  }
}

extension Record {
  /// The trial that it answers, if any.
  fileprivate var answeredTrial: String? {
    trial.flatMap { $0.isGivenUp ? nil : $0.key }
  }
}

/// Records from rows of `seq, json`, read on all processors, and what is wrong with those that are none.
private struct RecordRows {
  /// Rows of which nothing but the text is kept.
  private static let block = 4096

  let url: String
  private var records: [Record] = []
  private var faults: [Diagnostic] = []
  private var texts: [(place: Int64, text: String)] = []
  /// The place of the last row.
  private(set) var last: Int64 = 0

  init(url: String) { self.url = url }

  mutating func read(_ row: [SQLValue]) {
    last = row[0].integer ?? 0
    texts.append((last, row[1].text ?? ""))
    if texts.count == Self.block { readTexts() }
  }

  private mutating func readTexts() {
    let (rows, url) = (texts, url)
    texts = []
    for result in Host.inParallel(rows.count, { Self.record(rows[$0], url) }) {
      switch result {
      case .success(let record): records.append(record)
      case .failure(let reasons): faults += reasons.all
      }
    }
  }

  private static func record(
    _ row: (place: Int64, text: String),
    _ url: String
  ) -> Result<Record, Diagnostics> {
    let frame = "record \(row.place)"
    do {
      return .success(try Record(json: JSON(parsing: row.text)))
    } catch let error as Diagnostic {
      return .failure(Diagnostics([error.inside(frame).inside(url)]))
    } catch let error as Diagnostics {
      return .failure(Diagnostics(error.all.map { $0.inside(frame).inside(url) }))
    } catch {
      return .failure(
        Diagnostics([Diagnostic("STO007", "a record cannot be read", at: [url, frame])])
      )
    }
  }

  mutating func finish() throws -> [Record] {
    readTexts()
    try Diagnostics(faults).throwIfErrors()
    return records
  }
}

extension RecordQuery {
  /// The query as the end of a statement, and its values.
  fileprivate var condition: (sql: String, values: [SQLValue]) {
    let (sql, values) = condition(from: 1)
    return (sql.isEmpty ? "" : " WHERE" + sql.dropFirst(4), values)
  }

  /// The query as further conditions, numbered from `first`, and its values.
  fileprivate func condition(from first: Int) -> (sql: String, values: [SQLValue]) {
    let wanted: [(column: String, value: String?)] = [
      ("session", session), ("model_sha256", modelSHA256), ("variant", variant),
      ("runtime", runtime), ("device", device), ("id", id),
    ]
    let given = wanted.compactMap { pair in pair.value.map { (pair.column, $0) } }
    return (
      given.enumerated().map { " AND \($1.0) = $\(first + $0)" }.joined(),
      given.map { .text($0.1) }
    )
  }
}
