import AssayBase
import AssayHost

/// The rails of NVIDIA's Jetson boards: INA3221 (and INA238) monitors, as JetPack 4 (iio) and JetPack 5
/// and later (hwmon) show them.
public struct JetsonMeter: PowerMeter {
  public let id = "jetson"
  public let summary = "rails of Jetson boards (INA3221 by sysfs)"
  private let root: String

  /// A driver below another root than `/` for tests.
  public init(root: String = "/") { self.root = root }

  /// One rail: a file of milliwatts, or millivolts and milliamperes.
  struct Rail: Equatable {
    var name: String
    var paths: [String]
    var factor: Double
    /// Volts across the rail as far as known, for the resolution.
    var volts: Double
  }

  /// Rails that stand for the whole board, the first that is there counts.
  static let totals = ["VIN", "POM_5V_IN", "VDD_IN"]

  /// The rails, in the order of the monitors' addresses.
  func rails() -> [Rail] {
    let drivers = Host.join(root, "sys/bus/i2c/drivers")
    return ["ina3221x", "ina3221", "ina238"].flatMap { driver -> [Rail] in
      let folder = Host.join(drivers, driver)
      return entries(folder).flatMap { address -> [Rail] in
        let path = Host.join(folder, address)
        return entries(path).filter { $0.hasPrefix("iio:device") }.flatMap {
          JetsonMeter.iioRails(Host.join(path, $0))
        }
          + entries(path + "/hwmon").flatMap {
            JetsonMeter.hwmonRails(Host.join(path, "hwmon/\($0)"), driver)
          }
      }
    }
  }

  private static func iioRails(_ path: String) -> [Rail] {
    (0..<3).compactMap { number in
      guard let name = line("\(path)/rail_name_\(number)"),
        Host.exists("\(path)/in_power\(number)_input")
      else { return nil }
      let volts = line("\(path)/in_voltage\(number)_input").flatMap { Double($0) } ?? 5000
      return Rail(
        name: name,
        paths: ["\(path)/in_power\(number)_input"],
        factor: 1e-3,
        volts: volts / 1000
      )
    }
  }

  private static func hwmonRails(_ path: String, _ driver: String) -> [Rail] {
    (1...3).compactMap { number in
      let label = line("\(path)/in\(number)_label") ?? (driver == "ina238" ? "VIN" : "")
      // A monitor's fourth voltage is the sum of its shunts; NC is not connected.
      guard !label.isEmpty, label != "NC", !label.hasPrefix("sum of"),
        Host.exists("\(path)/curr\(number)_input"), Host.exists("\(path)/in\(number)_input")
      else { return nil }
      let volts = line("\(path)/in\(number)_input").flatMap { Double($0) } ?? 5000
      return Rail(
        name: label,
        paths: ["\(path)/in\(number)_input", "\(path)/curr\(number)_input"],
        factor: 1e-6,
        volts: volts / 1000
      )
    }
  }

  public func probe() -> Availability {
    let rails = rails()
    guard !rails.isEmpty else {
      return .unavailable(
        reason: "no INA3221 below \(Host.join(root, "sys/bus/i2c/drivers"))",
        remedy: "none is needed: this is no Jetson, or its kernel is not NVIDIA's"
      )
    }
    if let locked = rails.flatMap(\.paths).first(where: { !Host.isReadable($0) }) {
      return .unavailable(
        reason: "\(locked) may not be read by this user",
        remedy: "sudo chmod a+r \(locked)"
      )
    }
    return .available(version: rails.map(\.name).joined(separator: ", "))
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    if case .unavailable(let reason, let remedy) = probe() {
      throw Diagnostic("MTR001", "jetson cannot be used: \(reason)", remedy: remedy)
    }
    let rails = rails()
    // 40 microvolts a step and 80 of offset at most, over Jetson's shunts of 5 milliohms.
    func accuracy(_ volts: Double) -> MeterAccuracy {
      MeterAccuracy(
        gain: 0.0125,
        offsetWatts: 0.016 * volts,
        resolution: 0.008 * volts,
        latencyNanoseconds: 10_000_000,
        isIntegrating: true,
        source: "INA3221: 0.25 % gain and 80 µV offset of the chip, 1 % shunt of 5 mΩ"
      )
    }
    let total = JetsonMeter.totals.lazy.compactMap { name in
      rails.firstIndex { $0.name == name }
    }.first
    var channels = rails.enumerated().map { index, rail in
      MeterChannel(
        rail.name,
        .power,
        index == total ? .board : .rail,
        isPrimary: index == total,
        accuracy: accuracy(rail.volts)
      )
    }
    if total == nil {
      var sum = accuracy(rails.reduce(0) { $0 + $1.volts })
      sum.source += "; the sum of the rails"
      channels.append(MeterChannel("all rails", .power, .board, isPrimary: true, accuracy: sum))
    }
    return try SysfsReader(
      identity: MeterIdentity(
        driver: id,
        name: line(Host.join(root, "proc/device-tree/model")) ?? "Jetson"
      ),
      channels: channels,
      period: period(rate: options.rate, standard: 50),
      paths: rails.flatMap(\.paths)
    ) { numbers in
      var next = 0
      var row: [Double] = rails.map { rail in
        let product = rail.paths.indices.reduce(1.0) { $0 * Double(numbers[next + $1]) }
        next += rail.paths.count
        return product * rail.factor
      }
      if total == nil { row.append(row.reduce(0, +)) }
      return row
    }
  }
}
