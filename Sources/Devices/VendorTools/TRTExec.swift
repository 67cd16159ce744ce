import AssayBase
import AssayHost
import AssayRecord

/// `trtexec`, TensorRT's own program: builds engines and times them where the GPU is.
///
/// An engine is of use only on the GPU model and the version of TensorRT that built it, so it is built on
/// the target and kept there under a name of both, of the network's hash and of the options.
public struct TRTExec: Sendable {
  /// The arithmetic that an engine may use.
  public enum Precision: String, Sendable, CaseIterable {
    /// float32 alone; TF32, which rounds to ten bits, is off.
    case fp32
    /// float16 where it is faster.
    case fp16
    /// int8 as the network's QuantizeLinear nodes say, float32 elsewhere.
    case int8
    /// int8 as the network says, float16 where it is faster elsewhere.
    case int8fp16 = "int8+fp16"

    /// trtexec's options for it.
    var options: [String] {
      switch self {
      case .fp32: ["--noTF32"]
      case .fp16: ["--fp16"]
      case .int8: ["--int8", "--noTF32"]
      case .int8fp16: ["--int8", "--fp16"]
      }
    }
  }

  /// What is asked of a measurement.
  public struct Options: Sendable, Equatable {
    /// The arithmetic.
    public var precision: Precision
    /// Extents of inputs that the network leaves open, as `name:1x3x224x224`.
    public var shapes: [String]
    /// Milliseconds of warm-up.
    public var warmup: Int
    /// Seconds of timed queries, at least.
    public var duration: Int
    /// Timed queries, at least.
    public var iterations: Int
    /// How long building may take, seconds.
    public var buildSeconds: Double
    /// How long timing may take beyond `duration`, seconds.
    public var runSeconds: Double
    /// Whether times of layers are taken, in a run of their own.
    public var isProfiling: Bool

    /// Makes options.
    public init(precision: Precision = .fp32) {
      self.precision = precision
      shapes = []
      warmup = 500
      duration = 3
      iterations = 100
      buildSeconds = 3600
      runSeconds = 120
      isProfiling = true
    }
  }

  /// The GPU and the version that trtexec names.
  public struct Target: Sendable, Equatable {
    /// The GPU's name; `nil` when trtexec does not tell.
    public var gpu: String?
    /// TensorRT's version.
    public var version: String?
  }

  /// What came of a measurement.
  public struct Result: Sendable {
    /// What was stated, samples and layers with it.
    public var report: ToolReport
    /// The engine's path on the target.
    public var engine: String
    /// Whether it was built now.
    public var wasBuilt: Bool
    /// Bytes of the engine; `nil` when it cannot be read.
    public var engineByteCount: Int?
    /// The commands that were run.
    public var commands: [[String]]
  }

  /// How to get it.
  public static let remedy =
    "install NVIDIA's TensorRT (Jetson: it is in JetPack, /usr/src/tensorrt/bin), "
    + "or set ASSAY_TRTEXEC to trtexec's path"

  private let host: any ToolHost
  private let program: String

  /// The program on a host: the one that `ASSAY_TRTEXEC` names, one in `PATH`, or JetPack's.
  ///
  /// - Throws: `Diagnostic` VND020 with how to get it.
  public init(on host: any ToolHost) throws {
    self.host = host
    do {
      program = try host.require("trtexec", variable: "ASSAY_TRTEXEC", remedy: TRTExec.remedy)
    } catch {
      guard Host.environment("ASSAY_TRTEXEC") == nil,
        let jetson = try host.find("/usr/src/tensorrt/bin/trtexec")
      else { throw error }
      program = jetson
    }
  }

