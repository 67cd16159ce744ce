import AssayBase
import AssayBench
import AssayCatalog
import AssayFormat
import AssayGraph
import AssayHost
import AssayMachine
import AssayProfile
import AssayRecord
import AssayRemote
import AssayReport
import AssayRuntime
import AssayStore

let profileCommand = CommandSpec(
  name: "profile",
  summary: "which operators take the time, and how near each is to what the machine can do",
  discussion: """
    Measures the model as `bench` does, with the runtime's own profiler afterwards, and joins the times
    to the network's operators: multiply-adds (MAC), bytes, arithmetic intensity, and the rate achieved
    as a part of what this machine can do at best. The machine's limits (copying, multiplying) are
    measured once and kept; --fresh measures them again. What the profiler's sum and the clock do not
    share is shown. With --device the operators are timed there; what the device can do at most is not
    known, so that times and rates are told, and no shares of limits.
    """,
  operands: [Operand(word: "MODEL", help: "a .tflite or .onnx file")],
  options: [
    Shared.runtime, Shared.provider, Shared.threads, Shared.device, Shared.preset,
    Shared.preflight, Shared.store,
    Option("--input", short: "-i", .value("FILE"), "an .npz or .npy with the inputs"),
    Option("--runs", .value("N"), "profiled runs (default: 50)"),
    Option("--top", .value("N"), "operators in the table (default: 15)"),
    Option("--html", .value("FILE"), "write the roofline and all operators as a page"),
    Option("--svg", .value("FILE"), "write the roofline as a drawing"),
    Option("--trace", .value("FILE"), "write a timeline for Perfetto or chrome://tracing"),
    Option("--fresh", .flag, "measure the machine's limits again"),
  ],
  examples: [
    ("assay profile model.tflite --runtime litert", "where the time goes"),
    ("assay profile model.onnx --html roofline.html --trace trace.json", "to look at"),
    ("assay profile model.tflite --device pi", "where the time goes on a board"),
  ]
) { arguments, console in
  let path = arguments.operands[0]
  let runtime = try chosenRuntime(arguments, model: path, mustBeHere: isLocal(arguments))
  if isLocal(arguments), case .unavailable(let reason, let remedy) = runtime.probe() {
    throw Diagnostic("HST030", "\(runtime.id) cannot be used: \(reason)", remedy: remedy)
  }
  if !isLocal(arguments),
    let option = ["--html", "--svg", "--fresh"].first(where: { arguments.has($0) })
  {
    throw Diagnostic(
      "CLI009",
      "\(option) is about the limits of the machine, which are measured on this one alone",
      remedy:
        "leave it out: operators, their times and rates are told for \(arguments.value("--device") ?? "")"
    )
  }
  let options = try sessionOptions(arguments)
  let top = try arguments.integer("--top") ?? 15
  let graph = try importModel(path: path).graph
  let scratch = try Scratch()
  defer { scratch.remove() }
  let session = try deviceSession(arguments, console)
  defer { session?.close() }
  var configuration = Configuration(
    model: try Record.Model(file: path),
    artefact: try format(ofModel: path).id,
    variant: "original",
    runtime: runtime.id,
    provider: options.provider,
    threads: options.threads
  )
  if let input = arguments.value("--input") {
    configuration.inputs = try boundInputs(input, path, placed(runtime, on: session), scratch)
  }
  var comparison = try comparison(arguments, folder: scratch.path)
  comparison.profiledRuns = try arguments.integer("--runs") ?? 50
  comparison.countsEvents = true
  var roofline: Roofline?
  if let session {
    configuration.device = session.name
    comparison.place(on: session)
  } else {
    comparison.watchers.append(try conditionsWatcher(arguments, threads: options.threads, console))
    console.progress("measuring what the machine can do")
    roofline = try Roofline.cached(
      in: Host.join(Host.join(AssayHome.path, HomeEntry.cache), "roofline.json"),
      threads: options.threads,
      isFresh: arguments.has("--fresh")
    ).roofline
  }
  let measured = try comparison.run([configuration], progress: { show($0, console) })
  console.endProgress()
  guard let record = measured.first?.record else { return .fault }
  try openStore(storeURL(arguments)).append([record])
  guard record.operators.array?.isEmpty == false else {
    for reason in record.reasons { console.report(reason) }
    throw Diagnostic(
      "BEN121",
      "\(runtime.id) gave no times of operators for this model",
      at: [path],
      remedy: "try another runtime: litert, onnxruntime and openvino have profilers"
    )
  }
  var network = NetworkDrawing(graph, title: Host.name(of: path), statistics: false)
  network.add(record)
  let profile = OperatorProfileResult(record, network, roofline, graph.cost.macs)
  if let file = arguments.value("--svg") { try AtomicFile.write(profile.drawing.svg, to: file) }
  if let file = arguments.value("--html") {
    try AtomicFile.write(
      profile.drawing.page(
        answer: profile.answer,
        facts: profile.facts,
        version: assayVersion
      ),
      to: file
    )
  }
  if let file = arguments.value("--trace") {
    try AtomicFile.write(chromeTrace(record, network).text(), to: file)
  }
  try console.result(profile.json, text: profile.text(top: top))
  return record.verdict == .valid ? .done : .finding
}
