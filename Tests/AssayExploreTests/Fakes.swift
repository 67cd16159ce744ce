import AssayBase
import AssayExplore
import AssayHost
import AssayRate
import AssayRecord
import Synchronization

/// What is run when nothing is: jobs of three steps whose end a test decides.
final class FakeBench: ExplorerBench {
  let folder: String
  private let isHeld = Atomic(false)
  private let left: [LeftOverJob]
  private let lines = Mutex<[String]>([])

  /// - Parameter left: what an earlier explorer left in the ledger.
  init(_ folder: String, left: [LeftOverJob] = []) {
    self.folder = folder
    self.left = left
  }

  /// What the ledger was told, in order.
  var ledgerLines: [String] { lines.withLock { $0 } }

  /// Lets jobs wait before their last step, or go on.
  func hold(_ held: Bool) { isHeld.store(held, ordering: .relaxed) }

  func inventory() -> JSON { .object(["models": .array([])]) }

  func title(_ request: JSON) throws -> String {
    guard let title = request["title"]?.string else {
      throw Diagnostic("EXP012", "a job has a title")
    }
    return title
  }

  func enroll(_ request: JSON, title: String) throws -> String {
    lines.withLock { $0.append("enrolled \(title)") }
    return "entry of \(title)"
  }

  func withdraw(_ entry: String) { lines.withLock { $0.append("withdrawn \(entry)") } }

  func leftOver() -> [LeftOverJob] { left }

  func ledger() -> JSON {
    .array([
      .object([
        "id": "s", "name": "a sweep", "total": 4, "finished": 1, "givenUp": 0, "claimed": 1,
        "waiting": 2,
      ])
    ])
  }

  func run(
    _ request: JSON,
    entry: String,
    isWanted: @escaping @Sendable () -> Bool,
    progress: (JobProgress) throws -> Void
  ) throws -> JSON {
    lines.withLock { $0.append("ran \(entry)") }
    for step in 0..<3 {
      try progress(JobProgress(done: step, total: 3, current: "step \(step)"))
      while step == 1, isHeld.load(ordering: .relaxed) {
        Host.sleep(nanoseconds: 5_000_000)
        try progress(JobProgress(done: step, total: 3, current: "held"))
      }
    }
    if request["fails"]?.bool == true {
      throw Diagnostic("TST001", "the job is made to fail", remedy: "none")
    }
    return .object(["answer": 42])
  }

  func place(ofUpload name: String) throws -> String {
    guard name == "model.tflite" else { throw Diagnostic("EXP006", "not this name") }
    return Host.join(folder, name)
  }

  func picture(_ name: String) throws -> ByteView { throw Diagnostic("EXP005", "no picture") }
  func networkPage(_ record: Record, original: Record?) throws -> String {
    "<p>network of \(record.id), \(original?.id ?? "alone")</p>"
  }
}

/// A small table: three models in two environments; a name is meant to be taken as markup.
func smallTable() -> ExplorerTable {
  let properties = [
    PropertyMeta("energy", unit: "joules", group: "Resources", weight: 0.5, isMaximized: false),
    PropertyMeta("top1", unit: "fraction", group: "Quality", weight: 0.5, isMaximized: true),
  ]
  let rows: [(String, String, Double?, Double?)] = [
    ("small", "board", 1, 0.60), ("middle", "board", 2, 0.70), ("large", "board", 8, 0.80),
    ("small", "desktop", 3, 0.60), ("middle", "desktop", 5, 0.71),
    ("<img src=x onerror=alert(1)>", "desktop", 9, nil),
  ]
  return ExplorerTable(
    MeasurementTable(
      properties: properties,
      rows: rows.map {
        .init(model: $0.0, environment: $0.1, task: "t", dataset: "d", values: [$0.2, $0.3])
      }
    )
  )
}
