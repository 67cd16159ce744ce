import AssayBase
import AssayHost

/// Where the outcomes of an evaluation are kept, so that it can be stopped, go on, and be shared out.
///
/// Each share appends to a file of its own; which shares there were does not matter, as every line names
/// its item.
struct EvaluationState: Sendable {
  /// The evaluation's folder.
  let folder: String

  /// The folder of a plan, made when there is none.
  init(_ plan: EvaluationPlan, below root: String?) throws {
    let root = root ?? Host.join(AssayHome.path, "evaluations")
    folder = Host.join(root, plan.key)
    try Host.makeFolders(folder)
    let file = Host.join(folder, "plan.json")
    try AtomicFile.write(plan.json.text(pretty: true) + "\n", to: file)
  }

  /// The folder of a plan's file.
  init(folder: String) { self.folder = folder }

  /// The plan.
  func plan() throws -> EvaluationPlan {
    let file = Host.join(folder, "plan.json")
    return try locating(file) {
      try EvaluationPlan(json: JSON(parsing: MappedFile(path: file).view.array))
    }
  }

  /// What is known by now; a last line that was cut off is left out.
  func outcomes() throws -> [Int: Outcome] {
    var all: [Int: Outcome] = [:]
    for name in try Host.list(folder).sorted() where name.hasSuffix(".jsonl") {
      let path = Host.join(folder, name)
      guard (Host.byteCount(of: path) ?? 0) > 0, let text = try MappedFile(path: path).view.utf8
      else {
        continue
      }
      for line in text.split(separator: "\n") {
        if let (index, outcome) = Outcome.read(line) { all[index] = outcome }
      }
    }
    return all
  }

  /// How many outcomes there are, told quickly.
  func count() -> Int {
    let files = ((try? Host.list(folder)) ?? []).filter { $0.hasSuffix(".jsonl") }
    return files.reduce(0) { sum, name in
      let path = Host.join(folder, name)
      guard (Host.byteCount(of: path) ?? 0) > 0, let bytes = try? MappedFile(path: path).view.array
      else { return sum }
      return sum + bytes.count { $0 == UInt8(ascii: "\n") }
    }
  }

  /// The file that a share appends to.
  func file(_ shard: Int, of shards: Int) -> String {
    Host.join(folder, "outcomes-\(shard)-of-\(shards).jsonl")
  }

  /// Appends outcomes.
  ///
  /// A line that a stopped run left unfinished is ended first.
  func append(_ outcomes: [(Int, Outcome)], _ shard: Int, of shards: Int) throws {
    let path = file(shard, of: shards)
    var text = outcomes.map { $0.1.json($0.0).text() + "\n" }.joined()
    if (Host.byteCount(of: path) ?? 0) > 0,
      let last = try MappedFile(path: path).view.array.last, last != UInt8(ascii: "\n")
    {
      text = "\n" + text
    }
    try Host.append(Array(text.utf8), to: path)
  }

  /// Where a share that failed leaves its words.
  func fault(_ shard: Int, of shards: Int) -> String {
    Host.join(folder, "fault-\(shard)-of-\(shards).json")
  }
}
