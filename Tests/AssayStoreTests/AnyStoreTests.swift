import AssayBase
import AssayHost
import AssayRecord
import AssayTestSupport
import Synchronization
import Testing

@testable import AssayStore

@Suite struct AnyStoreTests {
  @Test(arguments: StoreKind.here)
  func recordsComeBackAsTheyWent(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let url = try kind.newURL(folder)
    let store = try openStore(url)
    var strange = sampleRecord("3 'quoted' \\ ü", variant: "x' OR '1'='1")
    strange.extra = .object(["later": "mém\u{1F600}ber"])
    let records = [sampleRecord("1"), sampleRecord("2", variant: "static_int8"), strange]
    try store.append(records)
    #expect(try openStore(url).records() == records)
    #expect(try store.records(RecordQuery(variant: "x' OR '1'='1")) == [strange])
    #expect(try store.records(RecordQuery(id: "2")).map(\.id) == ["2"])
    #expect(try store.records(RecordQuery(limit: 1)) == [strange])
    #expect(try store.count(RecordQuery(runtime: "litert")) == 3)
    #expect(thrownCode { try store.append([sampleRecord("4"), sampleRecord("1")]) } == "STO006")
    #expect(try store.count() == 3)
    var seen: [String] = []
    try store.forEach(RecordQuery()) { seen.append($0.id) }
    #expect(seen == records.map(\.id))
    seen = []
    try store.forEach(RecordQuery(variant: "static_int8")) { seen.append($0.id) }
    #expect(seen == ["2"])
    #expect(try store.sessions() == [SessionInfo(id: "s", finishedAt: 1, count: 3)])
  }

  /// Who follows a store gets each record once, wherever appends that failed left gaps.
  @Test(arguments: StoreKind.here)
  func pagesFollowTheStore(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let store = try openStore(try kind.newURL(folder))
    #expect(try store.lastPlace() == 0 && store.page(after: 0, limit: 9).records.isEmpty)
    try store.append((0..<5).map { sampleRecord("\($0)") })
    #expect(thrownCode { try store.append([sampleRecord("5"), sampleRecord("1")]) } == "STO006")
    try store.append([sampleRecord("6")])
    var seen: [String] = []
    var place: Int64 = 0
    while true {
      let page = try store.page(after: place, limit: 4)
      guard !page.records.isEmpty else { break }
      seen += page.records.map(\.id)
      place = page.place
      #expect(try store.id(at: place) == seen.last)
    }
    #expect(seen == ["0", "1", "2", "3", "4", "6"])
    #expect(try store.lastPlace() == place && store.page(after: place, limit: 4).place == place)
    #expect(try store.id(at: place + 1) == nil)
  }

  /// What a summary tells is what the records say.
  @Test(arguments: StoreKind.here)
  func summariesAreDerivedFromRecords(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let store = try openStore(try kind.newURL(folder))
    var records: [Record] = []
    for index in 0..<6 {
      var record = sampleRecord("\(index)", threads: 1 + index % 2)
      record.samples = record.samples.map { $0 + Int64(index) * 100 }
      if index == 5 { record.verdict = .invalid }
      if index == 0 { record.peakMemoryBytes = .value(4096) }
      records.append(record)
    }
    try store.append(records)
    let rows = try store.summary(modelSHA256: "aa")
    #expect(rows.map(\.threads) == [1, 2])
    for row in rows {
      let all = records.filter { $0.threads == row.threads }
      let medians = all.filter { $0.verdict == .valid }.compactMap { $0.summary.p50.value?.value }
      #expect(row.count == all.count && row.validCount == medians.count)
      #expect(row.leastMedian == medians.min() && row.greatestMedian == medians.max())
      #expect(row.meanMedian == Double(medians.reduce(0, +)) / Double(medians.count))
    }
    #expect(rows[0].greatestPeakMemory == 4096 && rows[1].greatestPeakMemory == nil)
    #expect(try store.models() == [StoredModel(sha256: "aa", count: 6, validCount: 5)])
    #expect(try store.summary(modelSHA256: "bb") == [])
  }

