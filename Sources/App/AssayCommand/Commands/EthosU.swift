import AssayBase
import AssayBench
import AssayCatalog
import AssayData
import AssayHost
import AssayImports
import AssayRecord
import AssayStore
import VendorTools

let ethosUCommand = CommandSpec(
  name: "ethos-u",
  summary: "compile a network for Arm's Ethos-U with Vela, and what Vela estimates of it",
  discussion: """
    Vela, Arm's compiler, tells which operators run on the accelerator, why others stay on the processor,
    what memory they take and how many cycles they need by its model of the hardware. Nothing runs: every
    figure is an estimate, is stored as one, and is never ranked with measurements. MODEL is an integer
    .tflite file, such as assay convert --recipe static_int8 writes.
    """,
  operands: [Operand(word: "MODEL", help: "an integer .tflite file")],
  options: [
    Option(
      "--accelerator",
      .choice(Vela.accelerators),
      "the accelerator (default: ethos-u55-128)"
    ),
    Option("--system-config", .value("NAME"), "a system of Vela's vela.ini (default: Vela's)"),
    Option("--memory-mode", .value("NAME"), "a memory mode of vela.ini (default: Vela's)"),
    Option("--output", short: "-o", .value("DIR"), "where the compiled network is kept"),
    Option("--timeout", .value("SECONDS"), "how long Vela may take (default: 600)"),
    Option("--no-store", .flag, "keep no record of the estimate"),
    Shared.store,
  ],
  examples: [
    ("assay ethos-u model.static_int8.tflite", "what a U55 with 128 MACs a cycle would need"),
    (
      "assay ethos-u model.tflite --accelerator ethos-u85-512 -o out",
      "compiled for another one, and kept"
    ),
  ]
) { arguments, console in
  guard let path = arguments.operand(0) else { return .usage }
  let vela = try Vela()
  let scratch = try Scratch()
  defer { scratch.remove() }
  let options = Vela.Options(
    accelerator: arguments.value("--accelerator") ?? "ethos-u55-128",
    system: arguments.value("--system-config"),
    memory: arguments.value("--memory-mode"),
    seconds: Double(try arguments.integer("--timeout") ?? 600)
  )
  let model = try Record.Model(file: path)
  console.progress("Vela compiles \(path) for \(options.accelerator)")
  let result = try vela.compile(
    path,
    into: arguments.value("--output") ?? scratch.path,
    options
  ) { try CSV.records(of: $0) }
  console.endProgress()
  var report = result.report
  // Estimates of operators have more to tell than their list.
  if !result.layers.isEmpty { report.operators = result.layers }
  let record = estimateRecord(report, model, arguments)
  if !arguments.has("--no-store") { try openStore(storeURL(arguments)).append([record]) }
  try console.result(
    ethosUJSON(record, result, arguments),
    text: ethosUText(record, result, arguments)
  )
  return .done
}

/// The estimate as a record: imported from a tool that was run here.
private func estimateRecord(
  _ report: ToolReport,
  _ model: Record.Model,
  _ arguments: Arguments
) -> Record {
  var context = ImportContext(
    format: "vela",
    file: model.path,
    sha256: model.sha256,
    by: "assay ethos-u",
    at: Host.wallNanoseconds(),
    model: model
  )
  context.command = ["assay"] + CommandLine.arguments.dropFirst()
  var result = ForeignResult(report, runtime: "vela", provider: "npu")
  result.artefact = "tflite"
  result.finishedAt = context.at
  result.place = "\(report.device ?? "") \(context.at)"
  return result.record(context)
}

private func ethosUJSON(
  _ record: Record,
  _ result: Vela.Result,
  _ arguments: Arguments
) -> JSON {
  let report = result.report
  var json = JSON.object([
    "schema": "assay.ethos-u/1", "estimated": true,
    "accelerator": JSON(report.device), "vela": JSON(report.version),
    "systemConfig": report.facts["systemConfig"] ?? .null,
    "memoryMode": report.facts["memoryMode"] ?? .null,
  ])
  for figure in report.figures {
    json[figure.name] = .object(["value": .number(figure.value), "unit": .string(figure.unit)])
  }
  json["onProcessor"] = .array(report.findings.filter { $0.code == "VND010" }.map(\.json))
  json["record"] = record.json
  return json
}

