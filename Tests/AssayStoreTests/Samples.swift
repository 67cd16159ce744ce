import AssayBase
import AssayHost
import AssayRecord
import AssayTestSupport

@testable import AssayStore

/// A folder for one test's stores.
final class StoreFolder {
  let path: String
  init() throws { path = try Host.makeTemporaryFolder("assay-store-tests") }
  deinit { try? Host.remove(path) }
}

/// The kinds of store that every test of stores is done with.
enum StoreKind: String, CaseIterable, Sendable {
  case sqlite, postgres

  /// Those that can be tested here.
  static let here: [StoreKind] = PostgresServer.isThere ? allCases : [.sqlite]

  /// The URL of a store that does not exist yet.
  func newURL(_ folder: StoreFolder) throws -> String {
    switch self {
    case .sqlite: "sqlite:" + folder.path + "/store.sqlite"
    case .postgres: try PostgresServer.shared.get().database()
    }
  }
}

/// A record with samples.
func sampleRecord(_ id: String, variant: String = "float32", threads: Int = 1) -> Record {
  var record = Record(
    id: id,
    session: "s",
    finishedAt: 1,
    model: .init(path: "m.tflite", sha256: "aa", byteCount: 3),
    artefact: "tflite",
    variant: variant,
    runtime: "litert",
    version: "2",
    provider: "cpu",
    device: "local",
    threads: threads
  )
  record.samples = (0..<200).map { Int64(1000 + $0) }
  record.rounds = [200]
  record.verdict = .valid
  return record
}

/// The code of what `body` throws.
func thrownCode(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? Diagnostic)?.code ?? "\(error)"
  }
}
