import AssayBase
import AssayHost

/// The power management chip of a Raspberry Pi 5, asked by `vcgencmd pmic_read_adc`.
///
/// The sum of its rails is less than what the board takes: losses of the chip itself and what hangs
/// on the 5 V line are not in it.
public struct RaspberryPiMeter: PowerMeter {
  public let id = "rpi5"
  public let summary = "rails of a Raspberry Pi 5 (vcgencmd pmic_read_adc)"
  private let tool: String?

  /// A driver.
  ///
  /// - Parameter tool: the path of `vcgencmd`; found in the usual folders when `nil`.
  public init(tool: String? = nil) { self.tool = tool }

  private var path: String? {
    if let tool { return Host.exists(tool) ? tool : nil }
    return ["/usr/bin/vcgencmd", "/opt/vc/bin/vcgencmd"].first { Host.exists($0) }
  }

  public func probe() -> Availability {
    guard let path else {
      return .unavailable(
        reason: "there is no vcgencmd",
        remedy: "none is needed: this is no Raspberry Pi (on one: apt install raspi-utils)"
      )
    }
    do {
      let rails = try PMICReading(RaspberryPiMeter.ask(path)).rails
      return .available(version: rails.map(\.name).joined(separator: ", "))
    } catch {
      return .unavailable(
        reason: "vcgencmd tells no rails: \(((error as? Diagnostic)?.cause ?? "").prefix(80))",
        remedy: "only the Raspberry Pi 5 can; on an older one use a meter in the supply"
      )
    }
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    guard let path else {
      throw Diagnostic(
        "MTR001",
        "rpi5 cannot be used: there is no vcgencmd",
        remedy: "apt install raspi-utils on a Raspberry Pi 5"
      )
    }
    let rails = try PMICReading(RaspberryPiMeter.ask(path)).rails
    return Reader(path, rails, period(rate: options.rate, standard: 10))
  }

  /// One answer of the tool.
  static func ask(_ path: String) throws -> String {
    let output = try Pipe()
    let process = try ChildProcess(
      path,
      ["pmic_read_adc"],
      descriptors: [1: output.writeEnd, 2: output.writeEnd]
    )
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1, limit: 1 << 16)
    let deadline = Host.monotonicNanoseconds() &+ 2_000_000_000
    var text = ""
    while case .line(let line) = channel.read(until: deadline) { text += line + "\n" }
    guard case .exited(0)? = process.wait(until: deadline) else {
      process.kill()
      throw Diagnostic("MTR010", "vcgencmd failed", at: [path], cause: text)
    }
    return text
  }

  private final class Reader: MeterReader {
    let identity: MeterIdentity
    let channels: [MeterChannel]
    let period: UInt64
    let isPolled = true
    private let path: String
    private let names: [String]
    private var greatestSpan: UInt64 = 0

    init(_ path: String, _ rails: [PMICReading.Rail], _ period: UInt64) {
      self.path = path
      self.period = period
      names = rails.map(\.name)
      identity = MeterIdentity(
        driver: "rpi5",
        name: line("/proc/device-tree/model") ?? "Raspberry Pi 5"
      )
      let accuracy = MeterAccuracy(
        gain: 0.05,
        resolution: 0.001,
        latencyNanoseconds: 20_000_000,
        source: "no maker's figure; 5 % is assumed; rails beside the chip are not seen"
      )
      channels =
        [MeterChannel("all rails", .power, .board, isPrimary: true, accuracy: accuracy)]
        + rails.map { MeterChannel($0.name, .power, .rail, accuracy: accuracy) }
    }

    func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
      let start = Host.monotonicNanoseconds()
      let reading = try PMICReading(RaspberryPiMeter.ask(path))
      let end = Host.monotonicNanoseconds()
      greatestSpan = max(greatestSpan, end &- start)
      let watts = Dictionary(
        reading.rails.map { ($0.name, $0.watts) },
        uniquingKeysWith: { first, _ in first }
      )
      let parts = names.map { watts[$0] ?? .nan }
      trace.append(
        Int64(clamping: start &+ (end &- start) / 2),
        [parts.reduce(0) { $0 + ($1.isFinite ? $1 : 0) }] + parts
      )
    }

    func finish(_ trace: inout PowerTrace) {
      trace.timeUncertaintyNanoseconds = Double(greatestSpan) / 2 / 3.0.squareRoot()
    }
  }
}

/// What `vcgencmd pmic_read_adc` prints: `NAME_A current(7)=1.2A`, `NAME_V volt(15)=0.86V`.
public struct PMICReading: Sendable, Equatable {
  /// A rail with both a current and a voltage.
  public struct Rail: Sendable, Equatable {
    /// Its name, such as `VDD_CORE`.
    public var name: String
    /// Volts times amperes.
    public var watts: Double
  }

  /// The rails, in the order of their currents.
  public var rails: [Rail]
  /// Voltages that have no current, such as `EXT5V`.
  public var unpaired: [String]

  /// Reads the tool's text; lines pair by name.
  ///
  /// - Throws: `Diagnostic` MTR014 when it has no rail.
  public init(_ text: String) throws {
    var currents: [(name: String, value: Double)] = []
    var volts: [(name: String, value: Double)] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard words.count == 2, let equals = words[1].firstIndex(of: "="),
        let number = LineParser.leadingNumber(words[1][words[1].index(after: equals)...]).0
      else { continue }
      if words[0].hasSuffix("_A"), words[1].hasPrefix("current(") {
        currents.append((String(words[0].dropLast(2)), number))
      } else if words[0].hasSuffix("_V"), words[1].hasPrefix("volt(") {
        volts.append((String(words[0].dropLast(2)), number))
      }
    }
    rails = currents.compactMap { current in
      volts.first { $0.name == current.name }.map {
        Rail(name: current.name, watts: current.value * $0.value)
      }
    }
    unpaired = volts.map(\.name).filter { name in !currents.contains { $0.name == name } }
    guard !rails.isEmpty else {
      throw Diagnostic(
        "MTR014",
        "the tool tells no rail",
        cause: String(text.prefix(200))
      )
    }
  }
}
