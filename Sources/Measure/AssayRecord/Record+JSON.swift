import AssayBase

extension Record {
  /// The record as JSON in the form of docs/schema/record-1.json.
  ///
  /// `latencyNs`, `throughputPerSecond` and `claim` are derived from the samples as they are written;
  /// they are not read back. Members of `extra` come last.
  public var json: JSON { json(summary) }

  /// The record as JSON, for those who have its summary already.
  ///
  /// - Parameter summary: what the record's `summary` gives.
  public func json(_ summary: Summary) -> JSON {
    var members = JSON.Members()
    members["schema"] = .string(recordSchema)
    members["id"] = .string(id)
    members["session"] = .string(session)
    members["finishedAt"] = .integer(finishedAt)
    members["model"] = .object([
      "path": .string(model.path),
      "sha256": .string(model.sha256),
      "bytes": JSON(model.byteCount),
      "deflatedBytes": model.deflatedByteCount.json,
    ])
    members["artefact"] = .string(artefact)
    members["variant"] = .string(variant)
    members["runtime"] = .string(runtime)
    members["provider"] = .string(provider)
    members["version"] = .string(version)
    members["placement"] = placement
    members["device"] = .string(device)
    members["threads"] = JSON(threads)
    members["latencyNs"] = summary.json
    members["throughputPerSecond"] = throughput.json
    if !inputs.isEmpty { members["inputs"] = .array(inputs.map(\.json)) }
    if let scenario {
      members["scenario"] = scenario.json
      // Without samples there is nothing to hold a target against.
      if imported == nil || !samples.isEmpty { members["claim"] = claim.json }
    }
    members["stopping"] = stopping?.json
    members["sustained"] = sustained?.json
    members["audit"] = audit?.json
    if !processes.isEmpty { members["processes"] = .array(processes.map { JSON($0) }) }
    members["initNs"] = .object([
      "read": initialization.read.json,
      "compile": initialization.compile.json,
      "first": initialization.first.json,
    ])
    members["peakMemoryBytes"] = peakMemoryBytes.json
    members["samplesNs"] = .array(samples.map { .integer($0) })
    members["rounds"] = .array(rounds.map { JSON($0) })
    members["windowsNs"] = .array(windows.map(\.json))
    members["warmupNs"] = .array(warmup.map { .integer($0) })
    members["energy"] = .array(energy.map(\.json))
    members["powerMarks"] = powerMarks?.json
    members["accuracy"] = accuracy.json
    members["accuracyCount"] = JSON(accuracyCount)
    members["agreement"] = agreement.json
    members["snrDb"] = snrDb.json
    members["operators"] = operators
    members["environment"] = environment
    members["conditions"] = conditions?.json
    members["phases"] = phases?.json
    members["memory"] = memory?.json
    members["counters"] = counters?.json
    members["accelerator"] = accelerator?.json
    members["command"] = .array(command.map { .string($0) })
    members["verdict"] = .string(verdict.rawValue)
    members["reasons"] = .array(reasons.map(\.json))
    if let trial { members["trial"] = trial.json }
    members["imported"] = imported?.json
    for (key, value) in extra.pairs ?? [] where !Record.members.contains(key) {
      members[key] = value
    }
    return .members(members)
  }

  /// The members that this version knows, the derived ones included.
  private static let members: Set<String> = [
    "schema", "id", "session", "finishedAt", "model", "artefact", "variant", "runtime", "provider",
    "version", "placement", "device", "threads", "latencyNs", "throughputPerSecond", "initNs",
    "peakMemoryBytes", "samplesNs", "rounds", "windowsNs", "warmupNs", "energy", "accuracy",
    "accuracyCount", "agreement", "snrDb", "operators", "environment", "conditions", "phases",
    "memory", "counters", "command", "verdict", "reasons", "trial", "inputs", "scenario", "claim",
    "stopping", "processes", "sustained", "audit", "powerMarks", "accelerator", "imported",
  ]

