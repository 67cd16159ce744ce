import AssayBase
import AssayHost
import AssayRecord
import Testing

@testable import AssayStore

struct StoreTests {
  private let folder: String

  init() throws { folder = try Host.makeTemporaryFolder("store") }

  private var path: String { folder + "/nested/store.sqlite" }

  private func record(
    _ id: String,
    variant: String = "float32",
    runtime: String = "litert"
  ) -> Record {
    var record = Record(
      id: id,
      session: "S",
      finishedAt: 1,
      model: .init(path: "m", sha256: "ab", byteCount: 3),
      artefact: "tflite",
      variant: variant,
      runtime: runtime,
      version: "1",
      provider: "cpu",
      device: "local",
      threads: 1
    )
    record.samples = [3, 1, 2]
    record.extra = .object(["future": 7])
    return record
  }

  @Test("what is appended comes back whole, in order, also from a second connection")
  func roundTrip() throws {
    defer { try? Host.remove(folder) }
    let store = try openStore("sqlite:" + path)
    let records = ["1", "2", "3"].map { record($0) }
    try store.append(records)
    #expect(try openStore(path).records(RecordQuery()) == records)
    #expect(try store.records(RecordQuery(limit: 2)).map(\.id) == ["2", "3"])
    #expect(try store.count() == 3)
  }

  @Test("queries hold all their conditions")
  func queries() throws {
    defer { try? Host.remove(folder) }
    let store = try openStore(path)
    try store.append([
      record("1"), record("2", variant: "int8"), record("3", variant: "int8", runtime: "openvino"),
    ])
    #expect(try store.records(RecordQuery(variant: "int8")).map(\.id) == ["2", "3"])
    #expect(
      try store.records(RecordQuery(variant: "int8", runtime: "openvino")).map(\.id) == ["3"]
    )
    #expect(try store.records(RecordQuery(session: "S'; DROP TABLE record; --")).isEmpty)
    #expect(try store.records(RecordQuery(modelSHA256: "ab")).count == 3)
  }

  @Test("a record is never changed, removed or doubled; a batch is whole or not there")
  func appendOnly() throws {
    defer { try? Host.remove(folder) }
    let store = try openStore(path)
    try store.append([record("1")])
    let database = try SQLiteDatabase(path: path)
    for statement in ["UPDATE record SET variant = 'x'", "DELETE FROM record"] {
      let fault = #expect(throws: Diagnostic.self) { try database.run(statement) }
      #expect(fault?.code == "STO007")
    }
    let fault = #expect(throws: Diagnostic.self) { try store.append([record("2"), record("1")]) }
    #expect(fault?.code == "STO007")
    #expect(try store.records(RecordQuery()).map(\.id) == ["1"])
  }

  @Test("a store of an older version is backed up and brought up to date")
  func migration() throws {
    defer { try? Host.remove(folder) }
    try Host.makeFolders(folder + "/nested")
    let old = try SQLiteDatabase(path: path)
    for statement in SQLiteStore.migrations[0] { try old.run(statement) }
    try old.run("PRAGMA user_version = 1")
    let json = record("old").json.text()
    try old.run(
      """
      INSERT INTO record (id, session, finished_at, model_sha256, artefact, variant, runtime,
        version, provider, device, threads, verdict, json)
      VALUES ('old', 'S', 1, 'ab', 'tflite', 'float32', 'litert', '1', 'cpu', 'local', 1, 'VALID', ?)
      """,
      [.text(json)]
    )
    let store = try openStore(path)
    try store.append([record("new")])
    #expect(try store.records(RecordQuery()).map(\.id) == ["old", "new"])
    #expect(throws: Diagnostic.self) { try old.run("DELETE FROM record") }
    let backup = try SQLiteDatabase(path: path + ".backup-v1", isReadOnly: true)
    #expect(try backup.run("SELECT id FROM record") == [[.text("old")]])
  }

  @Test("a newer store, a file that is none and a missing place are told apart")
  func refusals() throws {
    defer { try? Host.remove(folder) }
    _ = try openStore(path)
    try SQLiteDatabase(path: path).run("PRAGMA user_version = 99")
    #expect(#expect(throws: Diagnostic.self) { try openStore(path) }?.code == "STO009")
    let garbage = folder + "/garbage"
    try AtomicFile.write(String(repeating: "this is no database. ", count: 100), to: garbage)
    #expect(#expect(throws: Diagnostic.self) { try openStore(garbage) }?.code == "STO005")
    #expect(#expect(throws: Diagnostic.self) { try openStore("mysql://x") }?.code == "STO001")
    #expect(#expect(throws: Diagnostic.self) { try openStore("/proc/no/store") } != nil)
  }

  @Test("two connections append at once and nothing is lost")
  func concurrency() async throws {
    defer { try? Host.remove(folder) }
    let path = path
    _ = try openStore(path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          let store = try openStore(path)
          for index in 0..<25 {
            try store.append([
              Record(
                id: "\(writer)-\(index)",
                session: "S",
                finishedAt: 1,
                model: .init(path: "m", sha256: "ab", byteCount: 3),
                artefact: "tflite",
                variant: "v",
                runtime: "r",
                version: "1",
                provider: "cpu",
                device: "local",
                threads: 1
              )
            ])
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try openStore(path).count() == 100)
  }
}