private func ethosUText(
  _ record: Record,
  _ result: Vela.Result,
  _ arguments: Arguments
) -> String {
  let report = result.report
  func figure(_ name: String) -> Record.Imported.Stated? { report[name] }
  func bytes(_ name: String) -> String? {
    figure(name)?.bytes.flatMap { $0 > 0 ? Text.bytes(Int($0)) : nil }
  }
  let (npu, cpu) = (figure("operators.npu")?.value ?? 0, figure("operators.cpu")?.value ?? 0)
  var text = ""
  if let time = figure("latency.mean")?.nanoseconds {
    text += "estimated \(Text.time(time)) an inference"
    if let rate = figure("throughput")?.value { text += ", \(Text.significant(rate)) a second" }
  } else {
    text += "nothing to estimate: no operator runs on the accelerator"
  }
  text += " on \(report.device ?? "Ethos-U") (Vela \(report.version ?? ""), nothing ran)\n"
  text += "operators       \(Int(npu)) on the accelerator, \(Int(cpu)) on the processor\n"
  if let cycles = figure("cycles.total")?.value {
    text += "cycles          \(Text.count(Int(cycles)))"
    if let clock = figure("clock") {
      let hertz = clock.unit == "MHz" ? clock.value * 1e6 : clock.value
      text += " at \(Text.count(Int(hertz)))Hz"
    }
    text += "\n"
  }
  let memory = [
    ("SRAM", "memory.sram"), ("DRAM", "memory.dram"), ("flash on chip", "memory.onChipFlash"),
    ("flash", "memory.offChipFlash"),
  ].compactMap { title, name in bytes(name).map { "\(title) \($0)" } }
  if !memory.isEmpty { text += "memory          \(memory.joined(separator: ", "))\n" }
  let facts = ["systemConfig", "memoryMode"].compactMap { report.facts[$0]?.string }
  if !facts.isEmpty { text += "assumed         \(facts.joined(separator: ", "))\n" }
  text += costliest(result.layers)
  let refused = report.findings.filter { $0.code == "VND010" }
  if !refused.isEmpty {
    text += "\non the processor, in Vela's words\n"
    text += Text.table(
      ["operator", "node", "reason"],
      refused.prefix(10).map { finding in
        [
          finding.summary.split(separator: " ").first.map { String($0) } ?? "",
          shortened(finding.location.first ?? "", 40), finding.cause ?? "",
        ]
      }
    )
    if refused.count > 10 { text += "… and \(refused.count - 10) more\n" }
  }
  if arguments.has("--output") { text += "\ncompiled        \(result.compiled)\n" }
  if !arguments.has("--no-store") { text += "record          \(record.id), an estimate\n" }
  return text
}

/// The operators that need most cycles.
private func costliest(_ layers: [ToolReport.Operator]) -> String {
  func cycles(_ layer: ToolReport.Operator) -> Double {
    layer.figures.first { $0.name == "cycles" }?.value ?? 0
  }
  let total = layers.reduce(0) { $0 + cycles($1) }
  guard total > 0 else { return "" }
  let rows = layers.sorted { cycles($0) > cycles($1) }.prefix(8).map { layer in
    let utilization = layer.figures.first { $0.name == "utilization" }?.value
    return [
      layer.kind, shortened(layer.node, 40), Text.count(Int(cycles(layer))),
      Words.percent(cycles(layer) / total), utilization.map { Text.fixed($0, 1) + " %" } ?? "-",
    ]
  }
  return "\n"
    + Text.table(
      ["operator", "node", "cycles", "share", "MACs used"],
      Array(rows),
      numeric: [2, 3, 4]
    )
}

/// The end of a long name, which tells more than its beginning.
func shortened(_ name: String, _ count: Int) -> String {
  name.count <= count ? name : "…" + name.suffix(count - 1)
}
