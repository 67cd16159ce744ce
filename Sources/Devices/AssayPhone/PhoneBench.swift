import AssayBase
import AssayDevice
import AssayHost
import AssayRecord
import VendorPhone

/// Measures a model on a phone with TensorFlow's `benchmark_model`, its app, or LiteRT's successor.
public struct PhoneBench {
  /// What is measured, and how.
  public struct Job: Sendable {
    /// The model on this machine.
    public var model: String
    /// What the record calls it.
    public var variant: String
    /// What the tool is asked for.
    public var request: BenchmarkModelRequest
    /// Whether the app is taken in place of the program.
    public var usesApp: Bool
    /// Which cores it is bound to.
    public var cores: PhoneCores
    /// What is waited for before.
    public var coolDown: CoolDown?
    /// Meters of the phone that look on.
    public var energy: PhoneEnergy.Source?
    /// The command that records keep.
    public var command: [String]

    /// Makes a job.
    public init(
      model: String,
      variant: String = "original",
      request: BenchmarkModelRequest,
      usesApp: Bool = false,
      cores: PhoneCores = .all,
      coolDown: CoolDown? = nil,
      energy: PhoneEnergy.Source? = nil,
      command: [String] = []
    ) {
      self.model = model
      self.variant = variant
      self.request = request
      self.usesApp = usesApp
      self.cores = cores
      self.coolDown = coolDown
      self.energy = energy
      self.command = command
    }
  }

  /// What a run of a tool gave.
  struct Raw {
    var text: String
    var end: BenchmarkModelRun.End
    var arguments: [String]
    var window: (begin: Double, end: Double)?
    var losses = 0
    var trace: PhoneEnergy.Readings?
  }

  let session: PhoneSession
  let shelf: ToolShelf
  private let progress: (String) -> Void

  /// A bench on a phone, with the user's tools.
  public init(
    _ session: PhoneSession,
    _ shelf: ToolShelf,
    progress: @escaping (String) -> Void = { _ in }
  ) {
    self.session = session
    self.shelf = shelf
    self.progress = progress
  }

  /// Measures.
  ///
  /// A tool that fails is a record with the reason; what keeps a measurement from beginning is thrown.
  ///
  /// - Throws: `Diagnostic` TOL005 without a tool, PHN010-011 for cores, DEV… when the phone is lost.
  public func run(_ job: Job) throws -> Record {
    let tool = try shelf.pick(PhoneBench.kinds(job), abis: session.abis)
    let processors = try job.cores.processors(of: session.facts)
    var notes: [Diagnostic] = []
    if let rule = job.coolDown {
      let cooled = try session.insist { try rule.wait(session.device, say: progress) }
      if let finding = cooled.finding { notes.append(finding) }
    }
    let before = try session.insist { try PhoneState(of: session.device) }
    progress("bringing \(Host.name(of: job.model)) to the phone")
    let raw =
      job.usesApp
      ? try runApp(job, tool) : try runProgram(job, tool, processors)
    let after = try? session.insist { try PhoneState(of: session.device) }
    var record = PhoneRecord(
      job: job,
      session: session,
      tool: tool,
      raw: raw,
      processors: processors
    ).record()
    record.environment["phoneBefore"] = before.json
    record.environment["phoneAfter"] = after?.json ?? .null
    record.reasons += notes + PhoneState.findings(before: before, after: after)
    record.verdict = record.reasons.contains { $0.severity == .error } ? .invalid : .valid
    record.finishedAt = Host.wallNanoseconds()
    return record
  }

  private static func kinds(_ job: Job) -> [ToolFile.Kind] {
    if job.usesApp { return [.benchmarkAPK] }
    return job.request.provider == .npu ? [.benchmarkLiteRT] : [.benchmarkModel, .benchmarkLiteRT]
  }

  // MARK: - The program

  func runProgram(
    _ job: Job,
    _ tool: ToolShelf.Entry,
    _ processors: [Int]?
  ) throws -> Raw {
    let (program, model) = try session.insist {
      (
        try session.folder.push(tool.path, isExecutable: true, hash: tool.sha256),
        try session.folder.push(job.model, suffix: PhoneBench.suffix(job.model))
      )
    }
    let arguments = job.request.arguments(graph: model)
    var words = [program] + arguments
    if let processors { words = ["taskset", PhoneCores.mask(processors)] + words }
    let script = "cd \(Words.shell([session.folder.path])) && exec \(Words.shell(words))"
    let energy = try job.energy.map { try PhoneEnergy(session.device, $0) }
    try energy?.begin(progress)
    let outcome = try session.run(script, seconds: job.request.patience) { spent in
      progress(
        "\(job.variant) on \(job.request.provider), "
          + "\(job.request.threads) thread\(job.request.threads == 1 ? "" : "s"): \(Int(spent)) s"
      )
    }
    let readings = try energy?.finish()
    // Runtimes write to standard error, the tool to standard output.
    var raw = Raw(
      text: outcome.output + "\n" + outcome.errors,
      end: BenchmarkModelRun.End(status: outcome.status),
      arguments: arguments,
      losses: outcome.losses,
      trace: readings
    )
    if let begin = outcome.begin, let end = outcome.end { raw.window = (begin, end) }
    return raw
  }

