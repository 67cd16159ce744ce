import AssayBase
import AssayBench
import AssayCatalog
import AssayCodec
import AssayFormat
import AssayHost
import AssayJobs
import AssayRecord
import AssayRemote
import AssayReport
import AssayRuntime
import AssayStatistics
import AssayStore
import AssayTensor

let benchCommand = CommandSpec(
  name: "bench",
  summary: "measure one model file on one runtime: latency, initialization, memory",
  discussion: """
    Runs the model in a worker process: warm-up until latencies settle, then rounds of timed inferences.
    Percentiles come with 95 % confidence intervals; the record is kept in the store. Inputs are zeros
    unless --input gives them. Ends with status 1 when the verdict is INVALID.

    --scenario issues queries as MLPerf does: one after the other (single-stream), several inputs at once
    (multi-stream), as fast as all sessions can (offline), or as they arrive at random (server; latency
    counts from the moment at which a query was due, so that waiting counts). --target-latency is held
    with 99 % confidence or the verdict is INVALID, with the queries that are missing to show it.

    --baseline compares with a record. Where the baseline's file is still there, both are measured side by
    side; else its samples are taken as they are. --max-regression 2% ends with status 1 when the model is
    slower beyond doubt and by more than that.

    With --device another machine measures, and nobody else's job meanwhile: the same loop, scenarios,
    self-tests, cold starts and accuracy; meters are then its own (board, phone-rails, phone-battery) or
    instruments beside it. --baseline is measured again there when it is that device's record.

    On a phone (--device adb:SERIAL) the processor is measured by our own runner; --provider xnnpack, gpu,
    nnapi, hexagon and npu by the vendors' tools that assay tools add has noted.
    """,
  operands: [
    Operand(
      word: "MODEL",
      help: "a .tflite or .onnx file (none for --runtime null)",
      isOptional: true
    )
  ],
  options: [
    Shared.runtime, Shared.anyProvider, EdgeTPUOptions.clock, EdgeTPUOptions.device,
    Shared.threads, Shared.device, Shared.preset, Shared.store,
    Option("--input", short: "-i", .value("FILE"), "an .npz or .npy with the inputs"),
    Option("--variant", .value("NAME"), "what the record calls it (default: original)"),
    Option("--no-profile", .flag, "leave out the times of operators"),
    Option("--seed", .value("N"), "seed of the order of turns and of arrivals (default: 1)"),
    Shared.preflight,
    Option("--no-audit", .flag, "leave out the self-tests of the measured session"),
    Option("--no-starts", .flag, "leave out starts with a cold and a warm page cache"),
    Option("--image", .value("PATH"), "also time this picture's way from file to classes"),
    Shared.preprocess, Shared.meters, Shared.marker, Shared.estimatePower, Shared.trace,
    Shared.gridFactor,
    Option("--plot", .value("FILE"), "with --sustained: draw throughput over time, .svg or .html"),
  ] + ScenarioOptions.options + BenchBaseline.options + Shared.phone,
  examples: [
    ("assay bench model.tflite --runtime litert --threads 1", "one model, one runtime"),
    ("assay bench model.onnx --runtime onnxruntime --json -", "the whole record for a script"),
    (
      "assay bench model.tflite --image cat.jpg -p mobilenet",
      "from the picture's file to its class"
    ),
    (
      "assay bench model.tflite --runtime litert --rate 50 --target-latency 20ms",
      "a server: does p99 hold 20 ms when 50 queries a second arrive?"
    ),
    (
      "assay bench model.tflite --baseline main.json --max-regression 2% --junit out.xml",
      "a regression check for a build server"
    ),
    ("assay bench model.tflite --meter rapl", "with the energy of an inference"),
    ("assay bench model.tflite --device ssh:pi@raspberrypi.local", "on a board in the network"),
    (
      "assay bench model_edgetpu.tflite --device pi --provider tpu --meter board", "its Coral stick"
    ),
    ("assay bench model.tflite --device adb:R58M123ABC --provider gpu -t 4", "on a phone's GPU"),
    ("assay bench --runtime null", "what the harness itself costs"),
  ]
) { arguments, console in
  if let phone = try PhoneRoute(arguments) {
    return try benchOnPhone(phone, arguments, console)
  }
  let (path, runtime) = try benchmarkedModel(arguments)
  let options = try sessionOptions(arguments)
  let wanted = try ScenarioOptions(arguments)
  let baseline = try BenchBaseline(arguments)
  let difference = try DifferenceOptions(arguments)
  let factor = try gridFactor(arguments)
  try checkSustainedPlot(arguments, wanted)
  if let baseline, let side = baseline.side {
    let new = CompareSide(
      path: path,
      runtime: runtime,
      threads: options.threads,
      provider: options.provider,
      settings: options.settings,
      variant: arguments.value("--variant")
    )
    let sides = try measuredSides((side, new), arguments, console)
    let report = DifferenceReport(
      .init(name: baseline.name, record: sides.0.record),
      .init(name: Host.name(of: path), record: sides.1.record),
      percentile: difference.percentile ?? wanted.scenario?.percentile ?? .p50,
      limit: difference.limit
    )
    return try difference.conclude(report, console)
  }
  guard let record = try benchmark(arguments, console) else { return .fault }
  if let path = arguments.value("--plot"), let drawing = SustainedDrawing(record) {
    try AtomicFile.write(path.hasSuffix(".svg") ? drawing.svg : drawing.page, to: path)
  }
  if let baseline {
    return try difference.conclude(baseline.report(record, difference), console)
  }
  var json = record.json
  if let factor { json["co2"] = factor.json(record.mainEnergy) }
  try console.result(json, text: benchText(record, factor))
  return record.verdict == .valid ? .done : .finding
}