  /// Reads a record.
  ///
  /// A figure that is absent is missing with that reason; members that this version does not know
  /// go to `extra`.
  ///
  /// - Throws: `Diagnostic` REC001 when the schema is another one, `Diagnostics` REC002 that name
  ///   every member that is absent or of another type.
  public init(json: JSON) throws {
    guard let schema = json["schema"]?.string, schema == recordSchema else {
      throw Diagnostic(
        "REC001",
        "this is not a record of the schema \(recordSchema)",
        at: ["schema"],
        remedy: "use the version of assay that wrote it, or a newer one",
        cause: json["schema"]?.text()
      )
    }
    var reader = RecordReader(json: json)
    let model = Model(
      path: reader.string("model.path"),
      sha256: reader.string("model.sha256"),
      byteCount: reader.int("model.bytes"),
      deflatedByteCount: reader.figure("model.deflatedBytes", "a whole number", \.int)
    )
    self.init(
      id: reader.string("id"),
      session: reader.string("session"),
      finishedAt: Int64(reader.int("finishedAt")),
      model: model,
      artefact: reader.string("artefact"),
      variant: reader.string("variant"),
      runtime: reader.string("runtime"),
      version: reader.string("version"),
      provider: reader.string("provider"),
      device: reader.string("device"),
      threads: reader.int("threads")
    )
    placement = json["placement"] ?? .null
    inputs = (json["inputs"]?.array ?? []).compactMap { Input(json: $0) }
    if let member = json["scenario"], member != .null {
      scenario = Scenario(json: member)
      if scenario == nil { reader.fault("scenario", "a scenario that this version knows") }
    }
    processes = reader.ints("processes")
    sustained = json["sustained"].flatMap { Sustained(json: $0) }
    audit = json["audit"].flatMap { Audit(json: $0) }
    powerMarks = reader.part("powerMarks") { PowerMarks(json: $0) }
    stopping = json["stopping"].flatMap { Stopping(json: $0) }
    initialization = Initialization(
      read: reader.figure("initNs.read", "a whole number", \.int64),
      compile: reader.figure("initNs.compile", "a whole number", \.int64),
      first: reader.figure("initNs.first", "a whole number", \.int64)
    )
    peakMemoryBytes = reader.figure("peakMemoryBytes", "a whole number", \.int)
    samples = reader.ints("samplesNs").map { Int64($0) }
    rounds = reader.ints("rounds")
    for (index, element) in (json["windowsNs"]?.array ?? []).enumerated() {
      if let window = Window(json: element) {
        windows.append(window)
      } else {
        reader.fault("windowsNs[\(index)]", "two whole numbers")
      }
    }
    warmup = reader.ints("warmupNs").map { Int64($0) }
    for (index, element) in (json["energy"]?.array ?? []).enumerated() {
      if let energy = Energy(json: element) {
        self.energy.append(energy)
      } else {
        reader.fault("energy[\(index)]", "the energy that a meter saw")
      }
    }
    accuracy = reader.figure("accuracy", "a number", \.double)
    accuracyCount = json["accuracyCount"] == nil ? 0 : reader.int("accuracyCount")
    agreement = reader.figure("agreement", "a number", \.double)
    snrDb = reader.figure("snrDb", "a number", \.double)
    operators = json["operators"] ?? .null
    environment = json["environment"] ?? .emptyObject
    conditions = reader.part("conditions", Conditions.init(json:))
    phases = reader.part("phases", Phases.init(json:))
    memory = reader.part("memory", Memory.init(json:))
    counters = reader.part("counters", Counters.init(json:))
    accelerator = reader.part("accelerator", Accelerator.init(json:))
    command = reader.strings("command")
    let word = reader.string("verdict")
    if let verdict = Verdict(rawValue: word) {
      self.verdict = verdict
    } else {
      reader.fault("verdict", "VALID or INVALID")
    }
    for (index, element) in (json["reasons"]?.array ?? []).enumerated() {
      if let reason = Diagnostic(json: element) {
        reasons.append(reason)
      } else {
        reader.fault("reasons[\(index)]", "a diagnostic")
      }
    }
    if let member = json["trial"] {
      trial = Trial(json: member)
      if trial == nil { reader.fault("trial", "the mark of a trial") }
    }
    imported = reader.part("imported", Imported.init(json:))
    for (key, value) in json.pairs ?? [] where !Record.members.contains(key) {
      extra[key] = value
    }
    try Diagnostics(reader.faults).throwIfErrors()
  }
}

