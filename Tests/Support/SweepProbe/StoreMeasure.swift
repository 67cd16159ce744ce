import AssayBase
import AssayHost
import AssayRecord
import AssayStore

/// How fast a store takes very many records and tells of them.
struct StoreMeasure {
  let folder: String
  let count: Int
  /// Whether the store stays, for others to look at.
  var isKept = false

  func run() throws -> JSON {
    let path = Host.join(folder, "measure.sqlite")
    for suffix in ["", "-wal", "-shm"] { try Host.remove(path + suffix) }
    defer { for suffix in ["", "-wal", "-shm"] where !isKept { try? Host.remove(path + suffix) } }
    let models = (0..<100).map { sha256("model \($0)") }
    let batch = storeBatch
    let store = try openStore(path)
    let empty = try seconds { _ = try openStore(path).count(RecordQuery(limit: 1)) }
    var random = SeededRNG(seed: 1)
    var appending = 0.0
    for start in stride(from: 0, to: count, by: batch) {
      let records = (start..<min(start + batch, count)).map { record($0, models, &random) }
      appending += try seconds { try store.append(records) }
    }
    var summaries: [Double] = []
    for model in models.prefix(20) {
      let fresh = try openStore(path)
      summaries.append(try seconds { _ = try fresh.summary(modelSHA256: model) })
    }
    let opening = try seconds { _ = try openStore(path).summary(modelSHA256: "none") }
    let rows = try store.summary(modelSHA256: models[0])
    return .object([
      "records": JSON(try store.count()), "batch": JSON(batch),
      "appendedPerSecond": JSON(Double(count) / appending),
      "summarySeconds": JSON(summaries.sorted()[summaries.count / 2]),
      "slowestSummarySeconds": JSON(summaries.max() ?? 0),
      "recordsOfModel": JSON(rows.reduce(0) { $0 + $1.count }), "rows": JSON(rows.count),
      "openSeconds": JSON(opening), "openEmptySeconds": JSON(empty),
      "bytes": JSON(Host.byteCount(of: path) ?? 0),
    ])
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = Host.monotonicNanoseconds()
    try body()
    return Double(Host.monotonicNanoseconds() - start) / 1e9
  }

  private func record(_ number: Int, _ models: [String], _ random: inout SeededRNG) -> Record {
    var record = Record(
      id: "R\(String(number + 1_000_000_000))",
      session: "S\(number / 48)",
      finishedAt: Int64(number) * 1_000_000_000,
      model: Record.Model(path: "model.tflite", sha256: models[number % 100], byteCount: 100_000),
      artefact: "tflite",
      variant: ["float32", "float16", "dynamic_int8", "static_int8"][number / 100 % 4],
      runtime: ["litert", "onnxruntime", "openvino"][number / 400 % 3],
      version: "2",
      provider: "cpu",
      device: "local",
      threads: 1 << (number / 1200 % 3)
    )
    record.samples = (0..<40).map { _ in 1_000_000 + Int64(random.next() % 100_000) }
    record.rounds = [40]
    record.verdict = .valid
    record.trial = Record.Trial(
      key: sha256("\(number)"),
      sweep: "measure",
      repetition: 1,
      attempt: 1
    )
    return record
  }
}
