import AssayBase
import AssayDevice
import AssayHost
import AssayMeter

/// What a board measures of itself, read by its shell: sensors of its kernel (hwmon: INA2xx, supplies), a
/// processor's energy counters (powercap), or the rails of a Raspberry Pi 5 (`vcgencmd pmic_read_adc`).
///
/// Each reading is a question over the way to the device; its time is the middle of the round trip.
public struct BoardMeter: PowerMeter {
  public let id = "board"
  public let summary = "what the device itself measures: hwmon, powercap, a Pi's rails"
  private let device: any ShellDevice
  private let root: String

  /// A meter of a device.
  ///
  /// - Parameter root: the folder that is taken for `/`: another one in tests.
  public init(_ device: any ShellDevice, root: String = "") {
    self.device = device
    self.root = root
  }

  public func probe() -> Availability { probeByOpening(remedy: "see assay devices probe") }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    try BoardMeterReader(device, root, rate: options.rate)
  }
}

/// The figures of one question: `W NAME MICROWATTS`, `J NAME MICROJOULES LIMIT`, `P NAME WATTS`.
struct BoardReading: Equatable {
  struct Figure: Equatable {
    var name: String
    /// Watts, or joules.
    var value: Double
    var isEnergy: Bool
    /// Joules at which a counter begins anew; `nil` when it does not, or does not tell.
    var wrap: Double?
  }

  private(set) var figures: [Figure] = []

  /// Reads what the script printed; what is odd is left out.
  init(_ text: String) {
    var volts: [String: Double] = [:]
    var amperes: [(name: String, value: Double)] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
      if words.count >= 3, let value = Double(words[2]), value.isFinite, value >= 0,
        value < 1e18, !words[1].isEmpty
      {
        let name = String(Words.printable(words[1]).prefix(60))
        let wrap = words.count > 3 ? Double(words[3]).map { $0 * 1e-6 } : nil
        switch words[0] {
        case "W": add(name, value * 1e-6, isEnergy: false, wrap: nil)
        case "J": add(name, value * 1e-6, isEnergy: true, wrap: wrap)
        case "P": add(name, value, isEnergy: false, wrap: nil)
        default: break
        }
        continue
      }
      // `  VDD_CORE_A current(7)=1.23456A`, as the Pi prints it.
      let parts = line.split(separator: " ")
      guard parts.count == 2, let equals = parts[1].lastIndex(of: "="),
        let value = Double(String(parts[1][parts[1].index(after: equals)...].dropLast())),
        value.isFinite, abs(value) < 1e6
      else { continue }
      let name = String(parts[0])
      if name.hasSuffix("_A"), parts[1].hasSuffix("A") {
        amperes.append((String(name.dropLast(2)), value))
      } else if name.hasSuffix("_V"), parts[1].hasSuffix("V") {
        volts[String(name.dropLast(2))] = value
      }
    }
    for (name, current) in amperes {
      if let voltage = volts[name] { add(name, current * voltage, isEnergy: false, wrap: nil) }
    }
  }

  private mutating func add(_ name: String, _ value: Double, isEnergy: Bool, wrap: Double?) {
    let count = figures.filter { $0.name == name || $0.name.hasPrefix(name + " ") }.count
    let unique = count == 0 ? name : "\(name) \(count + 1)"
    figures.append(Figure(name: unique, value: value, isEnergy: isEnergy, wrap: wrap))
  }
}

/// A board's figures over time: of one kind, power or energy, and their sum first.
final class BoardMeterReader: MeterReader {
  let identity: MeterIdentity
  let channels: [MeterChannel]
  let period: UInt64
  let isPolled = true
  private let device: any ShellDevice
  private let script: String
  private let names: [String]
  private let isEnergy: Bool
  private var last: [String: Double] = [:]
  private var turns: [String: Double] = [:]
  private var greatestSpan: UInt64 = 0

