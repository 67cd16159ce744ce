import AssayBase
import AssayData
import AssayRecord
import VendorTools

/// The folder of one run of edge-acc's experiment runner: `config.json`, `execution_platform.json`,
/// `emissions.csv` of codecarbon and `validation_results.json`, or one of these for each slice of the data.
///
/// Slices become records of their own: what is true of all of them can be computed from them, but stands
/// in no file.
enum EdgeAccFolder {
  static func read(_ source: ImportSource) throws -> [ForeignResult] {
    let names = source.names.filter {
      let file = $0.split(separator: "/").last ?? ""
      return file.hasPrefix("validation_results") && file.hasSuffix(".json")
    }
    guard !names.isEmpty else {
      throw Diagnostic(
        "IMP023",
        "the folder has no validation_results.json",
        remedy: "give a folder that edge-acc's runner wrote, such as infer_classification_…"
      )
    }
    return try names.map { try result(source, $0, isSlice: names.count > 1) }
  }

  private static func result(
    _ source: ImportSource,
    _ name: String,
    isSlice: Bool
  ) throws -> ForeignResult {
    var report = ToolReport(tool: "edge-acc")
    let folder = name.split(separator: "/").dropLast().map { $0 + "/" }.joined()
    let results = try source.json(name) ?? .null
    let config = try source.json(folder + "config.json")
    func word(_ keys: String...) -> String? {
      for key in keys {
        if let text = results[key]?.string ?? config?[key]?.string, !text.isEmpty { return text }
      }
      return nil
    }
    for (key, (figure, unit)) in figures.sorted(by: { $0.key < $1.key }) {
      let value = results[key]
      report.state(
        figure,
        value?.double ?? value?.string?.statedNumber,
        unit,
        at: "\(name), \(key)"
      )
    }
    guard report["latency.mean"] != nil || report["duration"] != nil else {
      throw Diagnostic("IMP023", "the results have no duration", at: [name])
    }
    report.model = word("model", "modelname")
    for fact in ["task", "dataset", "backend"] {
      if let words = word(fact) { report.note(fact, words) }
    }
    platform(try source.json(folder + "execution_platform.json"), into: &report)
    if isSlice { report.note("slice", name) }
    let (runtime, provider, variant) =
      backends[word("backend") ?? ""] ?? ("unknown", word("backend") ?? "unknown", "original")
    var result = ForeignResult(report, runtime: runtime, provider: provider, at: name)
    result.variant = variant
    result.finishedAt = word("timestamp").flatMap(Moment.nanoseconds)
    if let text = source.text(folder + "emissions.csv") {
      emissions(try locating("emissions.csv") { try table(text) }, isSlice, &result)
    }
    return result
  }

  private static let figures: [String: (name: String, unit: String)] = [
    "avg_duration_ms": ("latency.mean", "ms"), "duration_ms": ("duration", "ms"),
    "accuracy_k1": ("accuracy.top1", "1"), "accuracy_k3": ("accuracy.top3", "1"),
    "accuracy_k5": ("accuracy.top5", "1"), "accuracy_k10": ("accuracy.top10", "1"),
    "validation_size": ("accuracy.count", "1"), "batch_size": ("batch", "1"),
    "precision_B": ("box.precision", "1"), "recall_B": ("box.recall", "1"),
    "mAP50_B": ("box.mAP50", "1"), "mAP50_95_B": ("box.mAP50-95", "1"),
    "precision_M": ("mask.precision", "1"), "recall_M": ("mask.recall", "1"),
    "mAP50_M": ("mask.mAP50", "1"), "mAP50_95_M": ("mask.mAP50-95", "1"),
  ]

  private static let backends = [
    "tf_cpu": ("tensorflow", "cpu", "original"), "tf_gpu": ("tensorflow", "gpu", "original"),
    "tflite": ("litert", "cpu", "static_int8"),
    "tflite_edgetpu": ("litert", "tpu", "static_int8"),
    "NCS2": ("openvino", "myriad", "float16"),
  ]

  private static func platform(_ json: JSON?, into report: inout ToolReport) {
    guard let json else { return }
    func word(_ key: String) -> String? { json[key]?.string.flatMap { $0.isEmpty ? nil : $0 } }
    report.device = word("Processor") ?? word("Machine")
    for (key, fact) in [
      ("System", "system"), ("Release", "kernel"), ("Machine", "architecture"),
      ("Processor", "cpu"), ("Node Name", "host"),
    ] {
      if let words = word(key) { report.note(fact, words) }
    }
  }

  /// codecarbon's last line: watts from tables or counters, times time.
  private static func emissions(
    _ rows: [(line: Int, fields: [String])],
    _ isSlice: Bool,
    _ result: inout ForeignResult
  ) {
    guard let headings = rows.first?.fields, let row = rows.last, rows.count > 1,
      row.fields.count == headings.count
    else { return }
    func cell(_ name: String) -> Double? {
      headings.firstIndex(of: name).flatMap { row.fields[$0].statedNumber }
    }
    let place = "emissions.csv, line \(row.line)"
    for (column, name, unit) in [
      ("energy_consumed", "energy.total", "kWh"), ("cpu_power", "power.cpu", "W"),
      ("gpu_power", "power.gpu", "W"), ("ram_power", "power.memory", "W"),
      ("duration", "duration.codecarbon", "s"),
    ] { result.report.state(name, cell(column), unit, at: place) }
    // The tracker ran over all slices: no slice has that energy.
    guard !isSlice, let energy = cell("energy_consumed"), energy > 0,
      let count = result.report["accuracy.count"].flatMap({ Int(exactly: $0.value) }), count > 0
    else { return }
    var told = Record.Energy(
      driver: "codecarbon",
      meter: "codecarbon",
      provenance: .estimated,
      seconds: cell("duration") ?? 0,
      inferenceCount: count,
      windowCount: 1
    )
    told.domains = [
      Record.Energy.Domain(
        name: "total",
        scope: "platform",
        isPrimary: true,
        readingCount: 0,
        total: .value(Record.Energy.Quantity(energy * 3.6e6)),
        net: .missing(reason: "codecarbon does not subtract what the idle machine takes"),
        idlePower: .missing(reason: "codecarbon does not tell")
      )
    ]
    result.energy = [told]
  }
}

extension ResultImporter {
  /// edge-acc's folders.
  static let edgeAcc = ResultImporter(
    "edge-acc",
    "a folder that edge-acc's experiment runner wrote for one run",
    EdgeAccFolder.read
  )
}
