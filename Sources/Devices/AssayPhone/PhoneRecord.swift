import AssayBase
import AssayDevice
import AssayHost
import AssayRecord
import VendorPhone

/// Makes a record of what a tool printed on a phone.
struct PhoneRecord {
  let job: PhoneBench.Job
  let session: PhoneSession
  let tool: ToolShelf.Entry
  let raw: PhoneBench.Raw
  let processors: [Int]?

  /// The record, judged by what the tool says; its verdict is the caller's.
  func record() -> Record {
    var record = base()
    let parsed: BenchmarkModelRun
    do {
      parsed = try BenchmarkModelRun(parsing: raw.text)
    } catch {
      let words = raw.text.split(whereSeparator: \.isNewline).suffix(12).joined(separator: "\n")
      record.reasons.append(
        Diagnostic(
          "BMK010",
          "the tool printed no result" + (raw.end == .unknown ? "" : " (\(raw.end.words))"),
          remedy: "see its words; assay tools list shows whether it is for this phone",
          cause: words.isEmpty ? (error as? Diagnostic)?.summary : words
        )
      )
      return record
    }
    record.reasons += parsed.findings(job.request, end: raw.end)
    record.placement = parsed.placement(job.request)
    if let operators = parsed.profile.json { record.operators = operators }
    fill(&record, parsed)
    if let readings = raw.trace {
      let told = readings.energy(of: parsed, processEnd: raw.window?.end)
      record.energy = told.energy
      record.reasons += told.findings
    }
    return record
  }

  private func base() -> Record {
    let word = DeviceJournal.makeWord()
    let milliseconds = String(
      max(Host.wallNanoseconds() / 1_000_000, 0),
      radix: 32,
      uppercase: true
    )
    let id = "\(milliseconds)\(word.uppercased())"
    var record = Record(
      id: id + "-0000",
      session: id,
      finishedAt: 0,
      model: model(),
      artefact: "tflite",
      variant: job.variant,
      runtime: tool.tool.kind.rawValue,
      version: tool.tool.version ?? "sha256 \(tool.sha256.prefix(12))",
      provider: job.request.provider.rawValue,
      device: session.device.address.text,
      threads: job.request.threads
    )
    record.command = job.command
    var environment = session.environment
    environment["tool"] = .string(tool.path)
    environment["toolSha256"] = .string(tool.sha256)
    environment["toolArguments"] = .array(raw.arguments.map { .string($0) })
    environment["cores"] = processors.map { .array($0.map { JSON($0) }) } ?? .string("all")
    if raw.losses > 0 { environment["connectionLosses"] = JSON(raw.losses) }
    record.environment = environment
    if let emulator = PhoneRecord.emulatorFinding(session.facts) {
      record.reasons.append(emulator)
    }
    return record
  }

  /// What a record of an emulator says; `nil` for hardware.
  static func emulatorFinding(_ facts: DeviceFacts) -> Diagnostic? {
    guard facts.emulator != nil else { return nil }
    return Diagnostic(
      "PHN015",
      "this is an emulator: its figures are never ranked with those of hardware",
      severity: .warning
    )
  }

  private func model() -> Record.Model {
    let view = try? MappedFile(path: job.model).view
    return Record.Model(
      path: job.model,
      sha256: view.map { sha256($0) } ?? "",
      byteCount: view?.count ?? 0
    )
  }

  /// Every figure that the tool gave; it gives no samples.
  private func fill(_ record: inout Record, _ run: BenchmarkModelRun) {
    let stated = Dictionary(run.stated.map { ($0.name, $0.figure) }) { first, _ in first }
    func time(_ name: String) -> Figure<Int64> {
      stated[name]?.nanoseconds(unit: 1000).map { .value($0) }
        ?? .missing(reason: "\(tool.tool.kind.rawValue) does not tell")
    }
    record.initialization.compile = time("initialization")
    record.initialization.read = .missing(reason: "it is part of the tool's initialization")
    record.initialization.first = time("latency.first")
    var memory = Record.Memory(reason: "it is the tool's process, not assay's")
    for (name, label) in [
      ("memory.initialization", "growth after initialization"), ("memory.overall", "growth in all"),
    ] {
      memory.runtime[label] = stated[name]?.bytes(unit: 1_048_576)
    }
    if let peak = stated["memory.peak"]?.bytes(unit: 1_048_576) {
      memory.peakResident = .value(peak)
      record.peakMemoryBytes = .missing(
        reason: "the tool's whole process peaked at \(Words.bytes(peak)); no null process is known"
      )
    } else if let growth = stated["memory.overall"]?.bytes(unit: 1_048_576), !run.memory.isPeak {
      // Growth since the tool's own start is what ours is, too.
      record.peakMemoryBytes = .value(growth)
    } else {
      record.peakMemoryBytes = .missing(reason: "the tool does not tell")
    }
    record.memory = memory
    state(run, in: &record)
  }
}

extension BenchmarkModelRun.End {
  /// The end in words.
  var words: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .signaled(let signal): Host.signalName(signal)
    case .unknown: "unknown end"
    }
  }
}

extension PhoneSession {
  /// What the phone told of itself, as records keep it.
  var environment: JSON {
    var environment = JSON.object([
      "transport": .string(facts.transport), "deviceKind": .string(facts.identity),
    ])
    environment["deviceModel"] = facts.model.map { .string($0) }
    environment["processor"] = facts.processor.map { .string($0) }
    environment["processorCount"] = facts.processorCount.map { JSON($0) }
    environment["system"] = facts.system.map { .string($0) }
    environment["kernel"] = facts.kernel.map { .string($0) }
    environment["architecture"] = facts.architecture.map { .string($0) }
    environment["memoryBytes"] = facts.memoryBytes.map { JSON($0) }
    environment["individual"] = facts.individual.map { .string($0) }
    environment["emulator"] = facts.emulator.map { .string($0) }
    // What scales of ratings ask for: figures of emulators are never ranked with those of hardware.
    environment["emulated"] = .bool(facts.emulator != nil)
    environment["gpu"] = facts.further["gpu"].map { .string($0) }
    environment["abi"] = facts.further["abi"].map { .string($0) }
    environment["build"] = facts.further["build"].map { .string($0) }
    return environment
  }
}
