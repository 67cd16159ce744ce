import AssayBase
import AssayRecord

/// What Vela, the compiler for Arm's Ethos-U, prints and writes.
///
/// All of it is estimated: Vela computes cycles from a model of the accelerator and of its memories, and
/// nothing runs.
public enum VelaOutput {
  /// What a run printed.
  ///
  /// - Throws: `Diagnostic` VND001 when the text is not Vela's.
  public static func text(_ text: String) throws -> ToolReport {
    var report = ToolReport(tool: "Vela", origin: .estimated)
    var scanner = TextScanner()
    for line in NumberedLine.all(text) { scanner.read(line, into: &report) }
    guard scanner.isKnown || report.failure != nil else {
      throw Diagnostic(
        "VND001",
        "this is not the output of Vela",
        remedy: "give all that vela printed, or its summary as CSV"
      )
    }
    if !scanner.isKnown, report.failure == nil { report.failure = "the output has no summary" }
    return report
  }

  /// A CSV of Vela: `X_summary_<system>.csv`, or the layers' `X_per-layer.csv`.
  ///
  /// - Parameter records: the file's records of fields, each with its line.
  /// - Throws: `Diagnostic` VND001 when it is neither.
  public static func csv(_ records: [(line: Int, fields: [String])]) throws -> ToolReport {
    var report = ToolReport(tool: "Vela", origin: .estimated)
    guard let headings = records.first?.fields else { throw notVela }
    if headings.contains("inference_time"), headings.contains("accelerator_configuration") {
      guard let row = records.dropFirst().first, row.fields.count == headings.count else {
        throw notVela
      }
      for (heading, field) in zip(headings, row.fields) {
        summary(heading, field, "line \(row.line)", into: &report)
      }
      return report
    }
    guard headings.contains("NNG Operator"), headings.contains("Op Cycles") else { throw notVela }
    for row in records.dropFirst() where row.fields.count == headings.count {
      layer(headings, row.fields, "line \(row.line)", into: &report)
    }
    return report
  }

  private static let notVela = Diagnostic(
    "VND001",
    "this CSV is none of Vela's",
    remedy: "vela writes a summary next to the compiled network, --verbose-performance the layers"
  )

  private static func summary(
    _ heading: String,
    _ field: String,
    _ place: String,
    into report: inout ToolReport
  ) {
    switch heading {
    case "network": report.model = field
    case "accelerator_configuration": report.device = field
    case "system_config": report.note("systemConfig", field)
    case "memory_mode": report.note("memoryMode", field)
    default:
      guard let (name, unit) = columns[heading] else { return }
      let value = field.statedNumber
      // A network without an operator on the accelerator has a time of 0, which is none.
      if ["latency.mean", "cycles.total"].contains(name), value == 0 { return }
      report.state(name, value, unit, at: place)
    }
  }

  private static let columns: [String: (name: String, unit: String)] = [
    "core_clock": ("clock", "Hz"), "inference_time": ("latency.mean", "s"),
    "inferences_per_second": ("throughput", "1/s"), "sram_memory_used": ("memory.sram", "KiB"),
    "dram_memory_used": ("memory.dram", "KiB"),
    "on_chip_flash_memory_used": ("memory.onChipFlash", "KiB"),
    "off_chip_flash_memory_used": ("memory.offChipFlash", "KiB"),
    "total_original_weights": ("weights.original", "B"),
    "total_npu_encoded_weights": ("weights.encoded", "B"),
    "sram_total_bytes": ("traffic.sram", "B"), "dram_total_bytes": ("traffic.dram", "B"),
    "on_chip_flash_total_bytes": ("traffic.onChipFlash", "B"),
    "off_chip_flash_total_bytes": ("traffic.offChipFlash", "B"), "nn_macs": ("macs", "1"),
    "cycles_npu": ("cycles.npu", "cycles"), "cycles_sram_access": ("cycles.sram", "cycles"),
    "cycles_dram_access": ("cycles.dram", "cycles"),
    "cycles_on_chip_flash_access": ("cycles.onChipFlash", "cycles"),
    "cycles_off_chip_flash_access": ("cycles.offChipFlash", "cycles"),
    "cycles_total": ("cycles.total", "cycles"),
  ]

