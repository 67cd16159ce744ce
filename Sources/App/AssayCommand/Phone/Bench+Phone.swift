import AssayBase
import AssayCatalog
import AssayDevice
import AssayFormat
import AssayHost
import AssayJobs
import AssayMeter
import AssayPhone
import AssayRecord
import AssayRuntime
import AssayStore
import VendorPhone

extension Shared {
  /// The hardware paths of machines and of phones.
  static let anyProvider = Option(
    "--provider",
    .choice(Provider.allCases.map(\.rawValue) + ["xnnpack", "nnapi", "hexagon"]),
    "the hardware path (default: cpu); xnnpack, nnapi and hexagon on phones"
  )
  /// Options for a measurement on a phone by a vendor's tool.
  static let phone = [
    Option("--tool", .flag, "on a phone: benchmark_model even for the processor, not our runner"),
    Option("--app", .flag, "on a phone: the benchmark's app in place of the program"),
    Option("--cores", .value("WHICH"), "on a phone: all (default), big, little, or such as 4-7"),
    Option("--cool-down", .flag, "on a phone: wait until its battery is at 32 °C or below"),
    Option("--tool-flag", .repeated("NAME=VALUE"), "on a phone: a flag for benchmark_model"),
  ]
}

/// A measurement on a phone by a vendor's tool, as a command line asks for it.
struct PhoneRoute {
  let device: any ShellDevice
  let settings: DeviceSettings
  let provider: BenchmarkModelRequest.Provider
  private let arguments: Arguments

  /// Whether the command line asks for one; `nil` when our own runner or this machine is meant.
  ///
  /// - Parameter always: whether a tool measures the processor, too.
  /// - Throws: `Diagnostic` CLI009 where phones' options are given without a phone.
  init?(_ arguments: Arguments, always: Bool = false) throws {
    let names = ["--tool", "--app", "--cores", "--cool-down", "--tool-flag"]
    let word = arguments.value("--provider") ?? "cpu"
    let provider = BenchmarkModelRequest.Provider(rawValue: word)
    let isOnlyThere = ["xnnpack", "nnapi", "hexagon"].contains(word)
    let given = names.filter { arguments.has($0) }
    let entry = try arguments.value("--device").map { try DeviceBook.read().entry($0) }
    guard let entry, entry.address.scheme == "adb" else {
      if isOnlyThere || !given.isEmpty {
        throw Diagnostic(
          "CLI009",
          "\(isOnlyThere ? "--provider \(word)" : given[0]) is for phones",
          remedy: "--device adb:SERIAL; assay devices lists what is reachable"
        )
      }
      return nil
    }
    guard let provider else {
      throw Diagnostic(
        "CLI009",
        "a phone has no \(word)",
        remedy: "one of "
          + BenchmarkModelRequest.Provider.allCases.map(\.rawValue).joined(separator: ", ")
      )
    }
    if provider == .cpu, given.isEmpty, !always { return nil }
    let (device, settings) = try Catalog.device(entry.address.text, DeviceBook.read())
    guard let device = device as? any ShellDevice else {
      throw Diagnostic("DEV004", "\(entry.address) takes no files")
    }
    self.device = device
    self.settings = settings
    self.provider = provider
    self.arguments = arguments
  }

  /// How many runs a preset asks the tool for, at least, and for how long.
  private var effort: (runs: Int, seconds: Double, warmup: Double) {
    switch arguments.value("--preset") {
    case "quick": (20, 0.5, 0.2)
    case "strict": (400, 10, 2)
    default: (50, 2, 0.5)
    }
  }

  /// What the tool is asked for.
  func request(_ provider: BenchmarkModelRequest.Provider? = nil) throws -> BenchmarkModelRequest {
    let effort = effort
    return BenchmarkModelRequest(
      provider: provider ?? self.provider,
      threads: try arguments.integer("--threads") ?? 1,
      runs: effort.runs,
      leastSeconds: effort.seconds,
      warmupSeconds: effort.warmup,
      watchesMemory: provider != .npu && self.provider != .npu,
      flags: try arguments.all("--tool-flag").map(BenchmarkModelRequest.flag)
    )
  }

  /// The meters that look on; `nil` for none.
  private func energy() throws -> PhoneEnergy.Source? {
    guard let text = arguments.value("--meter") else { return nil }
    let meters = try MeterSpec.list(text).map { spec in
      let own = PhoneMeter.Source.allCases.first { "phone-\($0.rawValue)" == spec.driver }
      let meter: any PowerMeter =
        try own.map { PhoneMeter(device, $0) } ?? Catalog.meter(spec.driver)
      return (meter: meter, options: spec.options)
    }
    return PhoneEnergy.Source(meters: meters)
  }

