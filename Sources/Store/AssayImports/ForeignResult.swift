import AssayBase
import AssayRecord
import VendorTools

/// One result of a file, as it becomes a record.
public struct ForeignResult: Sendable, Equatable {
  /// What the source states.
  public var report: ToolReport
  /// The runtime's id, as far as the format tells.
  public var runtime: String
  /// The hardware path.
  public var provider: String
  /// Threads; 0 when the source does not tell.
  public var threads = 0
  /// The recipe of the variant.
  public var variant = "original"
  /// The format of the network's file; empty when the source does not tell.
  public var artefact = ""
  /// Where in the source it stands, such as `line 12`; tells results of one file apart.
  public var place: String
  /// When it was measured, nanoseconds since 1970; `nil` when the source does not tell.
  public var finishedAt: Int64?
  /// How queries were issued.
  public var scenario: Record.Scenario?
  /// Whether the source itself calls the result valid; `nil` when it does not say.
  public var isValid: Bool?
  /// What the source says of the energy.
  public var energy: [Record.Energy] = []

  /// Makes a result.
  public init(_ report: ToolReport, runtime: String, provider: String, at place: String = "file") {
    self.report = report
    self.runtime = runtime
    self.provider = provider
    self.place = place
  }
}

/// Who imports what, for the records' provenance.
public struct ImportContext: Sendable {
  /// The importer's name.
  public var format: String
  /// The source as the user gave it.
  public var file: String
  /// SHA-256 of the source.
  public var sha256: String
  /// Who imports.
  public var by: String
  /// When, nanoseconds since 1970.
  public var at: Int64
  /// The network's file, where the user gave it.
  public var model: Record.Model?
  /// What the user calls the machine, where the source does not tell.
  public var device: String?
  /// The command line.
  public var command: [String] = []

  /// Makes a context.
  public init(
    format: String,
    file: String,
    sha256: String,
    by: String,
    at: Int64,
    model: Record.Model? = nil,
    device: String? = nil
  ) {
    self.format = format
    self.file = file
    self.sha256 = sha256
    self.by = by
    self.at = at
    self.model = model
    self.device = device
  }
}

extension ForeignResult {
  /// The record of the result.
  ///
  /// Its id is made of the source's hash and the result's place, so that the same file gives the same records
  /// whenever it is imported.
  public func record(_ context: ImportContext) -> Record {
    var imported = Record.Imported(
      format: context.format,
      tool: report.tool,
      toolVersion: report.version,
      file: context.file,
      fileSHA256: context.sha256,
      by: context.by,
      at: context.at,
      origin: report.origin
    )
    imported.figures = report.figures
    let name = report.model ?? context.model?.path
    var record = Record(
      id: "imp-" + sha256("\(context.sha256) \(context.format) \(place)").prefix(20),
      session: "imp-" + context.sha256.prefix(20),
      finishedAt: finishedAt ?? context.at,
      model: context.model ?? Record.Model(path: name ?? "unknown", sha256: "", byteCount: 0),
      artefact: artefact.isEmpty ? ForeignResult.artefact(of: name) : artefact,
      variant: variant,
      runtime: runtime,
      version: report.version ?? "unknown",
      provider: provider,
      device: "\(imported.mark): \(context.device ?? report.device ?? "unknown device")",
      threads: threads
    )
    record.command = context.command
    record.scenario = scenario
    record.placement = .object([
      "provider": .string(report.device ?? provider), "placed": .null, "total": .null,
      "notes": .array([]),
    ])
    record.samples = report.samples.compactMap { sample in
      Record.Imported.Stated("", sample, report.sampleUnit, at: "").nanoseconds
        .map { Int64($0.rounded()) }
    }
    if !record.samples.isEmpty { record.rounds = [record.samples.count] }
    fill(&record)
    for (key, value) in report.facts.pairs { record.environment[key] = value }
    record.operators = operators
    record.energy = energy
    imported.gaps = gaps(record)
    record.imported = imported
    judge(&record)
    return record
  }

  private func fill(_ record: inout Record) {
    func time(_ name: String) -> Figure<Int64> {
      guard let value = report[name]?.nanoseconds, value >= 0 else {
        return .missing(reason: "\(report.tool) does not state it")
      }
      return .value(Int64(value.rounded()))
    }
    record.initialization = Record.Initialization(
      read: time("init.read"),
      compile: time("init.compile"),
      first: time("init.first")
    )
    if let bytes = report["memory.peak"]?.bytes, bytes >= 0 {
      record.peakMemoryBytes = .value(Int(bytes.rounded()))
    } else {
      record.peakMemoryBytes = .missing(reason: "\(report.tool) does not state it")
    }
    if let accuracy = report["accuracy.top1"] ?? report["accuracy"], accuracy.unit == "1",
      (0...1).contains(accuracy.value)
    {
      record.accuracy = .value(accuracy.value)
      record.accuracyCount = report["accuracy.count"].flatMap { Int(exactly: $0.value) } ?? 0
    } else {
      record.accuracy = .missing(reason: "\(report.tool) does not state it")
    }
  }

  private var operators: JSON {
    guard !report.operators.isEmpty else { return .null }
    return .array(
      report.operators.map { entry in
        var object = JSON.object(["kind": .string(entry.kind), "node": .string(entry.node)])
        object["ns"] = entry.time?.nanoseconds.map { .number($0) }
        if !entry.place.isEmpty { object["place"] = .string(entry.place) }
        for figure in entry.figures { object[figure.name] = .number(figure.value) }
        return object
      }
    )
  }

  /// What a record of our own would have.
  private func gaps(_ record: Record) -> [Record.Imported.Gap] {
    var gaps: [Record.Imported.Gap] = []
    func note(_ name: String, _ isMissing: Bool, _ reason: String) {
      if isMissing { gaps.append(Record.Imported.Gap(name, reason)) }
    }
    note("samples", record.samples.isEmpty, "the source states aggregates only")
    note(
      "model.sha256",
      record.model.sha256.isEmpty,
      "the network's file is not at hand: --model FILE"
    )
    note(
      "device",
      record.device.hasSuffix("unknown device"),
      "the source does not name the hardware: --device NAME"
    )
    note("threads", threads == 0, "the source does not tell")
    note(
      "finishedAt",
      finishedAt == nil,
      "the source does not tell when; the time of import stands"
    )
    note("conditions", true, "nobody looked at the machine's state")
    return gaps
  }

  private func judge(_ record: inout Record) {
    record.verdict = .valid
    record.reasons = report.findings
    func invalid(_ code: String, _ summary: String, cause: String? = nil) {
      record.verdict = .invalid
      record.reasons.insert(Diagnostic(code, summary, cause: cause), at: 0)
    }
    if let failure = report.failure {
      invalid("IMP010", "the run that the file is of failed", cause: failure)
    } else if isValid == false {
      invalid("IMP011", "the source itself calls this result invalid")
    } else if report.origin == .estimated {
      invalid("IMP012", "\(report.tool) estimated these figures; nothing ran on the hardware")
    } else if !report.hasLatency, report["throughput"] == nil {
      invalid("IMP013", "the file states no latency and no throughput")
    }
  }

  private static func artefact(of name: String?) -> String {
    let known = ["tflite": "tflite", "onnx": "onnx", "xml": "openvino", "dlc": "dlc"]
    guard let name, let dot = name.lastIndex(of: ".") else { return "unknown" }
    return known[name[name.index(after: dot)...].lowercased()] ?? "unknown"
  }
}
