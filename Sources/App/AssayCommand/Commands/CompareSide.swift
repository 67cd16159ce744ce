import AssayBase
import AssayBench
import AssayCatalog
import AssayFormat
import AssayHost
import AssayRecord
import AssayReport
import AssayRuntime
import AssayStore

/// A model in one of the ways that are compared.
struct CompareSide {
  /// The model's file; `null` for the session that does nothing.
  var path: String
  /// What runs it.
  var runtime: any InferenceRuntime
  /// Threads of the runtime.
  var threads: Int
  /// The hardware path.
  var provider: Provider
  /// What the provider is told by words of its own.
  var settings: [String: String] = [:]
  /// What its record calls it.
  var variant: String?

  /// The two sides that a command line names.
  ///
  /// - Throws: `Diagnostic` CLI008 when it does not name two.
  static func pair(_ arguments: Arguments) throws -> (CompareSide, CompareSide) {
    let runtimes = arguments.words("--runtime") ?? []
    let threads = try arguments.integers("--threads") ?? []
    let clocks = arguments.words("--clock") ?? []
    guard runtimes.count <= 2, threads.count <= 2, clocks.count <= 2 else {
      throw Diagnostic(
        "CLI008",
        "two are compared: give at most two runtimes, thread counts and clocks"
      )
    }
    let isNull = !runtimes.isEmpty && runtimes.allSatisfy { $0 == "null" }
    let paths = [arguments.operand(0), arguments.operand(1)].compactMap { $0 }
    guard !paths.isEmpty || isNull else {
      throw Diagnostic("CLI005", "A is missing: the model to compare", remedy: usage)
    }
    guard paths.count == 2 || runtimes.count == 2 || threads.count == 2 || clocks.count == 2 else {
      throw Diagnostic("CLI008", "there is nothing to compare \(paths[0]) with", remedy: usage)
    }
    func side(_ index: Int) throws -> CompareSide {
      let path = paths.isEmpty ? "null" : paths[min(index, paths.count - 1)]
      let name = runtimes.isEmpty ? nil : runtimes[min(index, runtimes.count - 1)]
      let runtime = try name == "null" ? NullRuntime() : chosen(name, path, arguments)
      if isLocal(arguments), case .unavailable(let reason, let remedy) = runtime.probe() {
        throw Diagnostic("HST030", "\(runtime.id) cannot be used: \(reason)", remedy: remedy)
      }
      var settings = EdgeTPUOptions.settings(arguments)
      if !clocks.isEmpty { settings["clock"] = clocks[min(index, clocks.count - 1)] }
      return CompareSide(
        path: path,
        runtime: runtime,
        threads: threads.isEmpty ? 1 : threads[min(index, threads.count - 1)],
        provider: arguments.value("--provider").flatMap(Provider.init)
          ?? (settings.isEmpty ? .cpu : .tpu),
        settings: settings
      )
    }
    return (try side(0), try side(1))
  }

  private static let usage =
    "give two models, two records, or two runtimes, thread counts or clocks with a comma"

  private static func chosen(
    _ name: String?,
    _ path: String,
    _ arguments: Arguments
  ) throws -> any InferenceRuntime {
    var words = [path]
    if let name { words += ["--runtime", name] }
    return try chosenRuntime(
      Arguments(words, spec: benchCommand),
      model: path,
      mustBeHere: isLocal(arguments)
    )
  }

  /// What is measured.
  func configuration() throws -> Configuration {
    let isNull = runtime.id == "null"
    var configuration = Configuration(
      model: isNull
        ? Record.Model(path: path, sha256: sha256(""), byteCount: 0)
        : try Record.Model(file: path),
      artefact: isNull ? "none" : try format(ofModel: path).id,
      variant: variant ?? "original",
      runtime: runtime.id,
      provider: provider,
      threads: threads
    )
    configuration.settings = settings
    if provider == .tpu { configuration.accelerator = try EdgeTPUOptions.fileFacts(path) }
    return configuration
  }

