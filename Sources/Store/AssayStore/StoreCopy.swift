import AssayBase
import AssayRecord

/// Copies one store into another, of whatever kind.
public enum StoreCopy {
  /// Adds to `target` the records and sweeps of `source` that it does not have.
  ///
  /// A sweep that both have stays as it is in the target. What was interrupted is gone on with by the
  /// same call.
  ///
  /// - Parameter progress: called with the number of records so far.
  /// - Returns: records and sweeps that were added.
  /// - Throws: `Diagnostic` STO….
  public static func copy(
    from source: any Store,
    to target: any Store,
    progress: (Int) -> Void = { _ in }
  ) throws -> (records: RecordImport.Outcome, sweeps: Int) {
    var total = RecordImport.Outcome()
    var batch: [Record] = []
    func flush() throws {
      let outcome = try RecordImport.add(batch, to: target)
      total.added += outcome.added
      total.known += outcome.known
      batch = []
      progress(total.added + total.known)
    }
    try source.forEach(RecordQuery()) { record in
      batch.append(record)
      if batch.count == storeBatch { try flush() }
    }
    try flush()
    guard let from = source as? SQLStore, let to = target as? SQLStore else { return (total, 0) }
    return (total, try copySweeps(from, to))
  }

  private static let ledger: [(table: String, key: String, columns: [String])] = [
    ("sweeps", "id", ["id", "name", "made_at", "plan"]),
    (
      "trials", "sweep",
      [
        "sweep", "key", "position", "device", "title", "specification", "state", "attempt",
        "failures", "losses", "holder", "lease_until", "record",
      ]
    ),
    ("trial_events", "sweep", ["sweep", "trial", "kind", "attempt", "holder", "at", "detail"]),
  ]

  private static func copySweeps(_ source: SQLStore, _ target: SQLStore) throws -> Int {
    let known = Set(try target.sweeps().map(\.id))
    var count = 0
    for sweep in try source.sweeps() where !known.contains(sweep.id) {
      // A sweep comes over whole or not at all.
      var rows: [(sql: String, values: [SQLValue])] = []
      try source.withDatabase { database in
        for (table, key, columns) in ledger {
          let names = columns.joined(separator: ", ")
          let places = columns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
          let order = table == "trials" ? "position" : "seq"
          let query = "SELECT \(names) FROM \(table) WHERE \(key) = $1 ORDER BY \(order)"
          try database.forEachRow(query, [.text(sweep.id)]) { row in
            rows.append(("INSERT INTO \(table) (\(names)) VALUES (\(places))", row))
          }
        }
      }
      try target.withDatabase { database in
        try database.transaction {
          for row in rows { try database.run(row.sql, row.values) }
        }
      }
      count += 1
    }
    return count
  }
}