  static func suffix(_ path: String) -> String {
    let name = Host.name(of: path)
    let suffix = name.lastIndex(of: ".").map { name[$0...] } ?? ""
    return suffix.dropFirst().allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
      ? String(suffix) : ""
  }

  // MARK: - The app

  private static let package = "org.tensorflow.lite.benchmark"

  private func runApp(_ job: Job, _ tool: ToolShelf.Entry) throws -> Raw {
    let device = session.device
    guard job.cores == .all else {
      throw Diagnostic(
        "PHN012",
        "an app cannot be bound to cores from outside",
        remedy: "measure with the program: without --app"
      )
    }
    let model = try session.insist {
      try session.folder.push(job.model, suffix: PhoneBench.suffix(job.model))
    }
    let package = PhoneBench.package
    let isThere = try session.insist {
      try device.run("pm path \(package)", seconds: 30).output.contains("package:")
    }
    if !isThere { try install(tool) }
    defer {
      // The user's own copy stays; ours goes.
      if !isThere {
        _ = try? session.insist { try device.run("pm uninstall \(package)", seconds: 60) }
      }
      _ = try? session.insist { try device.run("am force-stop \(package)", seconds: 20) }
    }
    // The app is another user of the phone: it must be able to read our folder.
    let root = session.folder.path
    _ = try session.insist {
      try device.run(
        "chmod 755 \(root) \(root)/files && chmod 644 \(Words.shell([model]))",
        seconds: 20
      )
    }
    let arguments = job.request.arguments(graph: model)
    let began = try session.insist {
      try device.run("date '+%m-%d %H:%M:%S.000'", seconds: 20).output
    }.filter { !$0.isNewline }
    // Within one pair of quotes for the phone's shell, and another for the app's own reading.
    let words = "'\"" + arguments.joined(separator: " ") + "\"'"
    let started = try session.insist {
      try device.run(
        "am start -S -n \(package)/.BenchmarkModelActivity --es args \(words)",
        seconds: 30
      )
    }
    if started.output.contains("Error") || started.status != 0 {
      throw Diagnostic(
        "PHN013",
        "the benchmark's app does not start",
        at: [device.address.text],
        remedy: "see whether the APK is for this phone: assay tools list",
        cause: started.output + started.errors
      )
    }
    return try waitForApp(job, arguments, since: began)
  }

  private func install(_ tool: ToolShelf.Entry) throws {
    progress("installing \(tool.name)")
    let outcome = try session.insist {
      let there = try session.folder.push(tool.path, suffix: ".apk", hash: tool.sha256)
      return try session.device.run(
        "chmod 644 \(Words.shell([there])); pm install -r -d -g \(Words.shell([there]))",
        seconds: 180
      )
    }
    guard outcome.output.contains("Success") else {
      throw Diagnostic(
        "PHN014",
        "the phone does not take the app",
        at: [session.device.address.text],
        remedy: outcome.output.contains("USER_RESTRICTED")
          ? "allow 'Install via USB' in its developer options" : "see its words",
        cause: outcome.output + outcome.errors
      )
    }
  }

  /// Reads the log until the app has told its result, is gone, or takes too long.
  private func waitForApp(_ job: Job, _ arguments: [String], since began: String) throws -> Raw {
    let start = Host.monotonicNanoseconds()
    var raw = Raw(text: "", end: .unknown, arguments: arguments)
    var quietLooks = 0
    while true {
      let look = try session.insist {
        try session.device.run(
          """
          logcat -d -v threadtime -T \(Words.shell([began])) -s tflite tflite_BenchmarkModelActivity
          pidof \(PhoneBench.package) >/dev/null 2>&1 && echo @alive
          uptime=$(cat /proc/uptime); echo "@uptime $uptime"; sleep 1
          """,
          seconds: 60
        ).output
      }
      let isAlive = look.contains("@alive")
      let lines = look.split(separator: "\n").filter { !$0.hasPrefix("@") }
      raw.text = lines.joined(separator: "\n") + "\n"
      let isDone = raw.text.contains("nference timings in us")
      // The line of memory follows right behind; the activity finishes itself.
      if isDone, raw.text.contains("emory footprint") || !isAlive { return raw }
      quietLooks = isAlive ? 0 : quietLooks + 1
      if quietLooks > 3 { return raw }
      let spent = Double(Host.monotonicNanoseconds() &- start) / 1e9
      progress("\(job.variant) on \(job.request.provider), in the app: \(Int(spent)) s")
      if spent > job.request.patience || Host.isInterrupted { return raw }
    }
  }
}
