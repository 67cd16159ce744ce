import AssayBase

/// The layout on a PostgreSQL server: tables of the schema that the URL's user sees first.
enum PostgresSchema {
  /// Makes the layout where there is none.
  ///
  /// - Throws: `Diagnostic` STO003 for a newer layout, STO002 for tables of another program.
  static func prepare(_ connection: PostgresConnection) throws {
    if try layout(connection) == StoreLayout.version { return }
    try connection.transaction {
      // Two who come first at once: the second waits here and finds it done.
      try connection.run("SELECT pg_advisory_xact_lock(1095980889)")
      let found = try layout(connection)
      if found == StoreLayout.version { return }
      if found != nil {
        // Layout 2, the oldest on a server, lacked the view only.
        try connection.run(StoreLayout.configurations(.postgres).last ?? "")
        try connection.run("UPDATE assay_store SET layout = $1", [.integer(StoreLayout.version)])
        return
      }
      guard
        try connection.run(
          "SELECT to_regclass('records') IS NULL AND to_regclass('trials') IS NULL"
        )
        .first?.first == .text("t")
      else {
        throw Diagnostic(
          "STO002",
          "the database has tables of another program under the names that a store needs",
          at: [connection.url],
          remedy: "make a database of its own for the store: createdb assay"
        )
      }
      for statement in StoreLayout.statements(.postgres) { try connection.run(statement) }
      try connection.run("CREATE TABLE assay_store (layout BIGINT NOT NULL)")
      try connection.run(
        "INSERT INTO assay_store VALUES ($1)",
        [.integer(StoreLayout.version)]
      )
    }
  }

  /// The layout's number; `nil` where there is none.
  private static func layout(_ connection: PostgresConnection) throws -> Int64? {
    guard
      try connection.run("SELECT to_regclass('assay_store') IS NOT NULL").first?.first == .text("t")
    else { return nil }
    let found = try connection.run("SELECT layout FROM assay_store").first?.first?.integer ?? 0
    guard found <= StoreLayout.version else { throw SQLiteSchema.newer(found, at: connection.url) }
    return found
  }
}
