import AssayBase
import AssayRecord

/// What OpenVINO's `benchmark_app` prints and writes.
///
/// Read are the text of 2021.4 (`Latency:    0.02 ms`) and of 2022 and later (a block of median, average,
/// minimum and maximum), the reports as CSV and JSON, and the performance counters in all three forms.
public enum OpenVINOBenchmark {
  /// What a run printed.
  ///
  /// - Throws: `Diagnostic` VND001 when the text is not benchmark_app's.
  public static func text(_ text: String) throws -> ToolReport {
    var report = ToolReport(tool: "OpenVINO benchmark_app")
    var scanner = TextScanner()
    for line in NumberedLine.all(text) { scanner.read(line, into: &report) }
    guard scanner.isKnown else {
      throw Diagnostic(
        "VND001",
        "this is not the output of benchmark_app",
        remedy: "give all that benchmark_app printed, or its report as CSV or JSON"
      )
    }
    if report.failure == nil, !report.hasLatency {
      report.failure = "the output ends before there are results"
    }
    return report
  }

  /// A report as CSV: `benchmark_report.csv`, or one of performance counters.
  ///
  /// - Throws: `Diagnostic` VND001 when it is neither.
  public static func csv(_ text: String) throws -> ToolReport {
    var report = ToolReport(tool: "OpenVINO benchmark_app")
    let lines = NumberedLine.all(text)
    if lines.contains(where: { $0.text.hasPrefix("layerName;") }) {
      counters(lines, into: &report)
      return report
    }
    guard lines.contains(where: { $0.text.trimmed == "Execution results" }) else {
      throw Diagnostic(
        "VND001",
        "this CSV is no report of benchmark_app",
        remedy: "benchmark_app -report_type no_counters -report_folder DIR writes one"
      )
    }
    for line in lines {
      let cells = line.text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
      guard cells.count == 2 else { continue }
      read(String(cells[0].trimmed), String(cells[1].trimmed), line.place, into: &report)
    }
    return report
  }

  /// A report as JSON, by `-json_stats`.
  ///
  /// - Throws: `Diagnostic` VND001 when it is another JSON.
  public static func json(_ json: JSON) throws -> ToolReport {
    var report = ToolReport(tool: "OpenVINO benchmark_app")
    var isKnown = false
    for section in ["cmd_options", "configuration_setup", "execution_results"] {
      guard let pairs = json[section]?.pairs else { continue }
      isKnown = isKnown || section == "execution_results"
      for (key, value) in pairs {
        read(key, value.string ?? value.text(), "\(section).\(key)", into: &report)
      }
    }
    for section in ["avg_performance", "detailed_performance"] {
      for set in json[section]?.array ?? json[section].map({ [$0] }) ?? [] {
        guard let nodes = set["nodes"]?.array else { continue }
        isKnown = true
        for (index, node) in nodes.enumerated() {
          layer(node, "\(section).nodes[\(index)]", into: &report)
        }
      }
    }
    guard isKnown else {
      throw Diagnostic(
        "VND001",
        "this JSON is no report of benchmark_app",
        remedy: "benchmark_app -json_stats -report_type no_counters writes one"
      )
    }
    return report
  }

  /// One member of a report.
  private static func read(
    _ key: String,
    _ value: String,
    _ place: String,
    into report: inout ToolReport
  ) {
    if let (name, unit) = members[key] {
      report.state(name, value.statedNumber, unit, at: place)
      return
    }
    switch key {
    case "-m": report.model = value
    case "-d", "target device": if report.device == nil, !value.isEmpty { report.device = value }
    case "API": report.note("api", value)
    case "precision": report.note("precision", value)
    case "batch size": report.note("batch", value)
    case "-hint", "-nstreams", "-nthreads", "-shape", "-infer_precision":
      report.note(String(key.dropFirst()), value)
    default: break
    }
  }

  private static let members: [String: (name: String, unit: String)] = [
    "read model time (ms)": ("init.read", "ms"), "read network time (ms)": ("init.read", "ms"),
    "reshape model time (ms)": ("init.reshape", "ms"),
    "compile model time (ms)": ("init.compile", "ms"),
    "load network time (ms)": ("init.compile", "ms"),
    "import model time (ms)": ("init.compile", "ms"),
    "first inference time (ms)": ("init.first", "ms"),
    "total execution time (ms)": ("duration", "ms"),
    "total number of iterations": ("iterations", "1"), "latency (ms)": ("latency.median", "ms"),
    "avg latency": ("latency.mean", "ms"), "min latency": ("latency.min", "ms"),
    "max latency": ("latency.max", "ms"), "Avg latency": ("latency.mean", "ms"),
    "Min latency": ("latency.min", "ms"), "Max latency": ("latency.max", "ms"),
    "throughput": ("throughput", "1/s"), "number of parallel infer requests": ("requests", "1"),
  ]