extension Summary {
  /// The percentiles in nanoseconds; `ci95` is the interval of p50.
  public var json: JSON {
    .object([
      "p50": p50.map(\.value).json,
      "p90": p90.map(\.value).json,
      "p99": p99.map(\.value).json,
      "ci95": interval(p50),
      "p90ci95": interval(p90),
      "p99ci95": interval(p99),
      "mean": mean.json,
      "min": minimum.json,
      "max": maximum.json,
    ])
  }

  private func interval(_ quantile: Figure<Quantile>) -> JSON {
    switch quantile {
    case .missing(let reason): missingJSON(reason)
    case .value(let quantile):
      switch quantile.interval {
      case .value(let range): .array([.integer(range.lowerBound), .integer(range.upperBound)])
      case .missing(let reason): missingJSON(reason)
      }
    }
  }
}

extension Figure {
  /// The figure with its value changed; a missing one keeps its reason.
  public func map<Other>(_ body: (Value) -> Other) -> Figure<Other> {
    switch self {
    case .value(let value): .value(body(value))
    case .missing(let reason): .missing(reason: reason)
    }
  }

  /// Why there is no value, if there is none.
  public var missingReason: String? {
    if case .missing(let reason) = self { reason } else { nil }
  }
}

extension Figure where Value: BinaryInteger {
  /// The number, or `{"missing": reason}`.
  public var json: JSON {
    switch self {
    case .value(let value): .integer(Int64(clamping: value))
    case .missing(let reason): missingJSON(reason)
    }
  }
}

extension Figure where Value == Double {
  /// The number, or `{"missing": reason}`; infinity is the text `"inf"` (a noiseless signal).
  public var json: JSON {
    switch self {
    case .value(let value) where value.isFinite: .number(value)
    case .value(let value) where value == .infinity: .string("inf")
    case .value(let value): missingJSON("the figure came out as \(value)")
    case .missing(let reason): missingJSON(reason)
    }
  }
}

private func missingJSON(_ reason: String) -> JSON { .object(["missing": .string(reason)]) }

extension JSON {
  fileprivate var int64: Int64? { int.map { Int64($0) } }
}

/// Reads members by dotted path and collects what is wrong with them.
private struct RecordReader {
  let json: JSON
  var faults: [Diagnostic] = []

  mutating func fault(_ path: String, _ expected: String) {
    faults.append(Diagnostic("REC002", "a record's member is not \(expected)", at: [path]))
  }

  func member(_ path: String) -> JSON? {
    path.split(separator: ".").reduce(Optional(json)) { value, key in value?[String(key)] }
  }

  mutating func string(_ path: String) -> String {
    if let value = member(path)?.string { return value }
    fault(path, "a string")
    return ""
  }

  mutating func int(_ path: String) -> Int {
    if let value = member(path)?.int { return value }
    fault(path, "a whole number")
    return 0
  }

  mutating func ints(_ path: String) -> [Int] {
    guard let value = member(path) else { return [] }
    if let values = value.ints { return values }
    fault(path, "a list of whole numbers")
    return []
  }

  mutating func strings(_ path: String) -> [String] {
    guard let value = member(path) else { return [] }
    let strings = value.array?.compactMap(\.string)
    if let strings, strings.count == value.array?.count { return strings }
    fault(path, "a list of strings")
    return []
  }

  /// A part that may be absent.
  mutating func part<Part>(_ path: String, _ part: (JSON) -> Part?) -> Part? {
    guard let member = member(path), !member.isNull else { return nil }
    if let part = part(member) { return part }
    fault(path, "what it should be")
    return nil
  }

  mutating func figure<Value>(
    _ path: String,
    _ expected: String,
    _ value: (JSON) -> Value?
  ) -> Figure<Value> {
    guard let member = member(path) else { return .missing(reason: "not in the record") }
    if let reason = member["missing"]?.string { return .missing(reason: reason) }
    if let value = value(member) { return .value(value) }
    if member == .string("inf"), let infinity = Double.infinity as? Value {
      return .value(infinity)
    }
    fault(path, expected + " or {\"missing\": reason}")
    return .missing(reason: "not readable")
  }
}
