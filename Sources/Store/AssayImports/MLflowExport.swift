import AssayBase
import AssayData
import AssayRecord
import VendorTools

/// Runs as MLflow exports them: the CSV of `mlflow experiments csv`, the JSON of `mlflow runs describe` or
/// of the REST interface, or the folder of a run below `mlruns`.
///
/// Names of metrics are the user's own. Those that STREP's library knows become figures of ours; all of
/// them are kept as they are stated.
enum MLflowExport {
  /// One run, from whichever form.
  private struct Run {
    var id: String
    var status: String?
    var end: Int64?
    var metrics: [(name: String, value: Double, place: String)] = []
    var words: [String: String] = [:]
    var place: String
  }

  static func read(_ source: ImportSource) throws -> [ForeignResult] {
    let runs: [Run]
    if !source.isSingle, source.names.contains(where: { $0.hasSuffix("meta.yaml") }) {
      runs = folderRuns(source)
    } else {
      let text = try source.text()
      if let json = try ResultImporter.jsonText(text) {
        runs = try jsonRuns(json)
      } else {
        runs = try tableRuns(table(text))
      }
    }
    guard !runs.isEmpty else { throw Diagnostic("IMP024", "there is no run in this") }
    return runs.map(result)
  }

  // MARK: The three forms

  private static func tableRuns(_ rows: [(line: Int, fields: [String])]) throws -> [Run] {
    guard let headings = rows.first?.fields, let id = headings.firstIndex(of: "run_id"),
      headings.contains(where: { $0.hasPrefix("metrics.") })
    else {
      throw Diagnostic(
        "IMP024",
        "this is no table of MLflow's runs: it has no columns run_id and metrics.…",
        remedy: "mlflow experiments csv --experiment-id ID writes one"
      )
    }
    return rows.dropFirst().filter { $0.fields.count == headings.count }.map { row in
      var run = Run(id: row.fields[id], place: "line \(row.line)")
      for (heading, field) in zip(headings, row.fields) where !field.isEmpty {
        if heading.hasPrefix("metrics.") {
          guard let value = field.statedNumber else { continue }
          run.metrics.append((String(heading.dropFirst(8)), value, run.place))
        } else if heading.hasPrefix("params.") || heading.hasPrefix("tags.") {
          let name = heading.split(separator: ".", maxSplits: 1).last.map { String($0) } ?? heading
          run.words[name] = field
        } else if heading == "status" {
          run.status = field
        } else if heading == "end_time" {
          run.end = Moment.nanoseconds(field)
        }
      }
      return run
    }
  }

  private static func jsonRuns(_ json: JSON) throws -> [Run] {
    let runs = json.array ?? json["runs"]?.array ?? [json["run"] ?? json]
    return try runs.enumerated().map { index, json in
      guard let info = json["info"], let data = json["data"],
        let id = info["run_id"]?.string ?? info["run_uuid"]?.string
      else {
        throw Diagnostic(
          "IMP024",
          "this JSON is no run of MLflow",
          at: ["run \(index)"],
          remedy: "mlflow runs describe --run-id ID prints one"
        )
      }
      var run = Run(id: id, place: "run \(id)")
      run.status = info["status"]?.string
      run.end = milliseconds(info["end_time"])
      for (name, value) in members(data["metrics"]) {
        guard let number = value.double, number.isFinite else { continue }
        run.metrics.append((name, number, "\(run.place), \(name)"))
      }
      for part in ["tags", "params"] {
        for (name, value) in members(data[part]) { run.words[name] = value.string }
      }
      return run
    }
  }

  /// An object of names, or a list of `{key, value}`.
  private static func members(_ json: JSON?) -> [(String, JSON)] {
    if let pairs = json?.pairs { return pairs.map { ($0.key, $0.value) } }
    return (json?.array ?? []).compactMap { entry in
      guard let key = entry["key"]?.string, let value = entry["value"] else { return nil }
      return (key, value)
    }
  }

  /// MLflow tells times in milliseconds since 1970.
  private static func milliseconds(_ json: JSON?) -> Int64? {
    guard let value = json?.int ?? json?.string.flatMap({ Int($0) }), value > 0 else { return nil }
    let (result, isOver) = Int64(value).multipliedReportingOverflow(by: 1_000_000)
    return isOver ? nil : result
  }

