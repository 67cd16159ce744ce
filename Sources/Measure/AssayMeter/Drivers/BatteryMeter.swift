import AssayBase
import AssayHost

/// The fuel gauge of a battery, below `/sys/class/power_supply`.
///
/// Slow and of the whole machine; it tells what the battery gives, so the machine must run on it.
public struct BatteryMeter: PowerMeter {
  public let id = "battery"
  public let summary = "the battery's fuel gauge, while the machine runs on it"
  private let root: String

  /// A driver below another root than `/` for tests.
  public init(root: String = "/") { self.root = root }

  /// One gauge.
  struct Gauge: Equatable {
    var name: String
    var model: String
    /// Microwatts, or microvolts and microamperes.
    var paths: [String]
    var factor: Double
    var status: String
  }

  private var folder: String { Host.join(root, "sys/class/power_supply") }

  /// The gauges that tell power.
  func gauges() -> [Gauge] {
    entries(folder).compactMap { name in
      let path = Host.join(folder, name)
      // Some phones do not say what they are; a mouse's battery is of the scope Device.
      guard line(path + "/type") ?? "Battery" == "Battery", line(path + "/scope") != "Device"
      else { return nil }
      let model = line(path + "/model_name") ?? name
      let status = line(path + "/status") ?? "Unknown"
      if let power = line(path + "/power_now"), Int64(power) != nil {
        return Gauge(
          name: name,
          model: model,
          paths: [path + "/power_now"],
          factor: 1e-6,
          status: status
        )
      }
      guard let current = line(path + "/current_now").flatMap({ Int64($0) }),
        line(path + "/voltage_now").flatMap({ Int64($0) }) != nil
      else { return nil }
      // The interface says microamperes; some phones tell milliamperes all the same. No machine that
      // runs is content with less than 20 mA, and none that is measured draws 20 A.
      let isMilli = abs(current) > 0 && abs(current) < 20_000
      return Gauge(
        name: name,
        model: model,
        paths: [path + "/voltage_now", path + "/current_now"],
        factor: isMilli ? 1e-9 : 1e-12,
        status: status
      )
    }
  }

  public func probe() -> Availability {
    let gauges = gauges()
    guard let gauge = gauges.first else {
      return .unavailable(
        reason: "no battery below \(folder) tells power",
        remedy: "none is needed: this machine has no battery, or its driver shows none"
      )
    }
    guard gauge.status == "Discharging" else {
      return .unavailable(
        reason: "\(gauge.name) is not in use: \(gauge.status.lowercased())",
        remedy: "unplug the charger, so that the machine runs on the battery"
      )
    }
    return .available(version: gauges.map(\.model).joined(separator: ", "))
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    if case .unavailable(let reason, let remedy) = probe() {
      throw Diagnostic("MTR001", "battery cannot be used: \(reason)", remedy: remedy)
    }
    let gauges = gauges().filter { $0.status == "Discharging" }
    let channels = gauges.enumerated().map { index, gauge in
      MeterChannel(
        gauge.name,
        .power,
        .battery,
        isPrimary: index == 0,
        accuracy: MeterAccuracy(
          gain: 0.05,
          resolution: 0.01,
          latencyNanoseconds: 1_000_000_000,
          isIntegrating: true,
          source: "no maker's figure; 5 % and a new number each second are assumed"
        )
      )
    }
    return try SysfsReader(
      identity: MeterIdentity(
        driver: id,
        name: gauges.map(\.model).joined(separator: ", "),
        serial: line(Host.join(folder, "\(gauges[0].name)/serial_number"))
      ),
      channels: channels,
      period: period(rate: options.rate, standard: 1),
      paths: gauges.flatMap(\.paths)
    ) { numbers in
      var next = 0
      return gauges.map { gauge in
        let product = gauge.paths.indices.reduce(1.0) { $0 * Double(numbers[next + $1]) }
        next += gauge.paths.count
        // Signs differ from maker to maker; a battery in use gives.
        return abs(product * gauge.factor)
      }
    }
  }
}
