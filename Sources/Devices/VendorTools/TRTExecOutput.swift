import AssayBase
import AssayRecord

/// What `trtexec` prints and exports.
///
/// Text of every generation is read: 8.6 and later (a line a quantity, three percentiles), 8.0 to 8.5
/// (one percentile, end-to-end latency beside) and 7.x (a line a statistic). The latency of a query is
/// the sum of both transfers and the computation; `compute` is the part on the GPU.
public enum TRTExecOutput {
  /// What a run printed.
  ///
  /// - Throws: `Diagnostic` VND001 when the text is not trtexec's.
  public static func text(_ text: String) throws -> ToolReport {
    var report = ToolReport(tool: "trtexec")
    var scanner = TextScanner()
    for line in NumberedLine.all(text) { scanner.read(line, into: &report) }
    guard scanner.isKnown else {
      throw Diagnostic(
        "VND001",
        "this is not the output of trtexec",
        remedy: "give all that trtexec printed, or a file of its --exportTimes"
      )
    }
    if !scanner.hasPassed, report.failure == nil, report.figures.isEmpty {
      report.failure = scanner.lastError ?? "the output ends before there are results"
    }
    return report
  }

  /// What `--exportTimes`, `--exportProfile` or `--exportLayerInfo` wrote.
  ///
  /// - Throws: `Diagnostic` VND001 when it is none of them, JSN001 when it is no JSON.
  public static func json(_ json: JSON) throws -> ToolReport {
    var report = ToolReport(tool: "trtexec")
    let rows = json.array ?? []
    if rows.contains(where: { $0["latencyMs"] != nil || $0["computeMs"] != nil }) {
      times(rows, into: &report)
    } else if rows.contains(where: { $0["averageMs"] != nil || $0["timeMs"] != nil }) {
      profile(rows, into: &report)
    } else if let layers = json["Layers"]?.array {
      layerInfo(layers, into: &report)
    } else {
      throw Diagnostic(
        "VND001",
        "this JSON is none of trtexec's exports",
        remedy: "--exportTimes, --exportProfile and --exportLayerInfo write what can be read"
      )
    }
    return report
  }

  /// Each query's times: the latencies are the samples.
  private static func times(_ rows: [JSON], into report: inout ToolReport) {
    var skipped = 0
    for row in rows {
      if let latency = row["latencyMs"]?.double, latency.isFinite, latency >= 0 {
        report.samples.append(latency)
      } else {
        skipped += 1
      }
    }
    if skipped > 0 {
      report.findings.append(
        Diagnostic(
          "VND003",
          "\(skipped) of \(rows.count) queries have no latency and were left out",
          severity: .warning
        )
      )
    }
    // Queries overlap unless trtexec was told otherwise: the next is enqueued while one runs.
    report.note("api", "queries enqueued ahead")
  }

  /// Times of layers over all runs.
  private static func profile(_ rows: [JSON], into report: inout ToolReport) {
    for (index, row) in rows.enumerated() {
      let place = "entry \(index)"
      if let name = row["name"]?.string {
        var layer = ToolReport.Operator(kind: "", node: name, time: nil, place: "GPU")
        if let time = row["averageMs"]?.double, time.isFinite {
          layer.time = Record.Imported.Stated("time", time, "ms", at: place)
        }
        for (key, name, unit) in [
          ("timeMs", "total", "ms"), ("medianMs", "median", "ms"), ("percentage", "share", "%"),
        ] {
          if let value = row[key]?.double, value.isFinite {
            layer.figures.append(Record.Imported.Stated(name, value, unit, at: place))
          }
        }
        report.operators.append(layer)
      } else {
        report.state("iterations", row["count"]?.double, "1", at: place)
      }
    }
  }

  /// Layers of an engine, as names or as objects.
  private static func layerInfo(_ layers: [JSON], into report: inout ToolReport) {
    for layer in layers {
      if let name = layer.string {
        report.operators.append(.init(kind: "", node: name, time: nil, place: "GPU"))
      } else if let name = layer["Name"]?.string {
        report.operators.append(
          .init(kind: layer["LayerType"]?.string ?? "", node: name, time: nil, place: "GPU")
        )
      }
    }
  }
}

/// Reads the lines of trtexec one after the other.
private struct TextScanner {
  var isKnown = false
  var hasPassed = false
  var lastError: String?
  /// The quantity whose statistics follow on lines of their own (7.x).
  private var section: String?
  private var profile: ProfileColumns?

  private static let quantities = [
    ("End-to-End Host Latency", "endToEnd"), ("Enqueue Time", "enqueue"), ("H2D Latency", "h2d"),
    ("D2H Latency", "d2h"), ("GPU Compute Time", "compute"), ("Latency", "latency"),
  ]
  private static let sections = [
    "Host Latency": "latency", "Enqueue Time": "enqueue", "GPU Compute": "compute",
  ]

