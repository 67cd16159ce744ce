import AssayBase
import AssayHost
import AssayRecord

/// Vela, Arm's compiler for the Ethos-U, driven.
///
/// It compiles an integer TFLite file and estimates what the accelerator would need. Every figure is an
/// estimate by a model of the hardware; no network has run.
public struct Vela: Sendable {
  /// What is asked of a compilation.
  public struct Options: Sendable, Equatable {
    /// The accelerator, such as `ethos-u55-128`.
    public var accelerator: String
    /// The system's configuration, a section of Vela's `vela.ini`; `nil` for Vela's own choice.
    public var system: String?
    /// The memory mode, a section of `vela.ini`; `nil` for Vela's own choice.
    public var memory: String?
    /// How long it may take, seconds.
    public var seconds: Double

    /// Makes options.
    public init(
      accelerator: String = "ethos-u55-128",
      system: String? = nil,
      memory: String? = nil,
      seconds: Double = 600
    ) {
      self.accelerator = accelerator
      self.system = system
      self.memory = memory
      self.seconds = seconds
    }
  }

  /// What came of a compilation.
  public struct Result: Sendable {
    /// The compiled network.
    public var compiled: String
    /// The estimate for the whole network, and where each operator runs.
    public var report: ToolReport
    /// The estimate for each operator that Vela made.
    public var layers: [ToolReport.Operator]
  }

  /// Accelerators that Vela compiles for.
  public static let accelerators = [
    "ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256", "ethos-u65-256",
    "ethos-u65-512", "ethos-u85-128", "ethos-u85-256", "ethos-u85-512", "ethos-u85-1024",
    "ethos-u85-2048",
  ]

  /// How to get it.
  public static let remedy = "scripts/setup --vela"

  private let command: [String]
  private let environment: [String: String]
  /// The version; `nil` when only running it tells.
  public let version: String?

  /// The compiler that `ASSAY_VELA` names, else the one that set-up installed, else one in `PATH`.
  ///
  /// - Throws: `Diagnostic` VND020 with how to get it.
  public init() throws {
    let host = LocalToolHost()
    if Host.environment("ASSAY_VELA") == nil,
      let tool = try? PythonTool.find("vela", remedy: Vela.remedy)
    {
      command = [tool.python, "-m", "ethosu.vela"]
      environment = tool.environment
      version = tool.version
      return
    }
    command = [try host.require("vela", variable: "ASSAY_VELA", remedy: Vela.remedy)]
    environment = [:]
    version = nil
  }

  /// Whether it can be used here.
  public static func probe() -> Availability {
    do {
      let vela = try Vela()
      return .available(version: (vela.version ?? "in PATH") + ", estimates only")
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: "see docs/devices.md")
    }
  }

  /// Compiles a network and estimates it.
  ///
  /// - Parameters:
  ///   - model: an integer `.tflite` file.
  ///   - folder: where the compiled network and Vela's tables go.
  /// - Throws: `Diagnostic` VND021 with Vela's words when it fails, VND022 at its time limit, VND001 when
  ///   what it wrote cannot be read.
  public func compile(
    _ model: String,
    into folder: String,
    _ options: Options,
    csv: (String) throws -> [(line: Int, fields: [String])]
  ) throws -> Result {
    try Host.makeFolders(folder)
    var words = command
    words += [model, "--accelerator-config", options.accelerator, "--output-dir", folder]
    words += ["--show-cpu-operations", "--verbose-performance"]
    if let system = options.system { words += ["--system-config", system] }
    if let memory = options.memory { words += ["--memory-mode", memory] }
    if options.system != nil || options.memory != nil { words += ["--config", "Arm/vela.ini"] }
    let output = try LocalToolHost().run(
      words,
      environment: environment,
      seconds: options.seconds
    )
    guard output.end != nil else {
      throw Diagnostic(
        "VND022",
        "Vela did not end within \(Int(options.seconds)) s",
        at: [model],
        remedy: "give it more time with --timeout",
        cause: output.tail()
      )
    }
    var report: ToolReport
    do {
      report = try VelaOutput.text(output.text)
    } catch {
      throw refused(model, output)
    }
    guard output.isDone, report.failure == nil else { throw refused(model, output) }
    report.version = version
    let stem = Vela.stem(model)
    let tables = try Host.list(folder)
    func table(_ isWanted: (String) -> Bool) throws -> ToolReport? {
      guard let name = tables.first(where: isWanted),
        let text = try MappedFile(path: Host.join(folder, name)).view.utf8
      else { return nil }
      return try locating(name) { try VelaOutput.csv(csv(text)) }
    }
    // The text rounds; the table has every figure whole.
    if let summary = try table({ $0.hasPrefix(stem + "_summary_") && $0.hasSuffix(".csv") }) {
      let told = Set(summary.figures.map(\.name))
      report.figures = summary.figures + report.figures.filter { !told.contains($0.name) }
      report.facts = summary.facts
      report.device = summary.device
    }
    let layers = try table { $0 == stem + "_per-layer.csv" }
    return Result(
      compiled: Host.join(folder, stem + "_vela.tflite"),
      report: report,
      layers: layers?.operators ?? []
    )
  }

  private func refused(_ model: String, _ output: ToolOutput) -> Diagnostic {
    Diagnostic(
      "VND021",
      "Vela refused this network: \(output.end?.text ?? "killed")",
      at: [model],
      remedy: "Vela takes .tflite files; convert with --recipe static_int8",
      cause: output.tail()
    )
  }

  private static func stem(_ path: String) -> String {
    let name = Host.name(of: path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }
}
