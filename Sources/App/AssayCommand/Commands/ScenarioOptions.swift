import AssayBase
import AssayBench
import AssayRecord
import AssayStatistics

/// How queries are issued and how precisely they are measured, as options of a command.
struct ScenarioOptions {
  /// The scenario; `nil` when no option speaks of one.
  var scenario: Record.Scenario?
  /// How precisely a percentile is wanted; `nil` when nothing was asked for.
  var narrowing: Narrowing?
  /// A long load in place of rounds.
  var sustained: SustainedLoad?
  private var nanoseconds: UInt64?
  private var count: Int?

  /// How queries are issued and for how long.
  static let issuing = [
    Option(
      "--scenario",
      .choice(Record.Scenario.Kind.allCases.map(\.rawValue)),
      "how queries are issued (default: single-stream)"
    ),
    Option("--percentile", .value("P"), "the percentile that counts (default: 90, servers 99)"),
    Option("--target-latency", .value("TIME"), "what it must hold with 99 % confidence, as 5ms"),
    Option("--rate", .value("N"), "queries per second that arrive (server)"),
    Option("--streams", .value("N"), "sessions at the same time (offline, server; default: 1)"),
    Option("--samples-per-query", .value("N"), "inputs of a query (multi-stream; default: 8)"),
    Option("--duration", .value("TIME"), "measure at least this long, as 60s"),
    Option("--count", .value("N"), "measure at least this many queries"),
  ]

  /// How precisely a percentile is wanted, beside how queries are issued.
  static let options =
    issuing + [
      Option("--width", .value("PART"), "measure until the percentile is known to this, as 1%"),
      Option("--sustained", .value("TIME"), "load without a pause, as 30m: throughput over time"),
      Option("--max-rounds", .value("N"), "rounds after which --width gives up (default: 100)"),
    ]

  init(_ arguments: Arguments) throws {
    let given = arguments.value("--scenario").flatMap(Record.Scenario.Kind.init)
    let kind = given ?? (arguments.has("--rate") ? .server : .singleStream)
    var scenario = Record.Scenario(
      kind,
      streams: try arguments.integer("--streams") ?? 1
    )
    guard scenario.streams <= 256 else {
      throw Diagnostic("CLI006", "--streams is at most 256")
    }
    if scenario.streams > 1, ![.offline, .server].contains(kind) {
      throw Diagnostic(
        "CLI008",
        "--streams needs --scenario offline or server",
        remedy: "\(kind.rawValue) issues one query after the other"
      )
    }
    if let text = arguments.value("--percentile") {
      guard let percentile = Percentile(text) else {
        throw Diagnostic("CLI006", "--percentile is such as 90 or 99.9, not '\(text)'")
      }
      scenario.percentile = percentile
    }
    if let text = arguments.value("--target-latency") {
      scenario.targetLatency = Int64(
        clamping: try ScenarioOptions.time(text, "--target-latency")
      )
    }
    if let text = arguments.value("--rate") {
      guard kind == .server else {
        throw Diagnostic("CLI008", "--rate needs --scenario server")
      }
      guard let rate = Double(text), rate > 0, rate <= 1e7 else {
        throw Diagnostic("CLI006", "--rate is queries per second, not '\(text)'")
      }
      scenario.ratePerSecond = rate
    } else if kind == .server {
      throw Diagnostic(
        "CLI008",
        "a server needs to know how many queries arrive",
        remedy: "add --rate N, in queries per second"
      )
    }
    if let number = try arguments.integer("--samples-per-query") {
      guard kind == .multiStream, number <= 1 << 20 else {
        throw Diagnostic("CLI008", "--samples-per-query needs --scenario multi-stream")
      }
      scenario.samplesPerQuery = number
    }
    scenario.seed = UInt64(try arguments.integer("--seed", minimum: 0) ?? 1)
    let speaks = ["--scenario", "--percentile", "--target-latency", "--rate"]
    self.scenario = speaks.contains(where: arguments.has) ? scenario : nil
    nanoseconds = try arguments.value("--duration").map {
      try ScenarioOptions.time($0, "--duration")
    }
    count = try arguments.integer("--count")
    sustained = try arguments.value("--sustained").map {
      SustainedLoad(duration: try ScenarioOptions.time($0, "--sustained"))
    }
    if let text = arguments.value("--width") {
      guard let part = TryPlan.fraction(text), part > 0, part < 1 else {
        throw Diagnostic("CLI006", "--width is a part such as 1% or 0.01, not '\(text)'")
      }
      narrowing = Narrowing(
        arguments.has("--percentile") || self.scenario != nil ? scenario.percentile : .p50,
        target: part,
        maximumRounds: try arguments.integer("--max-rounds") ?? 100
      )
    }
  }

  /// A preset with turns long enough for what is asked.
  func applied(to preset: Preset) -> Preset {
    var preset = preset
    if let scenario { preset = preset.supporting(scenario) }
    if let nanoseconds { preset = preset.lasting(nanoseconds) }
    if let count { preset = preset.counting(count) }
    return preset
  }

  /// A time such as `5ms` or `30m`, in nanoseconds.
  static func time(_ text: String, _ option: String) throws -> UInt64 {
    let units = ["ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "min": 60e9, "h": 3600e9]
    guard let value = TryPlan.quantity(text, units), value >= 1 else {
      throw Diagnostic("CLI006", "\(option) is a time such as 5ms or 60s, not '\(text)'")
    }
    return UInt64(value)
  }
}
