import AssayBase
import AssayCodec
import AssayHost
import AssayReport

/// Keeps the figures of a training in its folder as it goes: CSV and JSON, and TensorBoard's files where
/// they are wanted.
struct TrainingLog {
  /// The epochs so far.
  private(set) var history: TrainingHistory
  private let folder: String
  private let board: TensorBoardLog?

  /// - Parameters:
  ///   - folder: gets `history.csv` and `history.json`; a run that goes on reads the latter.
  ///   - board: TensorBoard's folder.
  ///   - isContinued: whether the epochs that the folder knows are kept.
  init(folder: String, board: String?, isContinued: Bool) throws {
    self.folder = folder
    let path = Host.join(folder, "history.json")
    if isContinued, Host.kind(of: path) == .file {
      history = TrainingHistory(json: try readJSON(path)["epochs"] ?? [])
    } else {
      history = TrainingHistory()
    }
    self.board = try board.map { try TensorBoardLog(folder: $0) }
  }

  /// Forgets the epochs of a phase from one on: a run that goes on does them again.
  mutating func forget(phase: String, after epoch: Int) {
    history.rows.removeAll { $0.phase == phase && $0.epoch > epoch }
  }

  /// Adds an epoch.
  mutating func add(_ row: TrainingHistory.Row) throws {
    history.rows.append(row)
    try AtomicFile.write(history.csv, to: Host.join(folder, "history.csv"))
    let json = JSON.object(["schema": "assay.training-history/1", "epochs": history.json])
    try writeJSON(json, to: Host.join(folder, "history.json"))
    try board?.add(row)
  }
}

/// TensorBoard's event files, with the names that Keras's callback gives to runs and figures.
struct TensorBoardLog {
  private let folder: String
  private let name: String
  private let now: @Sendable () -> Double

  /// - Parameter folder: TensorBoard's `--logdir`.
  init(
    folder: String,
    now: @escaping @Sendable () -> Double = { Double(Host.wallNanoseconds()) / 1e9 }
  ) throws {
    self.folder = folder
    self.now = now
    name = "events.out.tfevents.\(Int(now())).assay.\(Host.processID).v2"
    try Host.makeFolders(folder)
  }

  /// Adds the figures of an epoch: those of validation to a run of their own.
  func add(_ row: TrainingHistory.Row) throws {
    let prefix = row.phase.isEmpty ? "" : row.phase + "/"
    var runs: [String: [(tag: String, value: Double)]] = [:]
    for name in row.values.keys.sorted() {
      guard let value = row.values[name] else { continue }
      let isValidation = name.hasPrefix("val_")
      let tag = "epoch_" + (isValidation ? String(name.dropFirst(4)) : name)
      runs[prefix + (isValidation ? "validation" : "train"), default: []].append((tag, value))
    }
    for (run, values) in runs {
      let place = Host.join(folder, run)
      try Host.makeFolders(place)
      let path = Host.join(place, name)
      let head = Host.exists(path) ? [] : TensorBoardEvent.version(time: now())
      // As Keras, epochs count from 0 there.
      let events = TensorBoardEvent.scalars(values, step: row.epoch - 1, time: now())
      try Host.append(head + events, to: path)
    }
  }
}