  /// `layerName;execStatus;layerType;execType;realTime (ms);cpuTime (ms)`, several requests one after
  /// the other; only the first is taken.
  private static func counters(_ lines: [NumberedLine], into report: inout ToolReport) {
    var headings: [Substring] = []
    for line in lines {
      let cells = line.text.split(separator: ";", omittingEmptySubsequences: false)
      if cells.first == "layerName" {
        if !headings.isEmpty { return }
        headings = cells
        continue
      }
      guard cells.count >= headings.count, headings.count >= 5, cells.first != "Total" else {
        continue
      }
      func cell(_ name: String) -> Substring {
        headings.firstIndex { $0.hasPrefix(name) }.map { cells[$0] } ?? ""
      }
      let unit = headings.contains { $0 == "realTime (ms)" } ? "ms" : "us"
      add(
        node: cell("layerName"),
        kind: cell("layerType"),
        status: cell("execStatus"),
        by: cell("execType"),
        real: cell("realTime"),
        unit: unit,
        line.place,
        into: &report
      )
    }
  }

  private static func layer(_ node: JSON, _ place: String, into report: inout ToolReport) {
    func words(_ key: String) -> String { node[key]?.string ?? node[key].map { $0.text() } ?? "" }
    add(
      node: words("name"),
      kind: words("node_type"),
      status: words("status"),
      by: words("exec_type"),
      real: words("real_time"),
      unit: "ms",
      place,
      into: &report
    )
  }

  fileprivate static func add(
    node: some StringProtocol,
    kind: some StringProtocol,
    status: some StringProtocol,
    by: some StringProtocol,
    real: some StringProtocol,
    unit: String,
    _ place: String,
    into report: inout ToolReport
  ) {
    guard !node.trimmed.isEmpty else { return }
    var time: Record.Imported.Stated?
    // Layers that were fused into others, and constants, are listed as not run.
    if !status.contains("NOT_RUN"), !status.contains("OPTIMIZED_OUT"),
      let value = real.trimmed.statedNumber, value >= 0
    {
      time = Record.Imported.Stated("time", value, unit, at: place)
    }
    report.operators.append(
      ToolReport.Operator(
        kind: String(kind.trimmed),
        node: String(node.trimmed),
        time: time,
        place: String(by.trimmed)
      )
    )
  }

  /// Reads the lines of a run one after the other.
  private struct TextScanner {
    var isKnown = false
    private var isLatencyBlock = false
    private var isDeviceBlock = false
    /// Whether the lines that follow go on with the words of a failure.
    private var isFailure = false
    private var requests = 0

    mutating func read(_ line: NumberedLine, into report: inout ToolReport) {
      var body = line.text.trimmed
      if body.hasPrefix("[Step 1/") { isKnown = true }
      var level: Substring = ""
      if body.hasPrefix("["), let end = body.firstIndex(of: "]"), !body.hasPrefix("[Step") {
        level = body[body.index(after: body.startIndex)..<end].trimmed
        body = body[body.index(after: end)...].trimmed
      }
      if isFailure {
        if level.isEmpty, !body.isEmpty, !body.hasPrefix("Traceback") {
          report.failure = [report.failure ?? "", String(body)].joined(separator: " ")
          return
        }
        isFailure = false
      }
      if level == "ERROR", report.failure == nil {
        report.failure = String(body)
        isFailure = true
      }
      if level == "WARNING" { warn(body, into: &report) }
      if readResult(body, line, into: &report) { return }
      readFacts(body, line, into: &report)
      readCounters(body, line, into: &report)
    }

    private func warn(_ body: Substring, into report: inout ToolReport) {
      let text = String(body)
      guard text.contains("random") || text.contains("aligned") else { return }
      report.findings.append(
        Diagnostic("VND004", "benchmark_app warns", cause: text, severity: .note)
      )
    }

