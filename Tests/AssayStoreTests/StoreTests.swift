import AssayBase
import AssayHost
import AssayRecord
import AssayTestSupport
import Testing

@testable import AssayStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder for one test's stores.
private struct Scratch: ~Copyable {
  let path: String
  init() throws { path = try Host.makeTemporaryFolder("assay-store-tests") }
  deinit { try? Host.remove(path) }
  var store: String { path + "/store.sqlite" }
}

private func record(_ id: String, session: String = "s", variant: String = "float32") -> Record {
  var record = Record(
    id: id,
    session: session,
    finishedAt: 1,
    model: .init(path: "m.tflite", sha256: "aa", byteCount: 3),
    artefact: "tflite",
    variant: variant,
    runtime: "litert",
    version: "2",
    provider: "cpu",
    device: "local",
    threads: 1
  )
  record.samples = (0..<200).map { Int64(1000 + $0) }
  record.rounds = [200]
  record.extra = .object(["later": "member"])
  return record
}

private func code(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? Diagnostic)?.code ?? "\(error)"
  }
}

@Suite struct StoreTests {
  @Test func whatIsAppendedIsThere() throws {
    let scratch = try Scratch()
    let records = [
      record("1"), record("2", variant: "static_int8"), record("3", session: "t"),
    ]
    do {
      let store = try openStore("sqlite:" + scratch.store)
      try store.append(records)
      #expect(try store.records() == records)
    }
    let store = try openStore(scratch.store)
    #expect(try store.records() == records)
    #expect(try store.count() == 3)
    #expect(try store.records(RecordQuery(session: "s")).map(\.id) == ["1", "2"])
    #expect(try store.records(RecordQuery(variant: "static_int8")).map(\.id) == ["2"])
    #expect(try store.records(RecordQuery(session: "t", variant: "static_int8")).isEmpty)
    #expect(
      try store.records(RecordQuery(modelSHA256: "aa", runtime: "litert", limit: 2)).map(\.id) == [
        "2", "3",
      ]
    )
    #expect(try store.count(RecordQuery(modelSHA256: "bb")) == 0)
    #expect(try store.count(RecordQuery(device: "local", limit: 1)) == 1)
    #expect(try store.records(RecordQuery(runtime: "x' OR '1'='1")).isEmpty)
    #expect(
      try store.sessions() == [
        SessionInfo(id: "s", finishedAt: 1, count: 2),
        SessionInfo(id: "t", finishedAt: 1, count: 1),
      ]
    )
  }

  @Test func anAppendIsAllOrNothing() throws {
    let scratch = try Scratch()
    let store = try openStore(scratch.store)
    try store.append([record("1")])
    #expect(code { try store.append([record("2"), record("1"), record("3")]) } == "STO006")
    #expect(try store.records().map(\.id) == ["1"])
    try store.append([])
    try store.append([record("2")])
    #expect(try store.count() == 2)
  }

  /// Not even another program can change or take away a record by a statement.
  @Test(arguments: [
    "UPDATE records SET verdict = 'VALID'", "DELETE FROM records",
    "REPLACE INTO records SELECT * FROM records",
    "INSERT OR REPLACE INTO records (seq, id, session, finished_at, model_sha256, artefact, variant,"
      + " runtime, provider, device, threads, verdict, samples, json) SELECT seq, 'new', session,"
      + " finished_at, model_sha256, artefact, variant, runtime, provider, device, threads, verdict,"
      + " samples, json FROM records",
  ])
  func recordsAreAppendOnly(sql: String) throws {
    let scratch = try Scratch()
    let store = try openStore(scratch.store)
    try store.append([record("1")])
    let other = try SQLiteConnection(path: scratch.store)
    #expect(code { try other.run(sql) } == "STO006")
    #expect(try store.records() == [record("1")])
  }

  @Test func theFileIsSyncedAndLogged() throws {
    let scratch = try Scratch()
    _ = try openStore(scratch.store)
    let other = try SQLiteConnection(path: scratch.store)
    #expect(try other.run("PRAGMA journal_mode") == [[.text("wal")]])
    #expect(try other.pragma("user_version") == StoreLayout.version)
    #expect(try other.pragma("application_id") == 0x4153_5359)
  }

  /// A trial is found by its index, not by looking through all: the lookup stands in every append.
  @Test func aTrialIsFoundByItsIndex() throws {
    let scratch = try Scratch()
    _ = try openStore(scratch.store)
    let plan = try SQLiteConnection(path: scratch.store).run(
      "EXPLAIN QUERY PLAN SELECT id FROM records WHERE \(StoreLayout.answers("$1"))",
      [.text("key")]
    )
    let words = plan.compactMap { $0.last?.text }
    #expect(words.count == 1 && words[0].hasPrefix("SEARCH records USING INDEX records_trial"))
  }

  @Test func layoutIsGolden() throws {
    let scratch = try Scratch()
    _ = try openStore(scratch.store)
    let rows = try SQLiteConnection(path: scratch.store)
      .run(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name"
      )
    let text = rows.compactMap { $0.first?.text }.map { $0 + ";\n" }.joined(separator: "\n")
    #expect(Golden.mismatch(text, "docs/schema/store-3.sql") == nil)
  }

  @Test func layoutZeroIsMigratedAfterABackup() throws {
    let scratch = try Scratch()
    let old = try MappedFile(path: TestData.package + "/Tests/Goldens/store-0.sqlite").view
    try AtomicFile.write([old], to: scratch.store)
    let store = try openStore(scratch.store)
    #expect(try store.records().map(\.id) == ["old-0", "old-1", "old-2"])
    #expect(try store.records().map(\.variant) == ["float32", "static_int8", "float16"])
    #expect(try store.records().first?.extra["x-note"] != nil)
    try store.append([record("new")])
    #expect(code { try store.append([record("old-0")]) } == "STO006")
    let backup = try SQLiteConnection(path: scratch.store + ".v0.backup")
    #expect(try backup.run("SELECT count(*) FROM records") == [[.integer(3)]])
    #expect(try backup.pragma("user_version") == 0)
    // Opening it again changes nothing more.
    _ = try openStore(scratch.store)
    #expect(!Host.exists(scratch.store + ".v0.backup-2"))
  }

  @Test func aRecordThatCannotBeReadStopsTheMigration() throws {
    let scratch = try Scratch()
    do {
      let old = try SQLiteConnection(path: scratch.store)
      try old.run("CREATE TABLE records (id TEXT PRIMARY KEY, json TEXT NOT NULL)")
      try old.run("INSERT INTO records VALUES ('a', '{\"schema\": \"other\"}')")
    }
    #expect(code { _ = try openStore(scratch.store) } == "REC001")
    let old = try SQLiteConnection(path: scratch.store)
    #expect(try old.run("SELECT id FROM records") == [[.text("a")]])
    #expect(try old.pragma("user_version") == 0)
  }

  @Test func filesThatAreNoStoresAreLeftAlone() throws {
    let scratch = try Scratch()
    let text =
      "this is not a database, but it is long enough to look like one "
      + String(repeating: "x", count: 4096)
    try AtomicFile.write(text, to: scratch.store)
    #expect(code { _ = try openStore(scratch.store) } == "STO002")
    #expect(try MappedFile(path: scratch.store).view.utf8 == text)
    let foreign = scratch.path + "/foreign.sqlite"
    try SQLiteConnection(path: foreign).run("CREATE TABLE customers (id)")
    let before = try MappedFile(path: foreign).view.array
    #expect(code { _ = try openStore(foreign) } == "STO002")
    #expect(try MappedFile(path: foreign).view.array == before)
    let newer = scratch.path + "/newer.sqlite"
    _ = try openStore(newer)
    try SQLiteConnection(path: newer).run("PRAGMA user_version = 99")
    #expect(code { _ = try openStore(newer) } == "STO003")
  }

  @Test func badPlacesAreDiagnosed() throws {
    let scratch = try Scratch()
    #expect(code { _ = try openStore(scratch.path) } == "STO001")
    #expect(code { _ = try openStore("mysql://host/db") } == "STO008")
    #expect(
      ["STO010", "STO011"].contains(code { _ = try openStore("postgres://a:b@127.0.0.1:1/db") })
    )
    #expect(code { _ = try openStore("sqlite:") } == "STO001")
    #expect(code { _ = try openStore("/dev/null/store.sqlite") } == "HST002")
  }

  @Test func damageIsDiagnosedNotObeyed() throws {
    let scratch = try Scratch()
    do {
      let store = try openStore(scratch.store)
      try store.append((0..<40).map { record("\($0)") })
    }
    var bytes = try MappedFile(path: scratch.store).view.array
    #expect(bytes.count > 16384)
    for index in 4096..<bytes.count where index % 4096 < 64 { bytes[index] = 0xA5 }
    try AtomicFile.write([ByteView(bytes)], to: scratch.store)
    let found = code {
      let store = try openStore(scratch.store)
      _ = try store.records()
    }
    #expect(found == "STO002")
  }

  @Test func aLockedStoreIsWaitedForThenDiagnosed() throws {
    let scratch = try Scratch()
    let store = try openStore(scratch.store)
    let other = try SQLiteConnection(path: scratch.store)
    try other.run("BEGIN IMMEDIATE")
    let quick = try SQLiteConnection(path: scratch.store)
    try quick.run("PRAGMA busy_timeout = 50")
    #expect(code { try quick.run("BEGIN IMMEDIATE") } == "STO004")
    // Reading goes on meanwhile.
    #expect(try store.count() == 0)
    try other.run("ROLLBACK")
    try store.append([record("1")])
  }
}

