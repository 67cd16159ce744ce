import AssayBase
import AssayBench
import AssayHost
import AssayImports
import AssayJobs
import AssayRecord
import AssayStore
import VendorTools

let trtexecCommand = CommandSpec(
  name: "trtexec",
  summary: "build a TensorRT engine of an ONNX file where the GPU is, and time it",
  discussion: """
    Drives NVIDIA's trtexec: builds the engine on the target (it is of use there only), keeps it there by
    GPU, TensorRT's version, network and precision, and times it query after query. The latencies of all
    queries become the record's samples, the times of layers its operators; the record is marked as timed
    by trtexec. For int8 give an ONNX file with QuantizeLinear nodes, such as
    assay convert --recipe static_int8 -o model.onnx writes from your calibration data.
    """,
  operands: [Operand(word: "MODEL", help: "an .onnx file")],
  options: [
    Option(
      "--precision",
      .choice(TRTExec.Precision.allCases.map(\.rawValue)),
      "the arithmetic that the engine may use (default: fp32, without TF32)"
    ),
    Option(
      "--shape",
      .repeated("NAME=1xHxWxC"),
      "the extents of an input that the file leaves open"
    ),
    Option("--duration", .value("SECONDS"), "how long queries are timed, at least (default: 3)"),
    Option("--timeout", .value("SECONDS"), "how long building may take (default: 3600)"),
    Option("--no-profile", .flag, "leave out the times of layers"),
    Option("--variant", .value("NAME"), "what the record calls it (default: the precision)"),
    Shared.device, Shared.store,
  ],
  examples: [
    ("assay trtexec model.onnx --precision fp16", "an engine in float16"),
    ("assay trtexec model.onnx --device ssh:lab@orin", "built and timed on a Jetson"),
    ("assay trtexec model.static_int8.onnx --precision int8", "the integers of our calibration"),
  ]
) { arguments, console in
  guard let path = arguments.operand(0) else { return .usage }
  let (host, lease) = try DeviceToolHost.chosen(arguments, console)
  defer { lease?.release() }
  let tool = try TRTExec(on: host)
  let model = try Record.Model(file: path)
  var options = TRTExec.Options(
    precision: arguments.value("--precision").flatMap(TRTExec.Precision.init) ?? .fp32
  )
  options.duration = try arguments.integer("--duration") ?? options.duration
  options.buildSeconds = Double(try arguments.integer("--timeout") ?? 3600)
  options.isProfiling = !arguments.has("--no-profile")
  options.shapes = try arguments.all("--shape").map { text in
    let parts = text.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, parts[1].split(separator: "x").allSatisfy({ (Int($0) ?? 0) > 0 })
    else { throw Diagnostic("CLI007", "--shape is NAME=1xHxWxC, not '\(text)'") }
    return parts.joined(separator: ":")
  }
  let result = try tool.measure(path, sha256: model.sha256, options) { console.progress($0) }
  console.endProgress()
  var context = ImportContext(
    format: "trtexec",
    file: path,
    sha256: model.sha256,
    by: "assay trtexec",
    at: Host.wallNanoseconds(),
    model: model
  )
  context.command = ["assay"] + CommandLine.arguments.dropFirst()
  var foreign = ForeignResult(result.report, runtime: "tensorrt", provider: "gpu")
  foreign.artefact = "onnx"
  foreign.variant = arguments.value("--variant") ?? options.precision.rawValue
  foreign.finishedAt = context.at
  foreign.place = "\(options.precision.rawValue) \(context.at)"
  var record = foreign.record(context)
  // The hardware is one that Assay reached itself, however it was timed.
  record.device = host.name
  record.environment["engine"] = .string(result.engine)
  record.environment["engineBytes"] = result.engineByteCount.map { JSON($0) }
  record.environment["engineWasBuilt"] = .bool(result.wasBuilt)
  record.environment["commands"] = .array(result.commands.map { .string(Words.shell($0)) })
  try openStore(storeURL(arguments)).append([record])
  try console.result(record.json, text: benchText(record))
  return record.verdict == .valid ? .done : .finding
}