  @Test func layoutOneIsMigratedWordForWord() throws {
    let folder = try StoreFolder()
    let path = folder.path + "/store.sqlite"
    let record = sampleRecord("old")
    let text = record.json.text() + " "
    do {
      let old = try SQLiteConnection(path: path)
      let layout = TestData.package + "/Tests/Goldens/store-1.sql"
      let statements = try #require(try MappedFile(path: layout).view.utf8)
      for statement in statements.split(separator: ";\n\n") {
        var statement = String(statement)
        while statement.last == "\n" || statement.last == ";" { statement.removeLast() }
        try old.run(statement)
      }
      try old.run(
        """
        INSERT INTO records (id, session, finished_at, model_sha256, artefact, variant, runtime,
          provider, device, threads, verdict, json)
        VALUES ('old', 's', 1, 'aa', 'tflite', 'float32', 'litert', 'cpu', 'local', 1, 'VALID', $1)
        """,
        [.text(text)]
      )
      try old.run("PRAGMA application_id = \(SQLiteSchema.applicationID)")
      try old.run("PRAGMA user_version = 1")
    }
    let store = try openStore(path)
    #expect(try store.records() == [record])
    #expect(try store.summary(modelSHA256: "aa").first?.leastMedian == 1099)
    let connection = try SQLiteConnection(path: path)
    #expect(try connection.run("SELECT json FROM records") == [[.text(text)]])
    #expect(Host.exists(path + ".v1.backup"))
    #expect(thrownCode { try connection.run("DELETE FROM records") } == "STO006")
  }

  /// Layout 2 stays word for word; its configurations are counted.
  @Test func layoutTwoIsMigratedInPlace() throws {
    let folder = try StoreFolder()
    let path = folder.path + "/store.sqlite"
    let records = (0..<5).map { sampleRecord("\($0)", threads: 1 + $0 % 2) }
    do {
      let old = try SQLiteConnection(path: path)
      let layout = try MappedFile(path: TestData.package + "/Tests/Goldens/store-2.sql").view.utf8
      // Tables first: the file is in the order of names.
      let statements = try #require(layout).split(separator: ";\n\n").map {
        $0.hasSuffix(";\n") ? String($0.dropLast(2)) : String($0)
      }
      let isTable = { (sql: String) in sql.hasPrefix("CREATE TABLE") }
      for sql in statements.filter(isTable) + statements.filter({ !isTable($0) }) {
        try old.run(sql)
      }
      for record in records {
        try StoreLayout.insert(StoreLayout.row(of: record), trial: nil, into: old)
      }
      try old.run("PRAGMA application_id = \(SQLiteSchema.applicationID)")
      try old.run("PRAGMA user_version = 2")
    }
    let store = try openStore(path)
    let fresh = try openStore(folder.path + "/fresh.sqlite")
    try fresh.append(records)
    #expect(try store.records() == records)
    #expect(try store.summary(modelSHA256: "aa") == fresh.summary(modelSHA256: "aa"))
    try store.append([sampleRecord("new")])
    try fresh.append([sampleRecord("new")])
    #expect(try store.summary(modelSHA256: "aa") == fresh.summary(modelSHA256: "aa"))
    #expect(try store.models() == [StoredModel(sha256: "aa", count: 6, validCount: 6)])
    func layout(_ path: String) throws -> [[SQLValue]] {
      try SQLiteConnection(path: path).run("SELECT sql FROM sqlite_schema ORDER BY name")
    }
    #expect(try layout(path) == layout(folder.path + "/fresh.sqlite"))
    #expect(Host.exists(path + ".v2.backup"))
  }

  @Test(.enabled(if: PostgresServer.isThere))
  func layoutTwoOfAServerGetsItsView() throws {
    let url = try PostgresServer.shared.get().database()
    try openStore(url).append([sampleRecord("old")])
    let connection = try PostgresConnection(url: url)
    try connection.run("DROP VIEW configurations")
    try connection.run("UPDATE assay_store SET layout = 2")
    let rows = try openStore(url).summary(modelSHA256: "aa")
    #expect(rows.map(\.count) == [1])
    #expect(
      try connection.run("SELECT layout FROM assay_store") == [[.integer(StoreLayout.version)]]
    )
  }

  @Test func secretsOfAURLAreNotShown() {
    let shown = PostgresConnection.withoutSecrets
    #expect(shown("postgres://me:geheim@host:5432/db") == "postgres://me:***@host:5432/db")
    #expect(
      shown("postgres://me@host/db?password=x&sslmode=require")
        == "postgres://me@host/db?password=***&sslmode=require"
    )
    #expect(shown("postgres:///db?host=/run/a:b@c") == "postgres:///db?host=/run/a:b@c")
  }

  @Test(.enabled(if: PostgresServer.isThere))
  func databasesOfOtherProgramsAreLeftAlone() throws {
    let url = try PostgresServer.shared.get().database()
    try PostgresConnection(url: url).run("CREATE TABLE records (id INTEGER)")
    #expect(thrownCode { _ = try openStore(url) } == "STO002")
    let newer = try PostgresServer.shared.get().database()
    _ = try openStore(newer)
    try PostgresConnection(url: newer).run("UPDATE assay_store SET layout = 99")
    #expect(thrownCode { _ = try openStore(newer) } == "STO003")
  }
}

/// Faults from several threads.
final class Faults: Sendable {
  private let list = Mutex<[String]>([])
  func add(_ fault: String) { list.withLock { $0.append(fault) } }
  var all: [String] { list.withLock { $0 } }
}