  private static func folderRuns(_ source: ImportSource) -> [Run] {
    source.names.filter { $0.hasSuffix("meta.yaml") }.compactMap { meta in
      let folder = String(meta.dropLast("meta.yaml".count))
      var words: [String: String] = [:]
      for line in (source.text(meta) ?? "").split(whereSeparator: \.isNewline) {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { continue }
        words[String(parts[0].trimmed)] =
          parts[1].filter { $0 != "'" && $0 != "\"" }.trimmed
          .description
      }
      // An experiment has a meta.yaml too.
      guard let id = words["run_id"] ?? words["run_uuid"] else { return nil }
      var run = Run(id: id, place: folder.isEmpty ? "run \(id)" : folder)
      // FINISHED is 3 in the folder's files.
      run.status = words["status"].map { $0 == "3" ? "FINISHED" : $0 }
      run.end = milliseconds(words["end_time"].map { .string($0) })
      for name in source.names where name.hasPrefix(folder) {
        let rest = name.dropFirst(folder.count)
        if rest.hasPrefix("metrics/"), let text = source.text(name) {
          // `timestamp value step`; the last line is the newest.
          let last = text.split(whereSeparator: \.isNewline).last?.split(separator: " ") ?? []
          guard last.count >= 2, let value = last[1].statedNumber else { continue }
          run.metrics.append((String(rest.dropFirst(8)), value, name))
        } else if rest.hasPrefix("params/") || rest.hasPrefix("tags/") {
          let key = rest.split(separator: "/", maxSplits: 1).last.map { String($0) } ?? ""
          run.words[key] = source.text(name)?.trimmed.description
        }
      }
      return run
    }
  }

  // MARK: What becomes of a run

  private static let figures: [String: (name: String, unit: String)] = [
    "running_time": ("latency.mean", "s"), "accuracy": ("accuracy.top1", "1"),
    "accuracy_k1": ("accuracy.top1", "1"), "accuracy_k5": ("accuracy.top5", "1"),
    "val_accuracy": ("accuracy.top1", "1"), "validation_size": ("accuracy.count", "1"),
    "power_draw": ("energy.perInference", "J"), "latency_ms": ("latency.mean", "ms"),
    "latency_p50_ms": ("latency.median", "ms"), "latency_p90_ms": ("latency.p90", "ms"),
    "latency_p99_ms": ("latency.p99", "ms"), "throughput": ("throughput", "1/s"),
    "parameters": ("parameters", "1"), "total_parameters": ("parameters", "1"),
  ]

  private static func result(_ run: Run) -> ForeignResult {
    var report = ToolReport(tool: "MLflow")
    for (name, value, place) in run.metrics {
      if let (known, unit) = figures[name], report[known] == nil {
        report.state(known, value, unit, at: place)
      } else {
        report.state("metric.\(name)", value, "as the user has it", at: place)
      }
    }
    func word(_ keys: String...) -> String? { keys.compactMap { run.words[$0] }.first }
    report.model = word("model", "model_name", "architecture", "modelname")
    report.device = word("environment", "hardware", "device", "architecture")
    for fact in ["task", "dataset", "backend", "environment"] {
      if let words = run.words[fact] { report.note(fact, words) }
    }
    if let name = run.words["mlflow.runName"] { report.note("run", name) }
    if let user = run.words["mlflow.user"] { report.note("user", user) }
    if let status = run.status, status != "FINISHED" {
      report.failure = "MLflow says that the run is \(status)"
    }
    var result = ForeignResult(
      report,
      runtime: word("backend", "software", "framework") ?? "unknown",
      provider: "unknown",
      at: run.place
    )
    result.finishedAt = run.end
    result.energy = StrepTable.energy(report)
    return result
  }
}

extension ResultImporter {
  /// MLflow's runs.
  static let mlflow = ResultImporter(
    "mlflow",
    "runs exported from MLflow: CSV, JSON, or the folder of a run",
    MLflowExport.read
  )
}