  mutating func read(_ line: NumberedLine, into report: inout ToolReport) {
    let (level, body) = TextScanner.body(line.text)
    if body.hasPrefix("&&&& ") { return outcome(body, into: &report) }
    if level == "E" { lastError = String(body) }
    if level == "W", !body.trimmed.isEmpty { warn(body, into: &report) }
    if readProfile(line, body, into: &report) { return }
    if readSummary(line, body, into: &report) { return }
    readFacts(line, body, into: &report)
  }

  /// A line without its time and level: `[11/20/2026-15:00:01] [I] …`.
  private static func body(_ text: Substring) -> (level: Substring, body: Substring) {
    var rest = text
    var level: Substring = ""
    while rest.first == "[", let end = rest.firstIndex(of: "]") {
      let inside = rest[rest.index(after: rest.startIndex)..<end]
      // `[TRT]` stands in some lines beside the level.
      if inside.count == 1 { level = inside }
      rest = rest[rest.index(after: end)...]
      if rest.first == " " { rest = rest.dropFirst() }
      if level != "", inside.count == 1 { break }
    }
    return (level, rest)
  }

  private mutating func outcome(_ body: Substring, into report: inout ToolReport) {
    guard body.contains("TensorRT.trtexec") else { return }
    isKnown = true
    if let version = body.words(after: "[TensorRT v"), let end = version.firstIndex(of: "]") {
      report.version = TRTVersion.words(version[..<end])
    }
    if let command = body.words(after: " # ") { readCommand(command, into: &report) }
    if body.contains("PASSED") { hasPassed = true }
    if body.contains("FAILED") { report.failure = lastError ?? String(body.trimmed) }
  }

  private func readCommand(_ command: Substring, into report: inout ToolReport) {
    for word in command.split(separator: " ") {
      for option in ["--onnx=", "--loadEngine=", "--uff=", "--deploy="]
      where word.hasPrefix(option) && report.model == nil {
        report.model = String(word.dropFirst(option.count))
      }
      if word.hasPrefix("--") { report.facts["command"] = .string(String(command)) }
    }
  }

  private func warn(_ body: Substring, into report: inout ToolReport) {
    let text = String(body.trimmed)
    report.findings.append(Diagnostic("VND004", "trtexec warns", cause: text, severity: .note))
  }

  /// A line with the statistics of one quantity, or one statistic of a section; whether it was one.
  private mutating func readSummary(
    _ line: NumberedLine,
    _ body: Substring,
    into report: inout ToolReport
  ) -> Bool {
    let text = body.trimmed
    for (title, name) in TextScanner.quantities where text.hasPrefix(title + ": min = ") {
      isKnown = true
      section = nil
      for (label, statistic) in [
        ("min = ", "min"), ("max = ", "max"), ("mean = ", "mean"), ("median = ", "median"),
        ("percentile(90%) = ", "p90"), ("percentile(95%) = ", "p95"),
        ("percentile(99%) = ", "p99"),
      ] {
        report.state(
          "\(name).\(statistic)",
          text.number(after: label, unit: "ms"),
          "ms",
          at: line.place
        )
      }
      return true
    }
    if let name = TextScanner.sections[String(text)] {
      section = name
      isKnown = true
      return true
    }
    guard let section else { return false }
    for statistic in ["min", "max", "mean", "median"] where text.hasPrefix(statistic + ": ") {
      let name = "\(section).\(statistic)"
      report.state(name, text.number(after: statistic + ": ", unit: "ms"), "ms", at: line.place)
      endToEnd(statistic, section, text, line, into: &report)
      return true
    }
    if text.hasPrefix("percentile: ") {
      for percent in ["90", "95", "99"] where text.contains(" ms at \(percent)%") {
        let value = text.number(after: "percentile: ", unit: "ms")
        report.state("\(section).p\(percent)", value, "ms", at: line.place)
        endToEnd("p\(percent)", section, text, line, into: &report)
      }
      return true
    }
    return false
  }

  private func endToEnd(
    _ statistic: String,
    _ section: String,
    _ text: Substring,
    _ line: NumberedLine,
    into report: inout ToolReport
  ) {
    guard section == "latency" else { return }
    let value = text.number(after: "(end to end ", unit: "ms")
    report.state("endToEnd.\(statistic)", value, "ms", at: line.place)
  }

