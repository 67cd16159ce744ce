import AssayBase
import AssayData
import AssayRecord
import VendorTools

/// Published tables of STREP and edge-acc: a line for each network in each environment, as CSV.
///
/// Read are the raw tables, those with indices and ratings (`running_time.value`), and the library's. The
/// column called power draw holds energy, watt-seconds of one inference.
enum StrepTable {
  static func read(_ source: ImportSource) throws -> [ForeignResult] {
    let rows = try table(source.text())
    guard let headings = rows.first?.fields, headings.contains("model"),
      headings.contains("environment"), headings.contains(where: { $0.hasPrefix("running_time") })
    else {
      throw Diagnostic(
        "IMP021",
        "this is no table of STREP: it has no columns model, environment and running_time",
        remedy: "give a CSV such as edge_classification.raw.csv"
      )
    }
    var results: [ForeignResult] = []
    var faults: [Diagnostic] = []
    for row in rows.dropFirst() {
      guard row.fields.count == headings.count else {
        faults.append(
          Diagnostic(
            "IMP022",
            "the line has \(row.fields.count) fields, the heading \(headings.count)",
            at: ["line \(row.line)"]
          )
        )
        continue
      }
      results.append(result(headings, row.fields, row.line))
    }
    try Diagnostics(faults).throwIfErrors()
    return results
  }

  private static let figures: [String: (name: String, unit: String)] = [
    "running_time": ("latency.mean", "s"), "accuracy_k1": ("accuracy.top1", "1"),
    "accuracy_k3": ("accuracy.top3", "1"), "accuracy_k5": ("accuracy.top5", "1"),
    "accuracy_k10": ("accuracy.top10", "1"), "precision_B": ("box.precision", "1"),
    "recall_B": ("box.recall", "1"), "mAP50_B": ("box.mAP50", "1"),
    "mAP50_95_B": ("box.mAP50-95", "1"), "precision_M": ("mask.precision", "1"),
    "recall_M": ("mask.recall", "1"), "mAP50_M": ("mask.mAP50", "1"),
    "mAP50_95_M": ("mask.mAP50-95", "1"), "validation_size": ("accuracy.count", "1"),
    "batch_size": ("batch", "1"), "total_parameters": ("parameters", "1"),
    "number_of_operations": ("operators", "1"),
    "number_of_unmapped_operations": ("operators.cpu", "1"),
  ]

  private static func result(
    _ headings: [String],
    _ fields: [String],
    _ line: Int
  ) -> ForeignResult {
    var report = ToolReport(tool: "STREP", origin: .published)
    let place = "line \(line)"
    func cell(_ name: String) -> String? {
      let column = headings.firstIndex(of: name) ?? headings.firstIndex(of: name + ".value")
      return column.map { fields[$0] }.flatMap { $0.isEmpty ? nil : $0 }
    }
    for (column, (name, unit)) in figures.sorted(by: { $0.key < $1.key }) {
      report.state(name, cell(column)?.statedNumber, unit, at: place)
    }
    for column in ["approx_USB_power_draw", "power_draw"] {
      // The tables hold 0 where there was no measurement.
      guard let value = cell(column)?.statedNumber, value > 0 else { continue }
      report.state("energy.perInference", value, "J", at: "\(place), \(column)")
      break
    }
    report.model = cell("model")
    report.device = cell("environment")
    for fact in ["task", "dataset", "backend", "architecture"] {
      if let words = cell(fact) { report.note(fact, words) }
    }
    let backend =
      (cell("backend")
        ?? cell("environment")?.split(separator: " ").last.map {
          String($0)
        }) ?? ""
    let (runtime, provider) = backends[backend] ?? ("unknown", backend.lowercased())
    var result = ForeignResult(report, runtime: runtime, provider: provider, at: place)
    result.variant = backend == "TPU" ? "static_int8" : backend == "NCS" ? "float16" : "original"
    result.energy = energy(report)
    return result
  }

  /// What ran the networks: TensorFlow, OpenVINO 2022.3 on Neural Compute Sticks, the Edge TPU's delegate.
  private static let backends = [
    "CPU": ("tensorflow", "cpu"), "NCS": ("openvino", "myriad"), "TPU": ("litert", "tpu"),
  ]

  /// Most of it comes from watts that a table of processors gave, scaled by what the stick takes: estimated.
  static func energy(_ report: ToolReport) -> [Record.Energy] {
    guard let joules = report["energy.perInference"], joules.unit == "J" else { return [] }
    let seconds = report["latency.mean"]?.nanoseconds.map { $0 / 1e9 } ?? 0
    var energy = Record.Energy(
      driver: "codecarbon",
      meter: "as published",
      provenance: .estimated,
      seconds: seconds,
      inferenceCount: 1,
      windowCount: 1
    )
    energy.domains = [
      Record.Energy.Domain(
        name: "total",
        scope: "board",
        isPrimary: true,
        readingCount: 0,
        total: .value(Record.Energy.Quantity(joules.value)),
        net: .missing(reason: "the source does not tell what the idle machine takes"),
        idlePower: .missing(reason: "the source does not tell")
      )
    ]
    return [energy]
  }
}

extension ResultImporter {
  /// STREP's published tables.
  static let strep = ResultImporter(
    "strep",
    "a published table of STREP or edge-acc as CSV, a record for each line",
    StrepTable.read
  )
}
