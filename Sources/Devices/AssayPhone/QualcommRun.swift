import AssayBase
import AssayCodec
import AssayDevice
import AssayHost
import AssayRecord
import VendorPhone

/// Runs a network on a phone by Qualcomm's tools: SNPE's or QNN's net-run with its profile, and SNPE's
/// throughput, pushed there and read back.
public struct QualcommRun {
  /// Whose tools, and so which kinds of network.
  public enum Kind: String, Sendable {
    /// A `.dlc` container.
    case snpe
    /// A model library (`.so`) or a context binary (`.bin`).
    case qnn
  }

  /// What runs it.
  public enum Processor: String, Sendable, CaseIterable {
    case cpu, gpu, dsp
  }

  /// What is run, and how.
  public struct Job: Sendable {
    /// The network on this machine.
    public var model: String
    /// Whose tools.
    public var kind: Kind
    /// What runs it.
    public var processor: Processor
    /// Inputs as raw bytes by name, in the network's order.
    public var inputs: [(name: String, bytes: [UInt8])]
    /// Inferences of QNN's run.
    public var runs: Int
    /// Seconds of SNPE's throughput run; 0 for none.
    public var throughputSeconds: Int
    /// Where outputs are kept on this machine; `nil` to leave them.
    public var outputs: String?
    /// The command that records keep.
    public var command: [String]

    /// Makes a job.
    public init(
      model: String,
      kind: Kind,
      processor: Processor = .cpu,
      inputs: [(name: String, bytes: [UInt8])],
      runs: Int = 50,
      throughputSeconds: Int = 5,
      outputs: String? = nil,
      command: [String] = []
    ) {
      self.model = model
      self.kind = kind
      self.processor = processor
      self.inputs = inputs
      self.runs = runs
      self.throughputSeconds = throughputSeconds
      self.outputs = outputs
      self.command = command
    }
  }

  private let session: PhoneSession
  private let shelf: ToolShelf
  private let scratch: String
  private let progress: (String) -> Void

  /// Runs on a phone, with the user's tools.
  ///
  /// - Parameter scratch: a folder of this machine for what is pulled and unpacked.
  public init(
    _ session: PhoneSession,
    _ shelf: ToolShelf,
    scratch: String,
    progress: @escaping (String) -> Void = { _ in }
  ) {
    self.session = session
    self.shelf = shelf
    self.scratch = scratch
    self.progress = progress
  }

  /// Runs it.
  ///
  /// A tool that fails is a record with the reason; what keeps a run from beginning is thrown.
  ///
  /// - Throws: `Diagnostic` TOL005 without tools, QCM010-011 for what a package lacks, DEV… when the
  ///   phone is lost.
  public func run(_ job: Job) throws -> Record {
    let entry = try shelf.pick([job.kind == .snpe ? .snpe : .qnn], abis: session.abis)
    guard let abi = session.abis.first(where: { entry.tool.abis.contains($0) }) else {
      throw Diagnostic("TOL005", "the package is not for this phone", at: [entry.path])
    }
    let netRun = job.kind == .snpe ? "snpe-net-run" : "qnn-net-run"
    let viewer = job.kind == .snpe ? "snpe-diagview" : "qnn-profile-viewer"
    let hasThroughput = job.kind == .snpe && job.throughputSeconds > 0
    let tools = try QualcommTools(
      entry,
      abi: abi,
      programs: [netRun] + (hasThroughput ? ["snpe-throughput-net-run"] : []),
      host: [viewer],
      scratch: scratch
    )
    let before = try session.insist { try PhoneState(of: session.device) }
    let place = try bring(job, tools)
    var record = base(job, entry)
    do {
      try measure(job, tools, place, viewer, hasThroughput, &record)
    } catch let fault as Diagnostic where !DeviceFault.ofTheWay.contains(fault.code) {
      record.reasons.append(fault)
    }
    let after = try? session.insist { try PhoneState(of: session.device) }
    record.environment["phoneBefore"] = before.json
    record.environment["phoneAfter"] = after?.json ?? .null
    record.reasons += PhoneState.findings(before: before, after: after)
    record.verdict = record.reasons.contains { $0.severity == .error } ? .invalid : .valid
    record.finishedAt = Host.wallNanoseconds()
    return record
  }

