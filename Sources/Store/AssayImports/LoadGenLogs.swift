import AssayBase
import AssayRecord
import AssayStatistics
import VendorTools

/// The logs of MLPerf's LoadGen: `mlperf_log_summary.txt` for people, `mlperf_log_detail.txt` with a JSON
/// object in each line.
///
/// Of a folder with both the detail log is read, which has everything in base units.
enum LoadGenLogs {
  static func read(_ source: ImportSource) throws -> [ForeignResult] {
    func named(_ ending: String) -> String? { source.names.first { $0.hasSuffix(ending) } }
    let name = source.isSingle ? source.names.first : named("detail.txt") ?? named("summary.txt")
    guard let name, let text = source.text(name) else {
      throw Diagnostic(
        "IMP020",
        "there is neither mlperf_log_detail.txt nor mlperf_log_summary.txt",
        remedy: "give the folder that LoadGen wrote, or one of these files"
      )
    }
    return [text.contains(":::MLLOG") ? try detail(text) : try summary(text)]
  }

  // MARK: The summary

  private static func summary(_ text: String) throws -> ForeignResult {
    guard text.contains("MLPerf Results Summary") else {
      throw Diagnostic(
        "IMP020",
        "this is no log of LoadGen",
        remedy: "give mlperf_log_summary.txt or mlperf_log_detail.txt"
      )
    }
    var report = ToolReport(tool: "LoadGen")
    var state = State()
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = String(line[..<colon].trimmed)
      let value = String(line[line.index(after: colon)...].trimmed)
      let place = "line \(index + 1)"
      if let (name, unit) = figures[key] {
        // The test's own settings are stated after the results, under other names.
        if report[name] == nil { report.state(name, value.statedNumber, unit, at: place) }
        continue
      }
      switch key {
      case "SUT name": report.device = value
      case "Scenario": state.scenario = value
      case "Mode": report.note("mode", value)
      case "Result is": state.isValid = value == "VALID"
      case "samples_per_query": state.samplesPerQuery = Int(value)
      case "target_latency (ns)": state.target = Int64(value)
      case "target_qps": state.rate = value.statedNumber
      default: break
      }
    }
    return state.result(report)
  }

  private static let figures: [String: (name: String, unit: String)] = [
    "Samples per second": ("throughput", "1/s"),
    "Completed samples per second": ("throughput", "1/s"),
    "Scheduled samples per second": ("rate.scheduled", "1/s"),
    "QPS w/ loadgen overhead": ("throughput", "1/s"),
    "QPS w/o loadgen overhead": ("rate.withoutOverhead", "1/s"),
    "Min latency (ns)": ("latency.min", "ns"), "Max latency (ns)": ("latency.max", "ns"),
    "Mean latency (ns)": ("latency.mean", "ns"),
    "50.00 percentile latency (ns)": ("latency.median", "ns"),
    "90.00 percentile latency (ns)": ("latency.p90", "ns"),
    "95.00 percentile latency (ns)": ("latency.p95", "ns"),
    "97.00 percentile latency (ns)": ("latency.p97", "ns"),
    "99.00 percentile latency (ns)": ("latency.p99", "ns"),
    "99.90 percentile latency (ns)": ("latency.p99.9", "ns"),
    "90th percentile latency (ns)": ("latency.p90", "ns"),
    "99th percentile latency (ns)": ("latency.p99", "ns"),
    "* Early stopping 90th percentile estimate": ("latency.p90.claimed", "ns"),
    "* Early stopping 99th percentile estimate": ("latency.p99.claimed", "ns"),
    "min_duration (ms)": ("duration.least", "ms"),
    "min_query_count": ("queries.least", "1"),
  ]

  // MARK: The detail log

  private static func detail(_ text: String) throws -> ForeignResult {
    var report = ToolReport(tool: "LoadGen")
    var state = State()
    for (index, line) in text.split(separator: "\n").enumerated() {
      guard let start = line.firstIndex(of: "{"), line[..<start].contains(":::MLLOG") else {
        continue
      }
      let place = "line \(index + 1)"
      let entry = try locating(place) { try JSON(parsing: String(line[start...])) }
      guard let key = entry["key"]?.string, let value = entry["value"] else { continue }
      read(key, value, place, into: &report, &state)
      if entry["metadata"]?["is_error"]?.bool == true, report.failure == nil {
        report.failure = "\(key): \(value.string ?? value.text())"
      }
    }
    guard state.isKnown || !report.figures.isEmpty else {
      throw Diagnostic(
        "IMP020",
        "this log of LoadGen has no results",
        remedy: "give the log of a run that ended"
      )
    }
    return state.result(report)
  }

  private static func read(
    _ key: String,
    _ value: JSON,
    _ place: String,
    into report: inout ToolReport,
    _ state: inout State
  ) {
    if let (name, unit) = members[key] {
      if report[name] == nil { report.state(name, number(value), unit, at: place) }
      return
    }
    let words = value.string ?? value.text()
    switch key {
    case "loadgen_version": report.version = String(words.prefix { $0 != " " })
    case "sut_name": report.device = words
    case "effective_scenario", "requested_scenario":
      if state.scenario == nil || key == "effective_scenario" { state.scenario = words }
      state.isKnown = true
    case "effective_test_mode": report.note("mode", words)
    case "result_validity": state.isValid = words == "VALID"
    case "effective_samples_per_query": state.samplesPerQuery = value.int ?? Int(words)
    case "effective_target_latency_ns": state.target = (value.int ?? Int(words)).map { Int64($0) }
    case "effective_target_qps": state.rate = number(value)
    default: break
    }
  }

  /// Numbers stand as numbers, and in older versions as text.
  private static func number(_ value: JSON) -> Double? {
    value.double ?? value.string?.statedNumber
  }

  private static let members: [String: (name: String, unit: String)] = [
    "result_samples_per_second": ("throughput", "1/s"),
    "result_completed_samples_per_sec": ("throughput", "1/s"),
    "result_scheduled_samples_per_sec": ("rate.scheduled", "1/s"),
    "result_qps_with_loadgen_overhead": ("throughput", "1/s"),
    "result_qps_without_loadgen_overhead": ("rate.withoutOverhead", "1/s"),
    "result_min_latency_ns": ("latency.min", "ns"),
    "result_max_latency_ns": ("latency.max", "ns"),
    "result_mean_latency_ns": ("latency.mean", "ns"),
    "result_50.00_percentile_latency_ns": ("latency.median", "ns"),
    "result_90.00_percentile_latency_ns": ("latency.p90", "ns"),
    "result_95.00_percentile_latency_ns": ("latency.p95", "ns"),
    "result_97.00_percentile_latency_ns": ("latency.p97", "ns"),
    "result_99.00_percentile_latency_ns": ("latency.p99", "ns"),
    "result_99.90_percentile_latency_ns": ("latency.p99.9", "ns"),
    "result_mean_query_latency_ns": ("latency.mean", "ns"),
    "result_50.00_percentile_per_query_latency_ns": ("latency.median", "ns"),
    "result_90.00_percentile_per_query_latency_ns": ("latency.p90", "ns"),
    "result_99.00_percentile_per_query_latency_ns": ("latency.p99", "ns"),
    "result_query_count": ("queries", "1"),
    "early_stopping_latency_ss": ("latency.p90.claimed", "ns"),
    "early_stopping_latency_ms": ("latency.p99.claimed", "ns"),
  ]

  /// What is not a figure.
  private struct State {
    var isKnown = false
    var scenario: String?
    var isValid: Bool?
    var samplesPerQuery: Int?
    var target: Int64?
    var rate: Double?

    func result(_ report: ToolReport) -> ForeignResult {
      var result = ForeignResult(report, runtime: "unknown", provider: "unknown")
      result.isValid = isValid
      let kinds: [String: Record.Scenario.Kind] = [
        "SingleStream": .singleStream, "MultiStream": .multiStream, "Offline": .offline,
        "Server": .server,
      ]
      guard let kind = scenario.flatMap({ kinds[$0] }) else { return result }
      var scenario = Record.Scenario(kind)
      if let samplesPerQuery, samplesPerQuery > 0 { scenario.samplesPerQuery = samplesPerQuery }
      if let target, target > 0 { scenario.targetLatency = target }
      if kind == .server { scenario.ratePerSecond = rate }
      result.scenario = scenario
      return result
    }
  }
}

extension ResultImporter {
  /// MLPerf's LoadGen.
  static let loadGen = ResultImporter(
    "loadgen",
    "MLPerf LoadGen: a folder of logs, its summary or its detail log",
    LoadGenLogs.read
  )
}
