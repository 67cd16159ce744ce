import AssayBase
import AssayData
import AssayRecord
import VendorTools

/// A form in which others give their results.
public struct ResultImporter: Sendable {
  /// The word for `--format`.
  public var name: String
  /// What it reads, in one line.
  public var summary: String
  /// The results of a source.
  ///
  /// - Throws: `Diagnostic` with what is not as the format has it.
  public var read: @Sendable (ImportSource) throws -> [ForeignResult]

  /// Makes an importer.
  public init(
    _ name: String,
    _ summary: String,
    _ read: @escaping @Sendable (ImportSource) throws -> [ForeignResult]
  ) {
    self.name = name
    self.summary = summary
    self.read = read
  }

  /// Every importer, in the order of the help.
  public static let all: [ResultImporter] = [
    benchmarkModel, benchmarkApp, trtexec, loadGen, mvNCProfile, vela, strep, edgeAcc, mlflow,
  ]

  /// The importer of a name.
  public static func named(_ name: String) -> ResultImporter? { all.first { $0.name == name } }

  /// The records of a source.
  public func records(_ source: ImportSource, _ context: ImportContext) throws -> [Record] {
    let results = try locating(source.path) { try read(source) }
    guard !results.isEmpty else {
      throw Diagnostic("IMP004", "there is no result in this", at: [source.path])
    }
    return results.map { $0.record(context) }
  }
}

extension ResultImporter {
  /// OpenVINO's benchmark_app.
  static let benchmarkApp = ResultImporter(
    "benchmark_app",
    "OpenVINO's benchmark_app: what it printed, its report as CSV or JSON, its counters"
  ) { source in
    let text = try source.text()
    let report: ToolReport
    if let json = try jsonText(text) {
      report = try OpenVINOBenchmark.json(json)
    } else if text.contains("Execution results") || text.hasPrefix("layerName;") {
      report = try OpenVINOBenchmark.csv(text)
    } else {
      report = try OpenVINOBenchmark.text(text)
    }
    let provider = (report.device ?? "unknown").lowercased()
    var result = ForeignResult(report, runtime: "openvino", provider: provider)
    result.threads = report.facts["threads"]?.string.flatMap { Int($0) } ?? 0
    return [result]
  }

  /// NVIDIA's trtexec.
  static let trtexec = ResultImporter(
    "trtexec",
    "TensorRT's trtexec: what it printed, or a file of --exportTimes or --exportProfile"
  ) { source in
    let text = try source.text()
    let json = try jsonText(text)
    let report = try json.map { try TRTExecOutput.json($0) } ?? TRTExecOutput.text(text)
    var result = ForeignResult(report, runtime: "tensorrt", provider: "gpu")
    result.artefact = "engine"
    return [result]
  }

  /// The first Neural Compute Stick's profiler.
  static let mvNCProfile = ResultImporter(
    "mvncprofile",
    "the Neural Compute SDK's mvNCProfile: what it printed"
  ) { source in
    let report = try NCSDKProfile.text(source.text())
    return [ForeignResult(report, runtime: "ncsdk", provider: "myriad")]
  }

  /// Arm's Vela: estimates.
  static let vela = ResultImporter(
    "vela",
    "Arm's Vela: what it printed, or its summary as CSV; estimates"
  ) { source in
    let text = try source.text()
    let firstLine = text.prefix { !$0.isNewline }
    let isTable =
      firstLine.contains("accelerator_configuration,")
      || firstLine.contains("NNG Operator,")
    let report = try isTable ? VelaOutput.csv(table(text)) : VelaOutput.text(text)
    return [ForeignResult(report, runtime: "vela", provider: "npu")]
  }

  /// The JSON that a text is; `nil` when it does not look like one.
  ///
  /// - Throws: `Diagnostic` JSN001 when it looks like one and is none.
  static func jsonText(_ text: String) throws -> JSON? {
    guard let first = text.first(where: { !$0.isWhitespace }), first == "{" || first == "[" else {
      return nil
    }
    // `[Step 1/11]` and `[11/20/2026-15:00:01]` begin lines of text.
    if first == "[", let second = text.dropFirst().first(where: { !$0.isWhitespace }),
      second != "{", second != "]"
    {
      return nil
    }
    return try JSON(parsing: text)
  }
}