  /// A job for a model.
  func job(
    _ model: String,
    variant: String? = nil,
    provider: BenchmarkModelRequest.Provider? = nil
  ) throws -> PhoneBench.Job {
    guard try format(ofModel: model).id == "tflite" else {
      throw Diagnostic(
        "CLI009",
        "benchmark_model runs .tflite files",
        at: [model],
        remedy: "assay convert \(model) -o model.tflite"
      )
    }
    return PhoneBench.Job(
      model: model,
      variant: variant ?? arguments.value("--variant") ?? "original",
      request: try request(provider),
      usesApp: arguments.has("--app"),
      cores: try arguments.value("--cores").map(PhoneCores.init(parsing:)) ?? .all,
      coolDown: arguments.has("--cool-down") ? CoolDown() : nil,
      energy: try energy(),
      command: ["assay"] + CommandLine.arguments.dropFirst()
    )
  }

  /// Opens the phone, does something there, and leaves nothing behind.
  func onPhone<T>(
    _ console: Console,
    _ body: (PhoneSession, PhoneBench) throws -> T
  ) throws -> T {
    let lease = try deviceLease(device.address, storeURL(arguments), console)
    defer { lease.release() }
    let meters = try meterLease(
      arguments.value("--meter"),
      openStore(storeURL(arguments)),
      console
    )
    defer { meters?.release() }
    console.progress("asking \(device.address) what it is")
    let session = try PhoneSession(device, settings)
    defer {
      if !session.close() {
        console.report(
          Diagnostic(
            "DEV019",
            "our folder is still on the phone",
            at: [session.folder.path],
            remedy: "it removes it by itself a minute after the connection was lost",
            severity: .warning
          )
        )
      }
      device.close()
      console.endProgress()
    }
    let bench = PhoneBench(session, try ToolShelf()) { console.progress($0) }
    return try body(session, bench)
  }

  /// Measures one model and keeps the record; the times of operators come from a run of their own.
  func measure(
    _ job: PhoneBench.Job,
    _ bench: PhoneBench,
    profiles: Bool
  ) throws -> Record {
    var record = try bench.run(job)
    guard profiles, record.verdict == .valid, !job.usesApp, job.request.provider != .npu else {
      return record
    }
    var second = job
    second.request.isProfiling = true
    second.request.runs = 20
    second.request.leastSeconds = 0
    second.energy = nil
    second.coolDown = nil
    // A profile that fails costs the profile, not the record.
    if let profiled = try? bench.run(second), profiled.verdict == .valid {
      record.operators = profiled.operators
      record.reasons += profiled.reasons.filter { $0.code == "BMK017" }
    }
    return record
  }
}

/// `assay bench` on a phone.
func benchOnPhone(
  _ route: PhoneRoute,
  _ arguments: Arguments,
  _ console: Console
) throws -> ExitStatus {
  guard let model = arguments.operand(0) else {
    throw Diagnostic("CLI005", "MODEL is missing: the file to measure")
  }
  let refused = ["--image", "--baseline", "--input", "--marker", "--trace", "--runtime"]
  if let option = refused.first(where: { arguments.has($0) }) {
    throw Diagnostic("CLI009", "\(option) does not go with benchmark_model on a phone")
  }
  let job = try route.job(model)
  let record = try route.onPhone(console) { _, bench in
    try route.measure(job, bench, profiles: !arguments.has("--no-profile"))
  }
  try openStore(storeURL(arguments)).append([record])
  try console.result(record.json, text: phoneText(record))
  return record.verdict == .valid ? .done : .finding
}

/// What `bench` prints of a measurement on a phone: the verdict, the figures, what ran where.
func phoneText(_ record: Record) -> String {
  let summary = record.summary
  func time(_ figure: Figure<Int64>) -> String { figure.value.map { Text.time(Double($0)) } ?? "-" }
  let place = record.environment["deviceModel"]?.string ?? record.device
  var text = """
    \(record.verdict.rawValue): \(record.model.path) on \(Words.printable(place)), \(record.provider), \
    \(record.threads) thread\(record.threads == 1 ? "" : "s"), by \(record.runtime)

    """
  if summary.mean.value != nil {
    text += """
      latency mean    \(summary.mean.value.map { Text.time($0) } ?? "-")
      latency p50     \(summary.p50.value.map { Text.time(Double($0.value)) } ?? "-  (\(summary.p50.missingReason ?? ""))")
      range           \(time(summary.minimum)) to \(time(summary.maximum))
      initialization  \(time(record.initialization.compile)), first inference \(time(record.initialization.first))
      memory          \(record.peakMemoryBytes.value.map { Text.bytes($0) } ?? "-") of growth

      """
  }
  text += "ran on          \(record.placement["provider"]?.string ?? "-")\n"
  for note in record.placement["notes"]?.array ?? [] {
    text += "                \(Words.printable(note.string ?? ""))\n"
  }
  text += energyLines(record)
  if let emulator = record.environment["emulator"]?.string {
    text += "emulator        \(Words.printable(emulator)): never ranked with hardware\n"
  }
  if let operators = record.operators.array, !operators.isEmpty {
    text += "\n" + operatorTable(operators)
  }
  for reason in record.reasons { text += "\(reason)\n" }
  return text
}
