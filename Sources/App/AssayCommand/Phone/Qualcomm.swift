import AssayBase
import AssayCatalog
import AssayHost
import AssayPhone
import AssayRecord
import AssayStore
import AssayTensor
import VendorTools

private func qualcommOptions(_ inputs: String) -> [Option] {
  [
    Shared.device,
    Option("--input", short: "-i", .value("FILE"), inputs),
    Option(
      "--processor",
      .choice(QualcommRun.Processor.allCases.map(\.rawValue)),
      "what runs it (default: cpu)"
    ),
    Option("--output", short: "-o", .value("DIR"), "keep what the network computed"),
    Shared.store,
  ]
}

let snpeCommand = CommandSpec(
  name: "snpe",
  summary: "run a .dlc network on a phone by Qualcomm's SNPE: times, layers, throughput",
  discussion: """
    Brings the tools that assay tools add has noted, the network and an input to the phone, runs
    snpe-net-run with its profile and snpe-throughput-net-run, and reads the profile by snpe-diagview of
    this machine. Nothing stays on the phone. Layers that did not run where they were asked for are told;
    cycles are never shown as time. A .onnx or .tflite network is converted by the package's own
    converter first, where that runs here.
    """,
  operands: [Operand(word: "MODEL", help: "a .dlc container, or a network for SNPE's converter")],
  options: qualcommOptions(
    "an .npz with the inputs, as float32 by name (default: zeros of --shape)"
  )
    + [
      Option("--shape", .repeated("NAME=1x224x224x3"), "an input of zeros, without --input"),
      Option("--seconds", .value("N"), "of the throughput run (default: 5; 0 for none)"),
    ],
  examples: [
    (
      "assay snpe model.dlc --device adb:0A1B2C3D4E5F --processor dsp --input cat.npz",
      "on the signal processor"
    )
  ]
) { arguments, console in try runQualcomm(.snpe, arguments, console) }

let qnnCommand = CommandSpec(
  name: "qnn",
  summary: "run a network on a phone by Qualcomm's QNN: times of host, driver and accelerator",
  discussion: """
    As assay snpe, by qnn-net-run and qnn-profile-viewer. MODEL is a model library for Android (.so) or a
    context binary (.bin), which Qualcomm's converters make.
    """,
  operands: [Operand(word: "MODEL", help: "a model library .so, or a context binary .bin")],
  options: qualcommOptions(
    "an .npz with the inputs, as float32 by name (default: zeros of --shape)"
  )
    + [
      Option("--shape", .repeated("NAME=1x224x224x3"), "an input of zeros, without --input"),
      Option("--runs", .value("N"), "inferences (default: 50)"),
    ],
  examples: [
    (
      "assay qnn model.bin --device adb:0A1B2C3D4E5F --processor dsp --shape x=1x224x224x3",
      "a context binary on the HTP"
    )
  ]
) { arguments, console in try runQualcomm(.qnn, arguments, console) }

private func runQualcomm(
  _ kind: QualcommRun.Kind,
  _ arguments: Arguments,
  _ console: Console
) throws -> ExitStatus {
  guard let given = arguments.operand(0) else { return .usage }
  guard arguments.has("--device"), let route = try PhoneRoute(arguments, always: true) else {
    throw Diagnostic(
      "CLI005",
      "--device is missing: the phone",
      remedy: "--device adb:SERIAL; assay devices lists what is reachable"
    )
  }
  let scratch = try Scratch()
  defer { scratch.remove() }
  let shelf = try ToolShelf()
  let model = try qualcommModel(given, kind, shelf, scratch, console)
  let inputs = try qualcommInputs(arguments)
  let job = QualcommRun.Job(
    model: model,
    kind: kind,
    processor: arguments.value("--processor").flatMap(QualcommRun.Processor.init) ?? .cpu,
    inputs: inputs,
    runs: kind == .qnn ? try arguments.integer("--runs") ?? 50 : 50,
    throughputSeconds: kind == .snpe ? try arguments.integer("--seconds", minimum: 0) ?? 5 : 0,
    outputs: arguments.value("--output"),
    command: ["assay"] + CommandLine.arguments.dropFirst()
  )
  var record = try route.onPhone(console) { session, _ in
    try QualcommRun(session, shelf, scratch: scratch.path) { console.progress($0) }.run(job)
  }
  record.model.path = given
  try openStore(storeURL(arguments)).append([record])
  try console.result(record.json, text: qualcommText(record))
  return record.verdict == .valid ? .done : .finding
}