/// Refuses a plot that could not be drawn before anything is measured.
private func checkSustainedPlot(_ arguments: Arguments, _ wanted: ScenarioOptions) throws {
  guard let path = arguments.value("--plot") else { return }
  guard wanted.sustained != nil else {
    throw Diagnostic(
      "CLI006",
      "--plot draws throughput over time, which --sustained measures",
      remedy: "--sustained 30m --plot \(path)"
    )
  }
  guard path.hasSuffix(".svg") || path.hasSuffix(".html") else {
    throw Diagnostic("CLI006", "a drawing is .svg or .html, not '\(path)'")
  }
}

/// Whether this machine itself is to measure.
func isLocal(_ arguments: Arguments) -> Bool {
  ["local", nil].contains(arguments.value("--device"))
}

/// The file that the arguments of `bench` name, and the runtime for it.
private func benchmarkedModel(
  _ arguments: Arguments
) throws -> (path: String, runtime: any InferenceRuntime) {
  let isNull = arguments.value("--runtime") == "null"
  guard let path = arguments.operand(0) ?? (isNull ? "null" : nil) else {
    throw Diagnostic("CLI005", "MODEL is missing: the file to measure")
  }
  let isHere = isLocal(arguments)
  let runtime =
    isNull
    ? NullRuntime()
    : try chosenRuntime(arguments, model: path, mustBeHere: isHere)
  guard isHere else {
    guard !isNull else {
      throw Diagnostic("CLI009", "--runtime null tells what this machine's harness costs")
    }
    return (path, runtime)
  }
  if case .unavailable(let reason, let remedy) = runtime.probe() {
    throw Diagnostic("HST030", "\(runtime.id) cannot be used: \(reason)", remedy: remedy)
  }
  return (path, runtime)
}

/// Measures what the arguments of `bench` say, and appends the record to the store.
func benchmark(_ arguments: Arguments, _ console: Console) throws -> Record? {
  try preparedBenchmark(arguments, console) { configuration, comparison, energy in
    var comparison = comparison
    comparison.stopsWhenInterrupted = true
    Host.catchInterrupts()
    let measured = try comparison.run([configuration], progress: { show($0, console) })
    console.endProgress()
    guard let record = measured.first?.record else { return nil }
    if let path = arguments.value("--trace"), let trace = energy?.traces.first?.trace {
      try PowerOptions.write(trace, to: path)
    }
    if configuration.runtime != "null" { try openStore(storeURL(arguments)).append([record]) }
    return record
  }
}

