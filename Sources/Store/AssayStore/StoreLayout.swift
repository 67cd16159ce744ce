import AssayBase
import AssayHost
import AssayRecord

/// The number of the layout that stores of this version have.
public let storeLayout = Int(StoreLayout.version)

/// The tables of a store, the same in every database.
enum StoreLayout {
  /// The layout's number.
  static let version: Int64 = 3

  /// The statements that make the layout, one idea a statement.
  static func statements(_ dialect: SQLDialect) -> [String] {
    let isSQLite = dialect == .sqlite
    let whole = isSQLite ? "INTEGER" : "BIGINT"
    let number = real(dialect)
    let sequence =
      isSQLite
      ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    let tables = [
      """
      CREATE TABLE records (
        seq \(sequence),
        id TEXT NOT NULL UNIQUE,
        session TEXT NOT NULL,
        finished_at \(whole) NOT NULL,
        model_sha256 TEXT NOT NULL,
        artefact TEXT NOT NULL,
        variant TEXT NOT NULL,
        runtime TEXT NOT NULL,
        provider TEXT NOT NULL,
        device TEXT NOT NULL,
        threads \(whole) NOT NULL,
        verdict TEXT NOT NULL,
        trial TEXT,
        samples \(whole) NOT NULL,
        p50_ns \(whole),
        p90_ns \(whole),
        p99_ns \(whole),
        peak_memory \(whole),
        accuracy \(number),
        json TEXT NOT NULL
      )
      """,
      "CREATE INDEX records_session ON records (session, finished_at)",
      """
      CREATE TABLE sweeps (
        seq \(sequence),
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        made_at \(whole) NOT NULL,
        plan TEXT NOT NULL
      )
      """,
      // What is known of a trial now; it can be derived from the events.
      """
      CREATE TABLE trials (
        sweep TEXT NOT NULL,
        key TEXT NOT NULL,
        position \(whole) NOT NULL,
        device TEXT NOT NULL,
        title TEXT NOT NULL,
        specification TEXT NOT NULL,
        state TEXT NOT NULL,
        attempt \(whole) NOT NULL,
        failures \(whole) NOT NULL,
        losses \(whole) NOT NULL,
        holder TEXT,
        lease_until \(whole),
        record TEXT,
        PRIMARY KEY (sweep, key)
      )
      """,
      "CREATE INDEX trials_queue ON trials (sweep, state, losses, failures, position)",
      """
      CREATE TABLE trial_events (
        seq \(sequence),
        sweep TEXT NOT NULL,
        trial TEXT NOT NULL,
        kind TEXT NOT NULL,
        attempt \(whole) NOT NULL,
        holder TEXT NOT NULL,
        at \(whole) NOT NULL,
        detail TEXT NOT NULL
      )
      """,
      "CREATE INDEX trial_events_trial ON trial_events (sweep, trial)",
      "CREATE INDEX trial_events_kind ON trial_events (kind)",
    ]
    return tables + configurations(dialect) + (isSQLite ? sqliteGuards : postgresGuards)
  }

  /// The type of a number with a fraction.
  static func real(_ dialect: SQLDialect) -> String {
    dialect == .sqlite ? "REAL" : "DOUBLE PRECISION"
  }

  /// Tables that are only ever added to.
  static let appendOnly = ["records", "sweeps", "trial_events"]

  private static var sqliteGuards: [String] {
    appendOnly.flatMap { sqliteGuards($0) }
  }

  /// What refuses a change of a table that is only ever added to.
  static func sqliteGuards(_ table: String) -> [String] {
    let key = table == "trial_events" ? "seq = NEW.seq" : "id = NEW.id OR seq = NEW.seq"
    // Both are looked up by their own index, which one condition with OR might not.
    let trial =
      table == "records"
      ? "\n  OR EXISTS (SELECT 1 FROM records WHERE \(answers("NEW.trial")))" : ""
    return [
      """
      CREATE TRIGGER \(table)_keep BEFORE DELETE ON \(table)
      BEGIN SELECT RAISE(ABORT, '\(table) is append-only'); END
      """,
      """
      CREATE TRIGGER \(table)_fixed BEFORE UPDATE ON \(table)
      BEGIN SELECT RAISE(ABORT, '\(table) is append-only'); END
      """,
      // REPLACE would take away the row that is in its way without a word.
      """
      CREATE TRIGGER \(table)_new BEFORE INSERT ON \(table)
      WHEN EXISTS (SELECT 1 FROM \(table) WHERE \(key))\(trial)
      BEGIN SELECT RAISE(ABORT, 'this is there already'); END
      """,
    ]
  }

  private static var postgresGuards: [String] {
    [
      """
      CREATE FUNCTION assay_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
      END $$
      """
    ]
      + appendOnly.flatMap { table in
        [
          """
          CREATE TRIGGER \(table)_keep BEFORE UPDATE OR DELETE ON \(table)
          FOR EACH ROW EXECUTE FUNCTION assay_append_only()
          """,
          """
          CREATE TRIGGER \(table)_whole BEFORE TRUNCATE ON \(table)
          FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()
          """,
        ]
      }
  }

  private static let columns = [
    "id", "session", "finished_at", "model_sha256", "artefact", "variant", "runtime", "provider",
    "device", "threads", "verdict", "trial", "samples", "p50_ns", "p90_ns", "p99_ns", "peak_memory",
    "accuracy", "json",
  ]

  /// The place of the trial among the columns.
  private static let trialColumn = columns.firstIndex(of: "trial") ?? 0

  /// The values of a record's row; the trial is left open.
  ///
  /// - Parameter text: its JSON as it came; `nil` for a record of ours.
  static func row(of record: Record, text: String? = nil) -> [SQLValue] {
    let summary = record.summary
    return [
      .text(record.id), .text(record.session), .integer(record.finishedAt),
      .text(record.model.sha256), .text(record.artefact), .text(record.variant),
      .text(record.runtime), .text(record.provider), .text(record.device),
      .integer(Int64(record.threads)), .text(record.verdict.rawValue), .null,
      .integer(Int64(record.samples.count)), SQLValue(summary.p50.value?.value),
      SQLValue(summary.p90.value?.value), SQLValue(summary.p99.value?.value),
      SQLValue(record.peakMemoryBytes.value), record.accuracy.value.map { .real($0) } ?? .null,
      .text(text ?? record.json(summary).text()),
    ]
  }

  /// Adds one record.
  ///
  /// - Parameters:
  ///   - row: what `row(of:text:)` gives.
  ///   - trial: the trial that it answers, unless another record does already; `nil` for none.
  static func insert(_ row: [SQLValue], trial: String?, into database: any SQLDatabase) throws {
    var values = row
    values[trialColumn] = SQLValue(trial)
    try database.run(insertion, values)
  }

  private static let insertion =
    "INSERT INTO records (\(columns.joined(separator: ", "))) VALUES ("
    + columns.indices.map { place in
      // One record answers a trial: one that comes later is kept beside it.
      place == trialColumn
        ? "CASE WHEN EXISTS (SELECT 1 FROM records WHERE \(answers("$\(place + 1)"))) THEN NULL "
          + "ELSE $\(place + 1) END"
        : "$\(place + 1)"
    }.joined(separator: ", ") + ")"
}