  private static func layer(
    _ headings: [String],
    _ fields: [String],
    _ place: String,
    into report: inout ToolReport
  ) {
    func cell(_ heading: String) -> String {
      headings.firstIndex(of: heading).map { fields[$0] } ?? ""
    }
    var layer = ToolReport.Operator(
      kind: cell("Original Operator"),
      node: cell("Name"),
      time: nil,
      place: cell("Target")
    )
    for (heading, name, unit) in [
      ("Op Cycles", "cycles", "cycles"), ("Network% (cycles)", "share", "%"),
      ("NPU", "cycles.npu", "cycles"), ("SRAM AC", "cycles.sram", "cycles"),
      ("DRAM AC", "cycles.dram", "cycles"), ("OffFlash AC", "cycles.offChipFlash", "cycles"),
      ("MAC Count", "macs", "1"), ("Util% (MAC)", "utilization", "%"),
      ("Staging Usage", "staging", "B"),
    ] {
      guard let value = cell(heading).statedNumber else { continue }
      layer.figures.append(Record.Imported.Stated(name, value, unit, at: place))
    }
    report.operators.append(layer)
  }

  /// Reads the lines of a run one after the other.
  private struct TextScanner {
    var isKnown = false
    private var rejected: (kind: String, node: String)?

    mutating func read(_ line: NumberedLine, into report: inout ToolReport) {
      let body = line.text.trimmed
      if let network = body.words(after: "Network summary for "), body.hasPrefix("Network") {
        isKnown = true
        report.model = String(network)
      }
      if body.hasPrefix("Error: ") { report.failure = String(body.dropFirst(7)) }
      readFacts(body, line, into: &report)
      readPlacement(body, line, into: &report)
    }

    private func readFacts(
      _ body: Substring,
      _ line: NumberedLine,
      into report: inout ToolReport
    ) {
      for (label, key) in [("System configuration", "systemConfig"), ("Memory mode", "memoryMode")]
      where body.hasPrefix(label) { report.note(key, body.dropFirst(label.count)) }
      if body.hasPrefix("Accelerator configuration") {
        report.device = String(body.dropFirst("Accelerator configuration".count).trimmed)
      }
      for (label, name, unit) in [
        ("Accelerator clock", "clock", "MHz"), ("Total SRAM used", "memory.sram", "KiB"),
        ("Total DRAM used", "memory.dram", "KiB"),
        ("Total On-chip Flash used", "memory.onChipFlash", "KiB"),
        ("Total Off-chip Flash used", "memory.offChipFlash", "KiB"),
      ] where body.hasPrefix(label) {
        report.state(name, body.number(after: label, unit: unit), unit, at: line.place)
      }
      for (label, name) in [
        ("CPU operators = ", "operators.cpu"), ("NPU operators = ", "operators.npu"),
      ] where body.hasPrefix(label) {
        report.state(name, body.number(after: label), "1", at: line.place)
      }
      if body.hasPrefix("Neural network macs") {
        let value = body.number(after: "Neural network macs", unit: "MACs/batch")
        report.state("macs", value, "1", at: line.place)
      }
      if body.hasPrefix("Batch Inference time") {
        let value = body.number(after: "Batch Inference time", unit: "ms")
        report.state("latency.mean", value, "ms", at: line.place)
      }
    }

    /// Why operators stay on the processor, and where each runs.
    private mutating func readPlacement(
      _ body: Substring,
      _ line: NumberedLine,
      into report: inout ToolReport
    ) {
      if body.hasPrefix("Warning (supported operators) operator: "),
        let rest = body.words(after: "operator: ")
      {
        let kind = String(rest.prefix { $0 != "," })
        let node = rest.words(after: "ofm: '").map { String($0.prefix { $0 != "'" }) } ?? ""
        rejected = (kind, node)
      } else if body.hasPrefix("Reason: "), let operation = rejected {
        rejected = nil
        report.findings.append(
          Diagnostic(
            "VND010",
            "\(operation.kind) stays on the processor",
            at: [operation.node],
            cause: String(body.dropFirst(8)),
            severity: .warning
          )
        )
      }
      for place in ["NPU", "CPU"] where body.hasPrefix("\(place): ") {
        guard let kind = body.dropFirst(5).firstIndex(of: "="),
          let node = body.words(after: " = ")
        else { continue }
        report.operators.append(
          ToolReport.Operator(
            kind: String(body[..<kind].dropFirst(5).trimmed),
            node: String(node.words(before: " (outputs [")),
            time: nil,
            place: place
          )
        )
      }
    }
  }
}