    /// The results at the end; whether the line is one of them.
    private mutating func readResult(
      _ body: Substring,
      _ line: NumberedLine,
      into report: inout ToolReport
    ) -> Bool {
      func state(_ name: String, _ label: String, _ unit: String) -> Bool {
        guard body.hasPrefix(label) else { return false }
        let shown = unit == "1/s" ? "FPS" : unit == "1" ? "iterations" : unit
        report.state(name, body.number(after: label, unit: shown), unit, at: line.place)
        return true
      }
      if isLatencyBlock {
        for (label, name) in [
          ("Median:", "median"), ("Average:", "mean"), ("Min:", "min"), ("Max:", "max"),
          ("AVG:", "mean"), ("MIN:", "min"), ("MAX:", "max"),
        ] where state("latency.\(name)", label, "ms") { return true }
        isLatencyBlock = false
      }
      if body == "Latency:" {
        isLatencyBlock = true
        return true
      }
      // 2021.4 states one latency: the median.
      return state("latency.median", "Latency:", "ms") || state("iterations", "Count:", "1")
        || state("duration", "Duration:", "ms") || state("throughput", "Throughput:", "1/s")
    }

    private mutating func readFacts(
      _ body: Substring,
      _ line: NumberedLine,
      into report: inout ToolReport
    ) {
      for (label, name) in [
        ("Read model took ", "init.read"), ("Read network took ", "init.read"),
        ("Reshape model took ", "init.reshape"), ("Compile model took ", "init.compile"),
        ("Load network took ", "init.compile"), ("First inference took ", "init.first"),
      ] where body.hasPrefix(label) {
        report.state(name, body.number(after: label, unit: "ms"), "ms", at: line.place)
      }
      if body.hasPrefix("Compile model ram used ") {
        let value = body.number(after: "Compile model ram used ", unit: "KB")
        report.state("memory.compile", value, "KiB", at: line.place)
      }
      if report.version == nil, body.hasPrefix("API version.") || body.hasPrefix("Build .") {
        report.version = body.afterDots.map { String($0) }
      }
      if let devices = body.words(after: "Execution Devices:") {
        report.device = devices.filter { $0 != "[" && $0 != "]" && $0 != "'" }
      }
      if isDeviceBlock, !body.isEmpty {
        if report.device == nil, !body.contains("...") { report.device = String(body) }
        isDeviceBlock = false
      }
      if body == "Device info" || body == "Device info:" { isDeviceBlock = true }
      if body.hasPrefix("[Step 10/") || body.contains("Measuring performance") {
        if body.contains("asynchronously") { report.note("api", "async") }
        if body.contains("synchronously"), !body.contains("asynchronously") {
          report.note("api", "sync")
        }
        if let range = body.words(after: "asynchronously, "),
          let (value, _) = range.leadingNumber
        {
          report.state("requests", value, "1", at: line.place)
        }
      }
      if let precision = body.words(after: "INFERENCE_PRECISION_HINT: ") {
        report.note("precision", precision.filter { !"<>'".contains($0) })
      }
      if let threads = body.words(after: "INFERENCE_NUM_THREADS: "), Int(threads) != nil {
        report.note("threads", threads)
      }
    }

    /// A row of the performance counters of the first request.
    private mutating func readCounters(
      _ body: Substring,
      _ line: NumberedLine,
      into report: inout ToolReport
    ) {
      if body.hasPrefix("Performance counts for ") { requests += 1 }
      guard requests == 1, let kind = body.words(after: "layerType: "),
        let by = body.words(after: "execType: ")
      else { return }
      let front = body.split(separator: " ", omittingEmptySubsequences: true)
      guard
        let status = front.firstIndex(where: {
          $0.hasSuffix("EXECUTED") || $0.hasSuffix("NOT_RUN") || $0.hasSuffix("OPTIMIZED_OUT")
        })
      else { return }
      let unit = body.contains("realTime (ms): ") ? "ms" : "us"
      let real = body.words(after: unit == "ms" ? "realTime (ms): " : "realTime: ") ?? ""
      OpenVINOBenchmark.add(
        node: front[..<status].joined(separator: " "),
        kind: kind.prefix { !$0.isWhitespace },
        status: front[status],
        by: by.prefix { !$0.isWhitespace },
        real: real.prefix { !$0.isWhitespace },
        unit: unit,
        line.place,
        into: &report
      )
    }
  }
}

extension ToolReport {
  /// Whether a latency is stated, as an aggregate or as samples.
  public var hasLatency: Bool {
    !samples.isEmpty || figures.contains { $0.name.hasPrefix("latency.") }
  }
}

extension Substring {
  /// What follows a row of dots that parts a label from its value, such as `Build ........ 2026.4`.
  fileprivate var afterDots: Substring? {
    guard let start = self.range(ofDots: 4) else { return nil }
    let value = self[start...].drop { $0 == "." }.trimmed
    return value.isEmpty ? nil : value
  }

  private func range(ofDots count: Int) -> Index? {
    var index = startIndex
    var run = 0
    while index < endIndex {
      run = self[index] == "." ? run + 1 : 0
      if run == count { return index }
      index = self.index(after: index)
    }
    return nil
  }
}