  /// Whether it can be used here.
  public static func probe() -> Availability {
    do {
      let tool = try TRTExec(on: LocalToolHost())
      let target = try tool.target()
      guard let version = target.version else {
        return .unavailable(
          reason: "trtexec is there but does not start",
          remedy: "run \(tool.program) --help"
        )
      }
      guard let gpu = target.gpu else {
        return .unavailable(
          reason: "trtexec \(version) found no GPU with a driver",
          remedy: "install NVIDIA's driver; nvidia-smi shows what it sees"
        )
      }
      return .available(version: "\(version), \(gpu)")
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: "see docs/devices.md")
    }
  }

  /// What trtexec says of itself and of the GPU: told even when there is no engine to load.
  public func target() throws -> Target {
    let output = try host.run([program, "--loadEngine=/dev/null"], seconds: 60)
    let report = try? TRTExecOutput.text(output.text)
    return Target(gpu: report?.device, version: report?.version)
  }

  /// Builds the engine if it is not there yet, and times it.
  ///
  /// - Parameters:
  ///   - model: an `.onnx` file of this machine.
  ///   - sha256: the file's hash.
  ///   - progress: told of each step.
  /// - Throws: `Diagnostic` VND021 with trtexec's words, VND022 at a time limit, VND023 when no GPU is there.
  public func measure(
    _ model: String,
    sha256: String,
    _ options: Options,
    progress: (String) -> Void = { _ in }
  ) throws -> Result {
    let target = try target()
    guard let version = target.version, let gpu = target.gpu else {
      throw Diagnostic(
        "VND023",
        "trtexec found no GPU with a driver",
        at: [host.name],
        remedy: "install NVIDIA's driver; nvidia-smi shows what it sees"
      )
    }
    let folder = try host.cacheFolder("tensorrt")
    let engine = Host.join(folder, TRTExec.engineName(gpu, version, sha256, options))
    var commands: [[String]] = []
    var wasBuilt = false
    var built: ToolReport?
    if try host.find(engine) == nil {
      progress("\(host.name): building the engine (\(options.precision.rawValue)) on \(gpu)")
      // Under another name until it is whole: a later run must not load half an engine.
      let draft = engine + ".partial"
      let command = buildCommand(try host.put(model), engine: draft, version: version, options)
      commands.append(command)
      built = try run(command, seconds: options.buildSeconds, model)
      let moved = try host.run(["/bin/mv", draft, engine], seconds: 60)
      guard moved.isDone else {
        throw Diagnostic(
          "VND021",
          "trtexec built no engine",
          at: [host.name, draft],
          cause: moved.tail()
        )
      }
      wasBuilt = true
    }
    progress("\(host.name): timing for \(options.duration) s")
    let times = engine + ".times.json"
    let timing = timingCommand(engine, times: times, options)
    commands.append(timing)
    var report = try run(timing, seconds: Double(options.duration) + options.runSeconds, model)
    if let bytes = try host.get(times) {
      let exported = try TRTExecOutput.json(JSON(parsing: bytes))
      report.samples = exported.samples
      _ = try host.run(["/bin/rm", "-f", times], seconds: 60)
      report.findings += exported.findings
    }
    if let build = built?["init.build"] { report.figures.append(build) }
    if options.isProfiling {
      progress("\(host.name): times of layers")
      let profile = engine + ".profile.json"
      let command = profileCommand(engine, profile: profile)
      commands.append(command)
      // Layers are worth having, but their absence does not take the latency away.
      do {
        _ = try run(command, seconds: options.runSeconds, model)
        if let bytes = try host.get(profile) {
          report.operators = try TRTExecOutput.json(JSON(parsing: bytes)).operators
          _ = try host.run(["/bin/rm", "-f", profile], seconds: 60)
        }
      } catch let finding as Diagnostic {
        var note = finding
        note.severity = .warning
        report.findings.append(note)
      }
    }
    report.version = version
    report.device = gpu
    report.note("precision", options.precision.rawValue)
    return Result(
      report: report,
      engine: engine,
      wasBuilt: wasBuilt,
      engineByteCount: try host.get(engine)?.count,
      commands: commands
    )
  }

  private func run(_ command: [String], seconds: Double, _ model: String) throws -> ToolReport {
    let output = try host.run(command, seconds: seconds)
    guard output.end != nil else {
      throw Diagnostic(
        "VND022",
        "trtexec did not end within \(Int(seconds)) s",
        at: [host.name, model],
        remedy: "give it more time with --timeout",
        cause: output.tail()
      )
    }
    let report = try? TRTExecOutput.text(output.text)
    guard output.isDone, let report, report.failure == nil else {
      throw Diagnostic(
        "VND021",
        "trtexec failed: \(output.end?.text ?? "killed")",
        at: [host.name, model],
        cause: report?.failure ?? output.tail()
      )
    }
    return report
  }

  /// What an engine is called: GPU, version, network, options.
  static func engineName(
    _ gpu: String,
    _ version: String,
    _ sha256: String,
    _ options: Options
  ) -> String {
    let words = gpu.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    let shapes =
      options.shapes.isEmpty
      ? "" : "-" + AssayBase.sha256(options.shapes.joined(separator: ",")).prefix(8)
    return
      "\(String(words))-\(version)-\(sha256.prefix(16))-\(options.precision.rawValue)\(shapes).engine"
  }

  /// The command that builds an engine and does not time it.
  func buildCommand(
    _ model: String,
    engine: String,
    version: String,
    _ options: Options
  ) -> [String] {
    // 8.6 gave the option another name.
    let parts = version.split(separator: ".").map { Int($0) ?? 0 }
    let isNew =
      parts.first.map { $0 > 8 || ($0 == 8 && (parts.dropFirst().first ?? 0) >= 6) } ?? true
    var words = [program, "--onnx=\(model)", "--saveEngine=\(engine)"] + options.precision.options
    words += [isNew ? "--skipInference" : "--buildOnly"]
    if isNew { words.append("--profilingVerbosity=detailed") }
    if !options.shapes.isEmpty { words.append("--shapes=\(options.shapes.joined(separator: ","))") }
    return words
  }

  /// The command that times an engine, one query after the other: without `--exposeDMA` the next query's
  /// input is copied while one is computed, and a query's latency would hold the wait for the other.
  func timingCommand(_ engine: String, times: String, _ options: Options) -> [String] {
    [
      program, "--loadEngine=\(engine)", "--exportTimes=\(times)", "--warmUp=\(options.warmup)",
      "--duration=\(options.duration)", "--iterations=\(options.iterations)", "--exposeDMA",
      "--useSpinWait",
    ] + (options.shapes.isEmpty ? [] : ["--shapes=\(options.shapes.joined(separator: ","))"])
  }

  /// The command that takes times of layers: profiling slows a network down, hence a run of its own.
  func profileCommand(_ engine: String, profile: String) -> [String] {
    [program, "--loadEngine=\(engine)", "--dumpProfile", "--exportProfile=\(profile)"]
  }
}