  /// What both are called: that in which they differ, or A and B where they are the same.
  static func names(_ a: CompareSide, _ b: CompareSide) -> (String, String) {
    func parts(_ side: CompareSide, _ other: CompareSide) -> String {
      var words: [String] = []
      if side.path != other.path {
        let (name, otherName) = (Host.name(of: side.path), Host.name(of: other.path))
        words.append(name == otherName ? side.path : name)
      }
      if side.runtime.id != other.runtime.id { words.append(side.runtime.id) }
      if side.threads != other.threads {
        words.append("the \(side.threads)-thread run")
      }
      if side.settings["clock"] != other.settings["clock"] {
        words.append("the \(side.settings["clock"] ?? "usual") clock")
      }
      return words.joined(separator: ", ")
    }
    let names = (parts(a, b), parts(b, a))
    return names.0 == names.1 ? ("A", "B") : names
  }
}

/// The two sides when both operands are records; `nil` when neither is.
///
/// - Throws: `Diagnostic` CLI008 when one is a record and the other a model.
func recordedSides(
  _ arguments: Arguments
) throws -> (DifferenceReport.Side, DifferenceReport.Side)? {
  let words = [arguments.operand(0), arguments.operand(1)].compactMap { $0 }
  let areRecords = words.map { isRecordName($0) }
  guard areRecords.contains(true) else { return nil }
  guard words.count == 2, areRecords == [true, true] else {
    throw Diagnostic(
      "CLI008",
      "a record is compared with another record",
      remedy: "to measure a model against a record: assay bench MODEL --baseline RECORD"
    )
  }
  let records = try words.map { try storedRecord($0, arguments) }
  let names = zip(records, words).map { record, word in
    "\(record.variant) of \(Host.name(of: record.model.path)) (\(Host.name(of: word)))"
  }
  return (.init(name: names[0], record: records[0]), .init(name: names[1], record: records[1]))
}

/// Whether a word names a record: a JSON file, `latest`, a query, or no file at all.
private func isRecordName(_ word: String) -> Bool {
  Host.kind(of: word) == .file ? word.hasSuffix(".json") : Host.kind(of: word) == nil
}

/// The record that a word names: a JSON file, an id in the store, `latest`, or a query such as
/// `variant=static_int8,runtime=litert`, whose newest record is taken.
///
/// - Throws: `Diagnostic` CMP001 when there is none, CMP002 for an unknown word of a query.
func storedRecord(_ word: String, _ arguments: Arguments) throws -> Record {
  if Host.kind(of: word) == .file {
    // The result of `bench --baseline` and `compare` holds the record of B.
    return try read(json: word) { try Record(json: $0["b"]?["record"] ?? $0) }
  }
  let store = try readStore(arguments)
  func missing() -> Diagnostic {
    Diagnostic(
      "CMP001",
      "there is no record '\(word)'",
      at: [store.url],
      remedy: "give a model or JSON file, an id, 'latest', or a query such as "
        + "variant=static_int8,runtime=litert"
    )
  }
  if word == "latest" || word.contains("=") {
    var query = RecordQuery(limit: 1)
    for part in word == "latest" ? [] : word.split(separator: ",") {
      let sides = part.split(separator: "=", maxSplits: 1).map { String($0) }
      guard sides.count == 2 else { throw missing() }
      switch sides[0] {
      case "session": query.session = sides[1]
      case "model": query.modelSHA256 = sides[1]
      case "variant": query.variant = sides[1]
      case "runtime": query.runtime = sides[1]
      case "device": query.device = sides[1]
      default:
        throw Diagnostic(
          "CMP002",
          "a record is not asked for by '\(sides[0])'",
          remedy: "session, model (its SHA-256), variant, runtime, device"
        )
      }
    }
    guard let record = try store.records(query).last else { throw missing() }
    return record
  }
  guard let found = try store.records(RecordQuery(id: word)).first else { throw missing() }
  return found
}