  /// Asks once which figures there are.
  ///
  /// - Throws: `Diagnostic` MTR001 when the device has none.
  init(_ device: any ShellDevice, _ root: String, rate: Double?) throws {
    self.device = device
    script = BoardMeterReader.script(root)
    let reading = BoardReading(try device.run(script, seconds: 10).output)
    // Counters integrate by themselves: they go before sensors of power.
    isEnergy = reading.figures.contains(where: \.isEnergy)
    let energy = isEnergy
    let figures = reading.figures.filter { $0.isEnergy == energy }
    guard !figures.isEmpty else {
      throw Diagnostic(
        "MTR001",
        "board cannot be used: the device shows no power sensors to its user",
        at: [device.address.text],
        remedy: "counters may be for root alone; or use an external meter: see assay power list"
      )
    }
    names = figures.map(\.name)
    identity = MeterIdentity(driver: "board", name: device.address.text)
    let accuracy = MeterAccuracy(
      gain: 0.05,
      resolution: energy ? 1e-4 : 1e-3,
      latencyNanoseconds: 100_000_000,
      isIntegrating: energy,
      source: "no maker's figure; 5 % and a new number each 0.1 s are assumed"
    )
    let quantity: MeterChannel.Quantity = energy ? .energy : .power
    channels =
      [MeterChannel("all sensors", quantity, .board, isPrimary: true, accuracy: accuracy)]
      + names.map { MeterChannel($0, quantity, .rail, accuracy: accuracy) }
    period = UInt64(1e9 / min(max(rate ?? 2, 0.1), 50))
  }

  /// The script by which a device's `sh` tells its figures; it changes nothing there.
  static func script(_ root: String) -> String {
    """
    r=\(Words.shell([root.isEmpty ? "/" : root])); r=${r%/}
    t=$(printf '\\t')
    one() { [ -r "$1" ] && cat "$1" 2>/dev/null; }
    for h in "$r"/sys/class/hwmon/hwmon*; do
      [ -d "$h" ] || continue
      n=$(one "$h/name"); p=0
      for f in "$h"/energy*_input; do
        [ -e "$f" ] || continue
        l=$(one "${f%_input}_label"); k=${f##*/}; k=${k%_input}
        echo "J$t${l:-$n $k}$t$(one "$f")"
      done
      for f in "$h"/power*_input "$h"/power*_average; do
        [ -e "$f" ] || continue
        k=${f##*/}; k=${k%_*}; p=1
        l=$(one "${f%_*}_label")
        echo "W$t${l:-$n $k}$t$(one "$f")"
      done
      [ $p = 1 ] && continue
      for f in "$h"/curr*_input; do
        [ -e "$f" ] || continue
        k=${f##*/curr}; k=${k%_input}
        v=$(one "$h/in${k}_input"); a=$(one "$f")
        case "$v$a" in ''|*[!0-9]*) continue;; esac
        l=$(one "$h/in${k}_label")
        echo "W$t${l:-$n in$k}$t$((v * a))"
      done
    done
    for c in "$r"/sys/class/powercap/*; do
      case "${c##*/}" in intel-rapl:*:*|*mmio*) continue;; esac
      [ -r "$c/energy_uj" ] || continue
      echo "J$t$(one "$c/name")$t$(one "$c/energy_uj")$t$(one "$c/max_energy_range_uj")"
    done
    [ -n "$r" ] || vcgencmd pmic_read_adc 2>/dev/null
    exit 0
    """
  }

  func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
    let start = Host.monotonicNanoseconds()
    let text: String
    do {
      text = try device.run(script, seconds: 5).output
    } catch let error as Diagnostic where DeviceFault.ofTheWay.contains(error.code) {
      // The device may come back; a reading is missing meanwhile.
      trace.lostCount += 1
      return
    }
    let end = Host.monotonicNanoseconds()
    greatestSpan = max(greatestSpan, end &- start)
    let figures = BoardReading(text).figures
    let values = names.map { name -> Double in
      guard let figure = figures.first(where: { $0.name == name }) else { return .nan }
      guard isEnergy else { return figure.value }
      if let before = last[name], figure.value < before {
        guard let wrap = figure.wrap else { return .nan }
        turns[name, default: 0] += wrap
      }
      last[name] = figure.value
      return figure.value + (turns[name] ?? 0)
    }
    trace.append(
      Int64(clamping: start &+ (end &- start) / 2),
      [values.reduce(0, +)] + values
    )
  }

  func finish(_ trace: inout PowerTrace) {
    // Rectangular over half of the longest round trip.
    trace.timeUncertaintyNanoseconds = Double(greatestSpan) / 2 / 3.0.squareRoot()
  }
}