  /// Brings tools, network and inputs to a folder of the phone.
  private func bring(_ job: Job, _ tools: QualcommTools) throws -> String {
    let place = session.folder.newPath("qualcomm")
    var script = "umask 077; mkdir -p \(Words.shell([place + "/in"])) || exit 1\n"
    func lay(_ file: String, _ name: String, isExecutable: Bool = false) throws {
      let there = try session.insist {
        try session.folder.push(file, isExecutable: isExecutable)
      }
      script += "ln -sf \(Words.shell([there, place + "/" + name])) || exit 1\n"
    }
    for part in tools.parts {
      progress("bringing \(part.name)")
      try lay(part.path, part.name, isExecutable: true)
    }
    progress("bringing \(Host.name(of: job.model))")
    try lay(job.model, modelName(job))
    var words: [String] = []
    for (index, input) in job.inputs.enumerated() {
      let file = Host.join(scratch, "input\(index).raw")
      try AtomicFile.write([ByteView(input.bytes)], to: file, isSynced: false)
      try lay(file, "in/\(index).raw")
      words.append("\(input.name):=\(place)/in/\(index).raw")
    }
    // One inference a line; all its inputs on it.
    script +=
      "echo \(Words.shell([words.joined(separator: " ")])) >\(Words.shell([place + "/list"]))"
    let laid = try session.insist { try session.device.run(script + " && echo laid", seconds: 60) }
    guard laid.output.contains("laid") else {
      throw DeviceFault.refused(session.device.address, "laying out Qualcomm's tools", laid.errors)
    }
    return place
  }

  private func modelName(_ job: Job) -> String {
    let suffix = job.model.split(separator: ".").last.map { String($0) } ?? "dlc"
    return "model." + suffix.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }

  /// What every tool there needs: its libraries, and the signal processor's.
  private func environment(_ place: String) -> String {
    let word = Words.shell([place])
    return "cd \(word) || exit 1\nexport LD_LIBRARY_PATH=\(word):/vendor/lib64\n"
      + "export ADSP_LIBRARY_PATH=\(Words.shell([place + ";/vendor/dsp/cdsp;/vendor/lib/rfsa/adsp;/system/lib/rfsa/adsp;/dsp"]))\n"
  }

  private func arguments(_ job: Job) -> [String] {
    switch job.kind {
    case .snpe:
      let processor = job.processor == .cpu ? [] : ["--use_\(job.processor.rawValue)"]
      return ["./snpe-net-run", "--container", modelName(job), "--input_list", "list"]
        + ["--output_dir", "out", "--profiling_level", "detailed", "--perf_profile", "burst"]
        + processor
    case .qnn:
      let backend =
        switch job.processor {
        case .cpu: "libQnnCpu.so"
        case .gpu: "libQnnGpu.so"
        case .dsp: "libQnnHtp.so"
        }
      let isContext = job.model.hasSuffix(".bin")
      return ["./qnn-net-run", isContext ? "--retrieve_context" : "--model", modelName(job)]
        + ["--backend", backend, "--input_list", "list", "--output_dir", "out"]
        + ["--profiling_level", "basic", "--perf_profile", "burst"]
        + ["--num_inferences", "\(max(job.runs, 1))"]
    }
  }

  private func measure(
    _ job: Job,
    _ tools: QualcommTools,
    _ place: String,
    _ viewer: String,
    _ hasThroughput: Bool,
    _ record: inout Record
  ) throws {
    let words = arguments(job)
    record.environment["toolArguments"] = .array(words.map { .string($0) })
    progress("running \(Words.shell([words[0]]))")
    let ran = try session.run(
      environment(place) + "exec " + Words.shell(words) + " 2>&1",
      seconds: 600
    )
    var texts = [ran.output]
    var figures: [Record.Imported.Stated] = []
    func keep(_ name: String, _ figure: Printed?, _ unit: String, _ source: String) {
      guard let figure else { return }
      figures.append(Record.Imported.Stated(name, figure.value, unit, at: source))
    }
    guard ran.status == 0 else {
      throw Diagnostic(
        "QCM012",
        "\(words[0].dropFirst(2)) failed with status \(ran.status)",
        at: [session.device.address.text],
        remedy: "see its words; --processor cpu tells whether it is the accelerator",
        cause: String(ran.output.suffix(2000))
      )
    }
    if job.kind == .snpe {
      let run = try SNPE.NetRun(parsing: ran.output)
      if let version = run.version { record.version = version }
    }
    let log = job.kind == .snpe ? "SNPEDiag_0.log" : "qnn-profiling-data_0.log"
    let here = Host.join(scratch, log)
    try session.insist { try session.device.pull(place + "/out/" + log, to: here, seconds: 120) }
    progress("reading the profile")
    let report = try tools.runHere(viewer, ["--input_log", here])
    texts.append(report)
    switch job.kind {
    case .snpe:
      let diagnosis = try SNPE.Diagnosis(parsing: report)
      keep("latency.mean", diagnosis.inference, "us", viewer)
      for label in diagnosis.labels {
        keep("snpe.\(label)", diagnosis.microseconds[label], "us", viewer)
      }
      if let operators = diagnosis.operators { record.operators = operators }
      tellPlacement(diagnosis.processors, &record)
    case .qnn:
      let profile = try QNN.Profile(parsing: report)
      keep("latency.mean", profile.mean, "us", viewer)
      keep("latency.min", profile.minimum, "us", viewer)
      keep("latency.max", profile.maximum, "us", viewer)
      keep("qnn.accelerator", profile.accelerator, "us", viewer)
      if let version = profile.version { record.version = version }
    }
    if hasThroughput {
      progress("its throughput")
      var words = ["./snpe-throughput-net-run", "--container", modelName(job)]
      words += ["--duration", "\(job.throughputSeconds)", "--perf_profile", "burst"]
      words.append("--use_\(job.processor.rawValue)")
      let ran = try session.run(
        environment(place) + "exec " + Words.shell(words) + " 2>&1",
        seconds: Double(job.throughputSeconds) + 300
      )
      texts.append(ran.output)
      let result = try SNPE.Throughput(parsing: ran.output)
      keep("throughput", result.total, "1/s", "snpe-throughput-net-run")
    }
    try pullOutputs(job, place)
    state(figures, texts, job, &record)
  }

