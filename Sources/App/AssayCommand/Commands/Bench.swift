import AssayBase
import AssayBench
import AssayCatalog
import AssayCodec
import AssayFormat
import AssayHost
import AssayRecord
import AssayRuntime
import AssayStore
import AssayTensor

let benchCommand = CommandSpec(
  name: "bench",
  summary: "measure one model file on one runtime: latency, initialization, memory",
  discussion: """
    Runs the model in a worker process: warm-up until latencies settle, then rounds of timed inferences.
    Percentiles come with 95 % confidence intervals; the record is kept in the store. Inputs are zeros
    unless --input gives them. Ends with status 1 when the verdict is INVALID.
    """,
  operands: [
    Operand(
      word: "MODEL",
      help: "a .tflite or .onnx file (none for --runtime null)",
      isOptional: true
    )
  ],
  options: [
    Shared.runtime, Shared.provider, Shared.threads, Shared.preset, Shared.store,
    Option("--input", short: "-i", .value("FILE"), "an .npz or .npy with the inputs"),
    Option("--variant", .value("NAME"), "what the record calls it (default: original)"),
    Option("--no-profile", .flag, "leave out the times of operators"),
  ],
  examples: [
    ("assay bench model.tflite --runtime litert --threads 1", "one model, one runtime"),
    ("assay bench model.onnx --runtime onnxruntime --json -", "the whole record for a script"),
    ("assay bench --runtime null", "what the harness itself costs"),
  ]
) { arguments, console in
  let isNull = arguments.value("--runtime") == "null"
  guard let path = arguments.operand(0) ?? (isNull ? "null" : nil) else {
    throw Diagnostic("CLI005", "MODEL is missing: the file to measure")
  }
  let runtime = isNull ? NullRuntime() : try chosenRuntime(arguments, model: path)
  if case .unavailable(let reason, let remedy) = runtime.probe() {
    throw Diagnostic("HST030", "\(runtime.id) cannot be used: \(reason)", remedy: remedy)
  }
  let options = try sessionOptions(arguments)
  let scratch = try Scratch()
  defer { scratch.remove() }
  var configuration = Configuration(
    model: isNull
      ? Record.Model(path: path, sha256: sha256(""), byteCount: 0) : try Record.Model(file: path),
    artefact: isNull ? "none" : try format(ofModel: path).id,
    variant: arguments.value("--variant") ?? "original",
    runtime: runtime.id,
    provider: options.provider,
    threads: options.threads
  )
  if let input = arguments.value("--input") {
    configuration.inputs = try boundInputs(input, path, runtime, scratch)
  }
  var comparison = try comparison(arguments, folder: scratch.path)
  comparison.profiledRuns = arguments.has("--no-profile") || isNull ? 0 : 20
  let measured = try comparison.run([configuration], progress: { show($0, console) })
  console.endProgress()
  guard let record = measured.first?.record else { return .fault }
  if !isNull { try openStore(storeURL(arguments)).append([record]) }
  try console.result(record.json, text: benchText(record))
  return record.verdict == .valid ? .done : .finding
}

/// A comparison as the shared options ask for it.
func comparison(_ arguments: Arguments, folder: String) throws -> Comparison {
  guard let executable = Host.executablePath else {
    throw Diagnostic("HST032", "this system does not tell where assay itself lies")
  }
  let name = arguments.value("--preset") ?? "standard"
  return Comparison(
    preset: Preset.all.first { $0.name == name } ?? .standard,
    seed: UInt64(try arguments.integer("--seed", minimum: 0) ?? 1),
    folder: folder,
    command: ["assay"] + CommandLine.arguments.dropFirst(),
    executable: executable
  )
}

/// The store that `--store` names, or the one in Assay's home.
func storeURL(_ arguments: Arguments) -> String {
  arguments.value("--store") ?? "sqlite:" + Host.join(AssayHome.path, "store.sqlite")
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
private func boundInputs(
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

private func benchText(_ record: Record) -> String {
  let summary = record.summary
  func quantile(_ figure: Figure<Quantile>) -> String {
    switch figure {
    case .missing(let reason): return "-  (\(reason))"
    case .value(let quantile):
      let value = Text.time(Double(quantile.value))
      guard case .value(let interval) = quantile.interval else { return value }
      return "\(value)  [\(Text.time(Double(interval.lowerBound))), "
        + "\(Text.time(Double(interval.upperBound)))]"
    }
  }
  func time(_ figure: Figure<Int64>) -> String { figure.value.map { Text.time(Double($0)) } ?? "-" }
  var text = """
    \(record.verdict.rawValue): \(record.model.path) on \(record.runtime) \(record.version), \
    \(record.placement["provider"]?.string ?? record.provider), \(record.threads) \
    thread\(record.threads == 1 ? "" : "s")

    """
  guard !record.samples.isEmpty else {
    return text + record.reasons.map { "\($0)\n" }.joined()
  }
  let initialization = record.initialization
  text += """
    latency p50     \(quantile(summary.p50))
    latency p90     \(quantile(summary.p90))
    latency p99     \(quantile(summary.p99))
    throughput      \(summary.throughput.value.map { "\(Text.significant($0)) per second" } ?? "-")
    initialization  read \(time(initialization.read)), compile \(time(initialization.compile)), \
    first inference \(time(initialization.first))
    peak memory     \(record.peakMemoryBytes.value.map { Text.bytes($0) } ?? "-") above a null worker
    samples         \(record.samples.count) in \(record.rounds.count) rounds, after \
    \(record.warmup.count) for warm-up

    """
  if let operators = record.operators.array, !operators.isEmpty {
    text += "\n" + operatorTable(operators)
    let profiled = operators.reduce(0) { $0 + ($1["ns"]?.double ?? 0) }
    if let median = summary.p50.value?.value, profiled < Double(median) / 2 {
      text += "the runtime's profiler is too coarse for this model: it saw less than half\n"
    }
  }
  for reason in record.reasons { text += "\(reason)\n" }
  return text
}

private func operatorTable(_ operators: [JSON]) -> String {
  let times = operators.map { ($0, $0["ns"]?.double ?? 0) }
  let total = times.reduce(0) { $0 + $1.1 }
  let rows = times.sorted { $0.1 > $1.1 }.prefix(10).map { entry, time in
    [
      entry["kind"]?.string ?? "", entry["node"]?.string ?? "", Text.time(time),
      total > 0 ? "\(Text.fixed(time / total * 100, 1)) %" : "",
    ]
  }
  return Text.table(["operator", "node", "time", "share"], Array(rows), numeric: [2, 3])
}