  private mutating func readFacts(
    _ line: NumberedLine,
    _ body: Substring,
    into report: inout ToolReport
  ) {
    let text = body.trimmed
    if text.hasPrefix("Throughput: ") || text.hasPrefix("throughput: ") {
      isKnown = true
      let value = text.number(after: "hroughput: ", unit: "qps")
      // 7.x tells 0 queries per second for networks with an explicit batch.
      if let value, value > 0 { report.state("throughput", value, "1/s", at: line.place) }
    }
    for (label, name) in [
      ("Total Host Walltime: ", "duration"), ("walltime: ", "duration"),
      ("Total GPU Compute Time: ", "computeDuration"),
      ("total compute time: ", "computeDuration"),
    ] where text.hasPrefix(label) {
      report.state(name, text.number(after: label, unit: "s"), "s", at: line.place)
    }
    if text.hasPrefix("Engine built in ") {
      report.state(
        "init.build",
        text.number(after: "Engine built in ", unit: "s"),
        "s",
        at: line.place
      )
      if report["init.build"] == nil {
        report.state(
          "init.build",
          text.number(after: "Engine built in ", unit: "sec"),
          "s",
          at: line.place
        )
      }
    }
    if text.hasPrefix("Engine loaded in ") {
      report.state(
        "init.compile",
        text.number(after: "Engine loaded in ", unit: "sec"),
        "s",
        at: line.place
      )
    }
    if text.hasPrefix("Timing trace has ") {
      let value = text.number(after: "Timing trace has ", unit: "queries")
      report.state("iterations", value, "1", at: line.place)
    }
    if text.hasPrefix("Warmup completed ") {
      let value = text.number(after: "Warmup completed ", unit: "queries")
      report.state("warmup.iterations", value, "1", at: line.place)
    }
    if let device = text.words(after: "Selected Device: "), report.device == nil {
      report.device = String(device)
    }
    if text.hasPrefix("Precision: ") { report.note("precision", text.dropFirst(11)) }
    if text.hasPrefix("TensorRT version: "), report.version == nil {
      report.version = String(text.dropFirst(18))
    }
    if text.hasPrefix("Model: "), report.model == nil, text.count > 7 {
      report.model = String(text.dropFirst(7))
    }
  }

  /// A line of the table of layers; whether it was one.
  private mutating func readProfile(
    _ line: NumberedLine,
    _ body: Substring,
    into report: inout ToolReport
  ) -> Bool {
    let text = body.trimmed
    if text.hasPrefix("=== Profile (") {
      isKnown = true
      let value = text.number(after: "=== Profile (", unit: "iterations")
      report.state("profile.iterations", value, "1", at: line.place)
      profile = .unknown
      return true
    }
    guard let columns = profile else { return false }
    if columns == .unknown {
      if text.hasPrefix("Layer"), text.contains("Avg. Time (ms)") { profile = .nameFirst }
      if text.hasPrefix("Time"), text.contains("Layer") {
        profile = text.contains("Median") ? .nameLastWithMedian : .nameLast
      }
      return true
    }
    guard !text.isEmpty, !text.hasPrefix("===") else {
      profile = nil
      return false
    }
    if let layer = columns.layer(text, line) {
      if layer.node == "Total" { profile = nil } else { report.operators.append(layer) }
      return true
    }
    profile = nil
    return false
  }
}

/// How a version of trtexec lays out its table of layers.
private enum ProfileColumns {
  /// The heading is still to come.
  case unknown
  /// `Layer  Time (ms)  Avg. Time (ms)  Time %` (7.x, 8.0 to 8.5).
  case nameFirst
  /// `Time (ms)  Avg. Time (ms)  Time %  Layer`.
  case nameLast
  /// `Time(ms)  Avg.(ms)  Median(ms)  Time(%)  Layer` (8.6 and later).
  case nameLastWithMedian

  func layer(_ text: Substring, _ line: NumberedLine) -> ToolReport.Operator? {
    var numbers: [Double] = []
    var name: Substring
    let count = self == .nameLastWithMedian ? 4 : 3
    if self == .nameFirst {
      var rest = text
      for _ in 0..<count {
        guard let gap = rest.lastIndex(where: \.isWhitespace),
          let value = rest[rest.index(after: gap)...].statedNumber
        else { return nil }
        numbers.insert(value, at: 0)
        rest = rest[..<gap].trimmed
      }
      name = rest
    } else {
      var rest = text
      for _ in 0..<count {
        guard let (value, tail) = rest.leadingNumber else { return nil }
        numbers.append(value)
        rest = tail
      }
      name = rest.trimmed
    }
    guard !name.isEmpty else { return nil }
    var figures = [Record.Imported.Stated("total", numbers[0], "ms", at: line.place)]
    if count == 4 {
      figures.append(Record.Imported.Stated("median", numbers[2], "ms", at: line.place))
    }
    figures.append(Record.Imported.Stated("share", numbers[count - 1], "%", at: line.place))
    return ToolReport.Operator(
      kind: "",
      node: String(name),
      time: Record.Imported.Stated("time", numbers[1], "ms", at: line.place),
      place: "GPU",
      figures: figures
    )
  }
}

/// TensorRT's versions, which its tools print as one number: `100200` is 10.2.0, `8601` is 8.6.1.
enum TRTVersion {
  static func words(_ text: some StringProtocol) -> String {
    guard let number = Int(String(text)), number >= 1000, number < 1_000_000_000 else {
      return String(text)
    }
    // Since 10 there are two digits for the minor version and two for the patch.
    let base = number >= 100_000 ? 10_000 : 1000
    let (minor, patch) =
      base == 10_000 ? (number / 100 % 100, number % 100) : (number / 100 % 10, number % 100)
    return "\(number / base).\(minor).\(patch)"
  }
}
