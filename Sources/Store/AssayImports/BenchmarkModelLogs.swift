import AssayBase
import AssayRecord
import VendorPhone
import VendorTools

/// What TensorFlow's and LiteRT's own benchmark programs print.
///
/// That is `benchmark_model`, natively or in Android's log, and `litert-benchmark`. A file may hold several
/// runs.
enum BenchmarkModelLogs {
  static func read(_ source: ImportSource) throws -> [ForeignResult] {
    let text = try source.text()
    let runs = BenchmarkModelRun.all(in: text)
    guard !runs.isEmpty else { return [try python(text)] }
    return runs.enumerated().map { native($1, place: "run \($0 + 1)") }
  }

  /// Our names for what goes to a member of its own in a record.
  private static let names = [
    "latency.first": "init.first", "initialization": "init.total",
  ]

  private static func native(_ run: BenchmarkModelRun, place: String) -> ForeignResult {
    let request = run.impliedRequest
    var report = ToolReport(tool: "benchmark_model")
    for (name, figure, unit) in run.stated {
      report.state(names[name] ?? name, figure.value, unit, at: place)
    }
    report.model = run.model
    report.findings = run.findings(request)
    for finding in report.findings where finding.severity == .error && report.failure == nil {
      report.failure = finding.summary + (finding.cause.map { ": \($0)" } ?? "")
    }
    if report.failure == nil, run.isFailed { report.failure = run.errors.first ?? "it failed" }
    report.findings.removeAll { $0.severity == .error }
    if let arguments = run.arguments { report.note("command", arguments) }
    for row in run.profile.operators?.rows ?? [] {
      report.operators.append(
        ToolReport.Operator(
          kind: row.kind,
          node: row.name,
          time: Record.Imported.Stated("time", row.mean.value, "ms", at: place)
        )
      )
    }
    var result = ForeignResult(
      report,
      runtime: "litert",
      provider: request.provider.rawValue,
      at: place
    )
    result.threads = request.threads
    result.artefact = "tflite"
    return result
  }

  private static func python(_ text: String) throws -> ForeignResult {
    let benchmark = try LiteRTBenchmark(parsing: text)
    var report = ToolReport(tool: "litert-benchmark")
    for (name, ours) in [
      ("init", "init.total"), ("warmup_first", "init.first"), ("warmup_avg", "warmup.mean"),
      ("avg", "latency.mean"), ("min", "latency.min"), ("max", "latency.max"),
      ("median", "latency.median"), ("std", "latency.deviation"), ("p5", "latency.p5"),
      ("p95", "latency.p95"),
    ] { report.state(ours, benchmark.milliseconds[name]?.value, "ms", at: name) }
    report.model = benchmark.model
    if let whole = benchmark.isFullyAccelerated {
      report.note("fullyAccelerated", whole ? "yes" : "no")
    }
    let provider = benchmark.accelerators.first { $0.lowercased() != "cpu" } ?? "cpu"
    var result = ForeignResult(report, runtime: "litert", provider: provider.lowercased())
    result.threads = benchmark.threads ?? 0
    result.artefact = "tflite"
    return result
  }
}

extension ResultImporter {
  /// TensorFlow's benchmark_model.
  static let benchmarkModel = ResultImporter(
    "benchmark_model",
    "TensorFlow's benchmark_model: what it printed or logcat holds; litert-benchmark's text or JSON",
    BenchmarkModelLogs.read
  )
}
