import AssayBase

/// What LiteRT's `litert-benchmark` printed, or wrote with `--result_json`; milliseconds.
public struct LiteRTBenchmark: Sendable, Equatable {
  /// Figures by name: `init`, `warmup_first`, `warmup_avg`, `avg`, `min`, `max`, `median`, `std`, `p5`,
  /// `p95`.
  public var milliseconds: [String: Printed] = [:]
  /// How many runs warmed up and counted.
  public var warmupRuns: Int?
  public var runs: Int?
  /// Whether accelerators took the whole model; the tool says no for integers on XNNPACK, too.
  public var isFullyAccelerated: Bool?
  /// The model, the accelerators and the threads, where they are told.
  public var model: String?
  public var accelerators: [String] = []
  public var threads: Int?

  /// Reads the text block, or the JSON.
  ///
  /// - Throws: `Diagnostic` BMK001 when it is neither.
  public init(parsing text: String) throws {
    if text.trimmed.hasPrefix("{") {
      try self.init(json: text)
    } else {
      try self.init(block: text)
    }
    guard milliseconds["avg"] != nil else { throw LiteRTBenchmark.fault }
  }

  private static let fault = Diagnostic(
    "BMK001",
    "this is no result of litert-benchmark",
    remedy: "give what it printed on standard output, or the file of --result_json"
  )

  private init(block text: String) throws {
    guard text.range("BENCHMARK RESULTS") != nil else { throw LiteRTBenchmark.fault }
    for line in text.rows {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let label = line[..<colon].trimmed
      var rest = line[line.index(after: colon)...].trimmed
      var count: Int?
      if let open = rest.firstIndex(of: "(") {
        count = rest[open...].between("(", " runs)").flatMap { Int($0) }
        rest = rest[..<open].trimmed
      }
      if label == "Fully accelerated" {
        isFullyAccelerated = rest == "True" ? true : rest == "False" ? false : nil
      }
      guard let name = LiteRTBenchmark.labels[String(label)],
        let figure = rest.between("", " ms").flatMap({ Printed($0) }), figure.value >= 0
      else { continue }
      milliseconds[name] = figure
      if name == "warmup_avg" { warmupRuns = count }
      if name == "avg" { runs = count }
    }
  }

  private static let labels = [
    "Model initialization": "init", "Warmup (first)": "warmup_first", "Warmup (avg)": "warmup_avg",
    "Inference (avg)": "avg", "Inference (min)": "min", "Inference (max)": "max",
    "Inference (median)": "median", "Inference (std)": "std", "Inference (p5)": "p5",
    "Inference (p95)": "p95",
  ]

  private init(json text: String) throws {
    let json = try JSON(parsing: text)
    guard let latency = json["latency"] else { throw LiteRTBenchmark.fault }
    for name in LiteRTBenchmark.labels.values {
      // The number is looked up in the text, so that it is given as it stands there.
      guard let value = latency["\(name)_ms"]?.double, value >= 0,
        let figure = LiteRTBenchmark.printed("\"\(name)_ms\"", in: text), figure.value == value
      else { continue }
      milliseconds[name] = figure
    }
    warmupRuns = latency["num_warmup_runs"]?.int
    runs = latency["num_runs"]?.int
    isFullyAccelerated = json["fully_accelerated"]?.bool
    model = json["model"]?.string
    accelerators = (json["accelerators"]?.array ?? []).compactMap(\.string)
    threads = json["num_threads"]?.int
  }

  private static func printed(_ key: String, in text: String) -> Printed? {
    guard let range = text.range(key) else { return nil }
    let rest = text[range.upperBound...].trimmed
    guard let value = rest.after(":")?.trimmed else { return nil }
    return Printed(value.prefix { $0.isNumber || "+-.eE".contains($0) })
  }
}