@Suite struct StoreFaultTests {
  /// A process that is killed at any moment loses nothing that was acknowledged, and leaves no part
  /// of an append.
  @Test(arguments: [3, 17, 40, 77])
  func killingLosesNothingThatWasAcknowledged(milliseconds: Int) async throws {
    let scratch = try Scratch()
    let (path, acks) = (scratch.store, scratch.path + "/acks")
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, acks = acks as String, milliseconds = milliseconds as Int] in
      let store = try openStore(path)
      let log = unsafe open(acks, O_WRONLY | O_CREAT | O_APPEND, 0o600)
      Host.forEach(below: 2, threads: 2) { role in
        if role == 0 {
          Host.sleep(nanoseconds: UInt64(milliseconds) * 1_000_000)
          kill(getpid(), SIGKILL)
        }
        for batch in 0..<100_000 {
          guard (try? store.append((0..<3).map { record("\(batch)-\($0)") })) != nil else { return }
          let line = Array("\(batch)\n".utf8)
          _ = unsafe write(log, line, line.count)
        }
      }
    }
    let acknowledged = (try? MappedFile(path: acks).view.utf8)?.split(separator: "\n").count ?? 0
    let store = try openStore(path)
    let count = try store.records().count
    #expect(count % 3 == 0)
    #expect(count >= acknowledged * 3)
    #expect(try SQLiteConnection(path: path).run("PRAGMA integrity_check") == [[.text("ok")]])
    try store.append([record("after")])
  }

  /// A disk that fills up in the middle of an append: refused, and everything before is there.
  @Test(arguments: [230_000, 250_001, 423_456])
  func aFullDiskIsADiagnostic(limit: Int) async throws {
    let scratch = try Scratch()
    let (path, acks) = (scratch.store, scratch.path + "/acks")
    await #expect(processExitsWith: .exitCode(42)) {
      [path = path as String, acks = acks as String, limit = limit as Int] in
      let store = try openStore(path)
      signal(SIGXFSZ, SIG_IGN)
      var size = rlimit(rlim_cur: rlim_t(limit), rlim_max: rlim_t(limit))
      #if canImport(Glibc)
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &size)
      #else
      unsafe setrlimit(RLIMIT_FSIZE, &size)
      #endif
      for batch in 0..<1000 {
        do {
          try store.append((0..<3).map { record("\(batch)-\($0)") })
        } catch let error as Diagnostic where ["STO005", "STO007"].contains(error.code) {
          try AtomicFile.write("\(batch)", to: acks)
          exit(42)
        }
      }
      exit(1)
    }
    let acknowledged = try #require(MappedFile(path: acks).view.utf8.flatMap { Int($0) })
    #expect(acknowledged > 0)
    let store = try openStore(path)
    #expect(try store.count() == acknowledged * 3)
    #expect(try SQLiteConnection(path: path).run("PRAGMA integrity_check") == [[.text("ok")]])
  }

  @Test func twoProcessesAppendAtOnce() async throws {
    let scratch = try Scratch()
    let path = scratch.store
    async let a: Void = append("a", to: path)
    async let b: Void = append("b", to: path)
    _ = await (a, b)
    let records = try openStore(path).records()
    #expect(records.count == 80)
    for name in ["a", "b"] {
      let ids = records.map(\.id).filter { $0.hasPrefix(name) }
      #expect(ids == (0..<40).map { "\(name)-\($0)" })
    }
  }

  private func append(_ name: String, to path: String) async {
    await #expect(processExitsWith: .success) {
      [name = name as String, path = path as String] in
      let store = try openStore(path)
      for index in 0..<40 { try store.append([record("\(name)-\(index)")]) }
    }
  }
}