/// Hands over what the arguments of `bench` ask to be measured, and how.
///
/// - Parameter body: measures it; files that it needs are there until it returns.
func preparedBenchmark<Result>(
  _ arguments: Arguments,
  _ console: Console,
  _ body: (Configuration, Comparison, EnergyWatcher?) throws -> Result
) throws -> Result {
  let (path, runtime) = try benchmarkedModel(arguments)
  let isNull = runtime.id == "null"
  let options = try sessionOptions(arguments)
  let wanted = try ScenarioOptions(arguments)
  let scratch = try Scratch()
  defer { scratch.remove() }
  let session = try deviceSession(arguments, console)
  defer { session?.close() }
  var configuration = Configuration(
    model: isNull
      ? Record.Model(path: path, sha256: sha256(""), byteCount: 0) : try Record.Model(file: path),
    artefact: isNull ? "none" : try format(ofModel: path).id,
    variant: arguments.value("--variant") ?? "original",
    runtime: runtime.id,
    provider: options.provider,
    threads: options.threads
  )
  configuration.scenario = wanted.scenario
  configuration.device = session?.name ?? "local"
  configuration.settings = options.settings
  if options.provider == .tpu { configuration.accelerator = try EdgeTPUOptions.fileFacts(path) }
  if let input = arguments.value("--input") {
    configuration.inputs = try boundInputs(input, path, placed(runtime, on: session), scratch)
  }
  var comparison = try comparison(arguments, folder: scratch.path)
  comparison.profiledRuns = arguments.has("--no-profile") || isNull ? 0 : 20
  comparison.starts = arguments.has("--no-starts") || isNull ? 0 : 3
  comparison.countsEvents = true
  if !isNull, session == nil {
    comparison.pipeline = try pipelineRequest(arguments, model: path, runtime)
  }
  if session == nil {
    comparison.watchers.append(try conditionsWatcher(arguments, threads: options.threads, console))
  }
  comparison.preset = wanted.applied(to: comparison.preset)
  comparison.narrowing = wanted.narrowing
  comparison.sustained = wanted.sustained
  comparison.audits = !isNull && !arguments.has("--no-audit") && comparison.preset.name != "quick"
  if session != nil, arguments.has("--image") {
    throw Diagnostic(
      "CLI009",
      "--image times a picture's way by this machine's decoder, which a device does not have",
      remedy:
        "--input gives the measurement the picture's array; assay evaluate --device tells what"
        + " the device makes of pictures"
    )
  }
  let lease = try meterLease(
    arguments.value("--meter"),
    openStore(storeURL(arguments)),
    console
  )
  defer { lease?.release() }
  let energy = try energyWatcher(arguments, threads: options.threads, on: session, console)
  if let energy {
    energy.lengthenTurns(&comparison.preset)
    comparison.watchers.append(energy)
  }
  if let session { comparison.place(on: session) }
  return try body(configuration, comparison, energy)
}

/// A comparison as the shared options ask for it.
func comparison(_ arguments: Arguments, folder: String) throws -> Comparison {
  guard let executable = Host.executablePath else {
    throw Diagnostic("HST032", "this system does not tell where assay itself lies")
  }
  let name = arguments.value("--preset") ?? "standard"
  var comparison = Comparison(
    preset: Preset.all.first { $0.name == name } ?? .standard,
    seed: UInt64(try arguments.integer("--seed", minimum: 0) ?? 1),
    folder: folder,
    command: ["assay"] + CommandLine.arguments.dropFirst(),
    executable: executable
  )
  comparison.startPrograms()
  return comparison
}

extension Comparison {
  /// Lets runtimes that are programs of the user's be workers themselves: their own loops tell the times.
  mutating func startPrograms() {
    let usual = makeWorker
    makeWorker = { configuration in
      if let program = Catalog.program(configuration.runtime) { return try program.makeWorker() }
      return try usual(configuration)
    }
  }
}

extension Catalog {
  /// The program that stands for a runtime; `nil` for the others.
  static func program(_ id: String) -> ProgramRuntime? {
    runtimes.lazy.compactMap { $0 as? ProgramRuntime }.first { $0.id == id }
  }
}

/// The store that `--store` names, or the one in Assay's home.
func storeURL(_ arguments: Arguments) -> String {
  arguments.value("--store") ?? "sqlite:" + Host.join(AssayHome.path, "store.sqlite")
}

/// The store that a command only reads: one that was named must be there.
func readStore(_ arguments: Arguments) throws -> any Store {
  try openStore(storeURL(arguments), mustExist: arguments.value("--store") != nil)
}

/// Shows how far a comparison is, with the time left.
func show(_ step: BenchProgress, _ console: Console) {
  let left = step.secondsLeft.map { ", \(Int($0.rounded(.up))) s left" } ?? ""
  console.progress("[\(step.done + 1)/\(step.total)\(left)] \(step.current)")
}

/// A folder of temporary files below Assay's cache.
struct Scratch {
  let path: String

  init() throws {
    let cache = Host.join(AssayHome.path, HomeEntry.cache)
    try Host.makeFolders(cache)
    path = Host.join(cache, "run-\(Host.processID)-\(Host.wallNanoseconds())")
    try Host.makeFolders(path)
  }

  func remove() { try? Host.remove(path) }
}

/// Writes the user's arrays in the element types that the model takes.
func boundInputs(
  _ input: String,
  _ model: String,
  _ runtime: any InferenceRuntime,
  _ scratch: Scratch
) throws -> String {
  let loaded = try LoadedModel(path: model, runtime: runtime, options: SessionOptions())
  let arrays = try readArrays(input)
  let bound = try locating(input) { try bind(arrays, to: loaded.inputs) }
  let path = Host.join(scratch.path, "inputs.npz")
  let named = zip(loaded.inputs, bound).map { ($0.name, $1.with(quantization: nil)) }
  try AtomicFile.write(try NPZ.write(named.map { (name: $0.0, tensor: $0.1) }), to: path)
  return path
}