/// The network as the tools take it; others go through SNPE's own converter.
private func qualcommModel(
  _ path: String,
  _ kind: QualcommRun.Kind,
  _ shelf: ToolShelf,
  _ scratch: Scratch,
  _ console: Console
) throws -> String {
  guard Host.kind(of: path) == .file else {
    throw Diagnostic("FIL001", "there is no such file", at: [path])
  }
  let suffix = path.split(separator: ".").last.map { String($0) } ?? ""
  let own = kind == .snpe ? ["dlc"] : ["so", "bin"]
  if own.contains(suffix) { return path }
  guard kind == .snpe, ["onnx", "tflite"].contains(suffix) else {
    throw Diagnostic(
      "CLI009",
      "\(kind.rawValue) runs .\(own.joined(separator: " or .")) files",
      at: [path],
      remedy: kind == .snpe
        ? "assay convert \(path) -o model.onnx, then assay snpe model.onnx"
        : "Qualcomm's qnn-onnx-converter and qnn-model-lib-generator make one of an .onnx file"
    )
  }
  guard
    let package = shelf.entries.last(where: { $0.tool.kind == .snpe && $0.obstacle == nil }),
    Host.kind(of: package.path) == .folder
  else {
    throw Diagnostic(
      "TOL005",
      "there is no unpacked SNPE whose converter could be asked",
      remedy: "unpack Qualcomm's archive, then: assay tools add FOLDER"
    )
  }
  let program = "snpe-\(suffix)-to-dlc"
  let bin = Host.join(package.path, "bin")
  let folders = ((try? Host.list(bin)) ?? []).filter { $0.hasPrefix("x86_64-linux") }
  guard let place = folders.map({ Host.join(bin, $0 + "/" + program) }).first(where: Host.exists)
  else {
    throw Diagnostic("QCM011", "the package has no \(program)", at: [package.path])
  }
  console.progress(program)
  let made = Host.join(scratch.path, "model.dlc")
  let ran = try LocalToolHost().run(
    [place, "--input_network", Host.realPath(path) ?? path, "--output_path", made],
    environment: ["PYTHONPATH": Host.join(package.path, "lib/python")],
    seconds: 1800
  )
  guard ran.isDone, Host.exists(made) else {
    throw Diagnostic(
      "QCM012",
      "\(program) did not convert the network",
      at: [path],
      remedy: "see its words; assay convert writes older operators where it can",
      cause: ran.tail(12)
    )
  }
  return made
}

/// Inputs as the tools read them: float32, one file for each.
private func qualcommInputs(_ arguments: Arguments) throws -> [(name: String, bytes: [UInt8])] {
  if let file = arguments.value("--input") {
    return try readArrays(file).sorted { $0.key < $1.key }.map { name, tensor in
      guard let floats = tensor.converted(to: .float32) else {
        throw Diagnostic("EVL004", "'\(name)' is \(tensor.type), and cannot be floats", at: [file])
      }
      return (name, floats.bytes.array)
    }
  }
  let shapes = arguments.all("--shape")
  guard !shapes.isEmpty else {
    throw Diagnostic(
      "CLI005",
      "the network's input is missing",
      remedy: "--input FILE.npz, or --shape NAME=1x224x224x3 for zeros"
    )
  }
  return try shapes.map { text in
    let parts = text.split(separator: "=", maxSplits: 1)
    let extents = parts.count == 2 ? parts[1].split(separator: "x").map { Int($0) ?? 0 } : []
    let count = extents.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard parts.count == 2, !extents.isEmpty, extents.allSatisfy({ $0 > 0 }), count < 1 << 28 else {
      throw Diagnostic("CLI006", "--shape is NAME=1x224x224x3, not '\(text)'")
    }
    return (String(parts[0]), [UInt8](repeating: 0, count: count * 4))
  }
}

private func qualcommText(_ record: Record) -> String {
  let place = record.environment["deviceModel"]?.string ?? record.device
  var text = """
    \(record.verdict.rawValue): \(record.model.path) on \(Words.printable(place)), \(record.provider), \
    by \(record.imported?.tool ?? record.runtime) \(record.version)

    """
  let summary = record.summary
  if let mean = summary.mean.value { text += "latency mean    \(Text.time(mean))\n" }
  if let least = summary.minimum.value, let most = summary.maximum.value {
    text += "range           \(Text.time(Double(least))) to \(Text.time(Double(most)))\n"
  }
  if let rate = record.imported?["throughput"] {
    text += "throughput      \(Text.significant(rate.value)) per second\n"
  }
  for figure in record.imported?.figures ?? [] where figure.name.contains(".") {
    guard !figure.name.hasPrefix("latency."), figure.value > 0, figure.unit == "us" else {
      continue
    }
    text += "  \(figure.name): \(Text.time(figure.value * 1000))\n"
  }
  for note in record.placement["notes"]?.array ?? [] {
    text += "ran on          \(Words.printable(note.string ?? ""))\n"
  }
  if let operators = record.operators.array, !operators.isEmpty {
    text += "\n" + operatorTable(operators)
  }
  for reason in record.reasons { text += "\(reason)\n" }
  return text
}
