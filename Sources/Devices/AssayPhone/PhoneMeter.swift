import AssayBase
import AssayDevice
import AssayHost
import AssayMeter

/// What a phone itself measures: its rails where it has meters on them (ODPM, since Pixel 6), or its
/// battery's fuel gauge.
///
/// Each reading is a question over the debug bridge; its time is the middle of the round trip.
public struct PhoneMeter: PowerMeter {
  /// Which of them.
  public enum Source: String, Sendable, CaseIterable {
    /// Energy counters of the phone's rails.
    case rails
    /// Current and voltage of the battery.
    case battery
  }

  public var id: String { "phone-\(source.rawValue)" }
  public var summary: String {
    source == .rails ? "the phone's power rails (ODPM)" : "the phone's fuel gauge, off its charger"
  }
  private let source: Source
  private let device: any ShellDevice

  /// A meter of a phone.
  public init(_ device: any ShellDevice, _ source: Source) {
    self.device = device
    self.source = source
  }

  public func probe() -> Availability { probeByOpening(remedy: "see assay devices probe") }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    try PhoneMeterReader(device, source, rate: options.rate)
  }
}

/// Figures of a phone's meters, read by a shell.
final class PhoneMeterReader: MeterReader {
  let identity: MeterIdentity
  let channels: [MeterChannel]
  let period: UInt64
  let isPolled = true
  private let device: any ShellDevice
  private let source: PhoneMeter.Source
  private var greatestSpan: UInt64 = 0

  static let railScript = "cat /sys/bus/iio/devices/iio:device*/energy_value"
  static let batteryScript = """
    cd /sys/class/power_supply/battery && cat current_now voltage_now status
    """

  /// Asks once which figures there are.
  ///
  /// - Throws: `Diagnostic` MTR001 when the phone has no such meter, or is fed while its gauge is asked.
  init(_ device: any ShellDevice, _ source: PhoneMeter.Source, rate: Double?) throws {
    self.device = device
    self.source = source
    identity = MeterIdentity(driver: "phone-\(source.rawValue)", name: device.address.text)
    func absent(_ reason: String, _ remedy: String) -> Diagnostic {
      Diagnostic(
        "MTR001",
        "phone-\(source.rawValue) cannot be used: \(reason)",
        at: [device.address.text],
        remedy: remedy
      )
    }
    switch source {
    case .rails:
      let text = try device.run(PhoneMeterReader.railScript, seconds: 10).output
      let rails = PhoneRails(text)
      guard !rails.joules.isEmpty else {
        throw absent(
          "the phone shows no meters on its rails",
          "phones since Pixel 6 have them; most show them to root alone: take --meter phone-battery"
        )
      }
      let accuracy = MeterAccuracy(
        gain: 0.05,
        resolution: 1e-6,
        latencyNanoseconds: 100_000_000,
        isIntegrating: true,
        source: "no maker's figure; 5 % and a new number each 0.1 s are assumed"
      )
      channels =
        [MeterChannel("all rails", .energy, .platform, isPrimary: true, accuracy: accuracy)]
        + rails.joules.map { MeterChannel($0.name, .energy, .rail, accuracy: accuracy) }
      period = UInt64(1e9 / max(rate ?? 5, 0.1))
    case .battery:
      let text = try device.run(PhoneMeterReader.batteryScript, seconds: 10).output
      guard let gauge = PhoneGauge(text) else {
        throw absent(
          "its fuel gauge tells no current",
          "use an external meter: see assay power list"
        )
      }
      guard !gauge.isFed else {
        throw absent(
          "the phone is fed (\(gauge.status.lowercased()))",
          "unplug it and reach it by wireless debugging: assay devices pair, assay devices connect"
        )
      }
      channels = [
        MeterChannel(
          "battery",
          .power,
          .battery,
          isPrimary: true,
          accuracy: MeterAccuracy(
            gain: 0.05,
            resolution: 0.01,
            latencyNanoseconds: 1_000_000_000,
            isIntegrating: true,
            source: "no maker's figure; 5 % and a new number each second are assumed"
          )
        )
      ]
      period = UInt64(1e9 / max(rate ?? 1, 0.1))
    }
  }

  func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
    let start = Host.monotonicNanoseconds()
    let script =
      source == .rails ? PhoneMeterReader.railScript : PhoneMeterReader.batteryScript
    let text: String
    do {
      text = try device.run(script, seconds: 5).output
    } catch let error as Diagnostic where DeviceFault.ofTheWay.contains(error.code) {
      // The phone may come back; a reading is missing meanwhile.
      trace.lostCount += 1
      return
    }
    let end = Host.monotonicNanoseconds()
    greatestSpan = max(greatestSpan, end &- start)
    let time = Int64(clamping: start &+ (end &- start) / 2)
    switch source {
    case .rails:
      let rails = PhoneRails(text)
      let values = channels.dropFirst().map { channel in
        rails.joules.first { $0.name == channel.name }?.joules ?? .nan
      }
      trace.append(time, [values.reduce(0, +)] + values)
    case .battery:
      guard let gauge = PhoneGauge(text), !gauge.isFed else {
        trace.append(time, [.nan])
        return
      }
      trace.append(time, [gauge.watts])
    }
  }

  func finish(_ trace: inout PowerTrace) {
    // Rectangular over half of the longest round trip.
    trace.timeUncertaintyNanoseconds = Double(greatestSpan) / 2 / 3.0.squareRoot()
  }
}

/// Counters of rails as `energy_value` shows them: `CH0(T=349912)[S10M_VDD_TPU], 5578821`.
struct PhoneRails: Equatable {
  struct Rail: Equatable {
    var name: String
    var joules: Double
  }

  /// The rails in order; several of a name are told apart.
  private(set) var joules: [Rail] = []

  init(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      guard line.hasPrefix("CH"), let open = line.firstIndex(of: "["),
        let close = line[open...].firstRange(of: "], "),
        let microjoules = UInt64(line[close.upperBound...].filter { !$0.isWhitespace }),
        microjoules < 1 << 60
      else { continue }
      let name = String(line[line.index(after: open)..<close.lowerBound].prefix(60))
      let count = joules.filter { $0.name == name || $0.name.hasPrefix(name + " ") }.count
      joules.append(
        Rail(name: count == 0 ? name : "\(name) \(count + 1)", joules: Double(microjoules) * 1e-6)
      )
    }
  }
}

/// A fuel gauge: current, voltage and status, a line each.
struct PhoneGauge: Equatable {
  var watts: Double
  var status: String

  /// Whether current flows into the battery, or is kept from it.
  var isFed: Bool { status != "Discharging" }

  init?(_ text: String) {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace } }
    guard lines.count >= 2, let current = Int64(lines[0]), let voltage = Int64(lines[1]),
      abs(current) < 1 << 40, voltage > 0, voltage < 1 << 40
    else { return nil }
    // The interface says microamperes and microvolts; some phones tell thousandths all the same.
    let amperes = Double(abs(current)) * (abs(current) < 20_000 ? 1e-3 : 1e-6)
    let volts = Double(voltage) * (voltage < 20_000 ? 1e-3 : 1e-6)
    watts = amperes * volts
    status = lines.count > 2 ? lines[2] : "Unknown"
  }
}