  /// What ran layers, as placements are told.
  private func tellPlacement(_ processors: [(name: String, count: Int)], _ record: inout Record) {
    let total = processors.reduce(0) { $0 + $1.count }
    guard let most = processors.max(by: { $0.count < $1.count }) else { return }
    record.placement = .object([
      "provider": .string(most.name), "placed": JSON(most.count), "total": JSON(total),
      "notes": .array(processors.map { .string("\($0.count) layers on \($0.name)") }),
    ])
    if processors.count > 1 || most.name.lowercased() != record.provider {
      record.reasons.append(
        Diagnostic(
          "QCM013",
          "layers ran on "
            + processors.map { "\($0.name) (\($0.count))" }.joined(separator: ", ")
            + ", asked for was \(record.provider)",
          remedy: "convert the network for it; SNPE gives what a processor cannot do to the CPU",
          severity: processors.contains { $0.name.lowercased() == record.provider }
            ? .warning : .error
        )
      )
    }
  }

  private func pullOutputs(_ job: Job, _ place: String) throws {
    guard let folder = job.outputs else { return }
    try Host.makeFolders(folder)
    let list = try session.insist {
      try session.device.run(
        "cd \(Words.shell([place + "/out/Result_0"])) 2>/dev/null && ls",
        seconds: 20
      )
    }
    for line in list.output.split(whereSeparator: \.isNewline) where line.hasSuffix(".raw") {
      let name = line.filter { $0 != "/" }
      try session.insist {
        try session.device.pull(
          "\(place)/out/Result_0/\(line)",
          to: Host.join(folder, String(name)),
          seconds: 60
        )
      }
    }
  }

  /// Keeps what the tools stated in the place of samples, which they do not give.
  private func state(
    _ figures: [Record.Imported.Stated],
    _ texts: [String],
    _ job: Job,
    _ record: inout Record
  ) {
    var imported = Record.Imported(
      format: job.kind.rawValue,
      tool: job.kind == .snpe ? "SNPE" : "QNN",
      toolVersion: record.version,
      file: "\(session.device.address.text): what the tools printed",
      fileSHA256: sha256(texts.joined(separator: "\n")),
      by: "assay",
      at: Host.wallNanoseconds(),
      origin: .measured
    )
    imported.figures = figures
    imported.gaps = [
      Record.Imported.Gap("samples", "the tools give no single latencies"),
      Record.Imported.Gap("latency.median", "the tools state means"),
    ]
    record.imported = imported
  }

  private func base(_ job: Job, _ entry: ToolShelf.Entry) -> Record {
    let milliseconds = String(
      max(Host.wallNanoseconds() / 1_000_000, 0),
      radix: 32,
      uppercase: true
    )
    let id = "\(milliseconds)\(DeviceJournal.makeWord().uppercased())"
    let view = try? MappedFile(path: job.model).view
    var record = Record(
      id: id + "-0000",
      session: id,
      finishedAt: 0,
      model: Record.Model(
        path: job.model,
        sha256: view.map { sha256($0) } ?? "",
        byteCount: view?.count ?? 0
      ),
      artefact: job.model.split(separator: ".").last.map { String($0) } ?? "dlc",
      variant: "original",
      runtime: job.kind.rawValue,
      version: entry.tool.version ?? "unknown",
      provider: job.processor.rawValue,
      device: session.device.address.text,
      threads: 1
    )
    record.command = job.command
    record.environment = session.environment
    record.environment["tool"] = .string(entry.path)
    if let emulator = PhoneRecord.emulatorFinding(session.facts) {
      record.reasons.append(emulator)
    }
    return record
  }
}
