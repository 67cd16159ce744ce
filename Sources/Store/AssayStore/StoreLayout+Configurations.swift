extension StoreLayout {
  /// How records are found by their model and trial, and `configurations`: what there is of each model
  /// file, variant, runtime, provider, device and number of threads, in figures of the VALID records.
  ///
  /// Keys are random, so that in a large store each record wants another page of an index written. SQLite
  /// writes whole pages, twice: there the figures are kept as records come, in a table that stays small,
  /// and a trial is found by the beginning of its key.
  static func configurations(_ dialect: SQLDialect) -> [String] {
    let figures = """
      model_sha256, variant, runtime, provider, device, threads, count(*) AS records,
        sum(CASE WHEN verdict = 'VALID' THEN 1 ELSE 0 END) AS valid,
        count(CASE WHEN verdict = 'VALID' THEN p50_ns END) AS medians,
        min(CASE WHEN verdict = 'VALID' THEN p50_ns END) AS least_p50,
        CAST(sum(CASE WHEN verdict = 'VALID' THEN p50_ns END) AS \(real(dialect))) AS sum_p50,
        max(CASE WHEN verdict = 'VALID' THEN p50_ns END) AS greatest_p50,
        max(CASE WHEN verdict = 'VALID' THEN p99_ns END) AS greatest_p99,
        max(CASE WHEN verdict = 'VALID' THEN peak_memory END) AS greatest_peak_memory
      FROM records
      """
    let key = "model_sha256, variant, runtime, provider, device, threads"
    if dialect == .postgres {
      return [
        // Holds all that the view asks for, so that the wide rows are not read.
        """
        CREATE INDEX records_model ON records (\(key), verdict, p50_ns, p99_ns, peak_memory, samples)
        """,
        "CREATE UNIQUE INDEX records_trial ON records (trial) WHERE trial IS NOT NULL",
        "CREATE VIEW configurations AS SELECT \(figures) GROUP BY \(key)",
      ]
    }
    let columns = [
      "records", "valid", "medians", "least_p50", "sum_p50", "greatest_p50", "greatest_p99",
      "greatest_peak_memory",
    ]
    // A function of two values gives nothing where one is not there.
    func either(_ choice: String, _ column: String) -> String {
      "\(column) = \(choice)(coalesce(\(column), excluded.\(column)), "
        + "coalesce(excluded.\(column), \(column)))"
    }
    let changes =
      ["records", "valid", "medians"].map { "\($0) = \($0) + excluded.\($0)" } + [
        either("min", "least_p50"),
        "sum_p50 = coalesce(sum_p50, 0) + coalesce(excluded.sum_p50, 0)",
        either("max", "greatest_p50"), either("max", "greatest_p99"),
        either("max", "greatest_peak_memory"),
      ]
    return [
      "CREATE INDEX records_model ON records (model_sha256)",
      "CREATE INDEX records_trial ON records (substr(trial, 1, 12)) WHERE trial IS NOT NULL",
      """
      CREATE TABLE configurations (
        model_sha256 TEXT NOT NULL,
        variant TEXT NOT NULL,
        runtime TEXT NOT NULL,
        provider TEXT NOT NULL,
        device TEXT NOT NULL,
        threads INTEGER NOT NULL,
        records INTEGER NOT NULL,
        valid INTEGER NOT NULL,
        medians INTEGER NOT NULL,
        least_p50 INTEGER,
        sum_p50 REAL,
        greatest_p50 INTEGER,
        greatest_p99 INTEGER,
        greatest_peak_memory INTEGER,
        PRIMARY KEY (\(key))
      ) WITHOUT ROWID
      """,
      // Of records that were there before.
      "INSERT INTO configurations (\(key), \(columns.joined(separator: ", "))) SELECT \(figures) GROUP BY \(key)",
      """
      CREATE TRIGGER records_counted AFTER INSERT ON records
      BEGIN
        INSERT INTO configurations (\(key), \(columns.joined(separator: ", ")))
        VALUES (NEW.model_sha256, NEW.variant, NEW.runtime, NEW.provider, NEW.device, NEW.threads, 1,
          NEW.verdict = 'VALID', NEW.verdict = 'VALID' AND NEW.p50_ns IS NOT NULL,
          \(["p50_ns", "p50_ns", "p50_ns", "p99_ns", "peak_memory"].map {
            "CASE WHEN NEW.verdict = 'VALID' THEN NEW.\($0) END"
          }.joined(separator: ",\n    ")))
        ON CONFLICT (\(key)) DO UPDATE SET
          \(changes.joined(separator: ",\n    "));
      END
      """,
    ]
  }

  /// The condition that a record answers the trial of a value.
  ///
  /// - Parameter value: how the value stands in the statement: `$1`.
  static func answers(_ value: String) -> String {
    // With '=' SQLite would put the value into the first condition, and no longer see the index in it.
    "substr(trial, 1, 12) = substr(\(value), 1, 12) AND trial BETWEEN \(value) AND \(value)"
  }
}
