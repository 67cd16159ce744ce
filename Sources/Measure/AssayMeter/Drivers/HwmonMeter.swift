import AssayBase
import AssayHost

/// Power and energy sensors below `/sys/class/hwmon`: supplies, boards, graphics cards, INA2xx.
public struct HwmonMeter: PowerMeter {
  public let id = "hwmon"
  public let summary = "power and energy sensors of the kernel (hwmon: INA219/226/238, amdgpu, ...)"
  private let root: String

  /// A driver below another root than `/` for tests.
  public init(root: String = "/") { self.root = root }

  /// One figure of a sensor: a file, or a voltage and a current to multiply.
  struct Sensor: Equatable {
    var name: String
    var chip: String
    var quantity: MeterChannel.Quantity
    var paths: [String]
    /// What the product of the numbers is multiplied by.
    var factor: Double
  }

  private var folder: String { Host.join(root, "sys/class/hwmon") }

  /// The sensors of every chip, but for the rails of a Jetson, which have a driver of their own.
  func sensors() -> [Sensor] {
    entries(folder).flatMap { entry -> [Sensor] in
      let path = Host.join(folder, entry)
      let chip = line(path + "/name") ?? entry
      return chip == "ina3221" ? [] : HwmonMeter.sensors(of: path, chip: chip)
    }
  }

  /// The sensors of one chip's folder.
  static func sensors(of path: String, chip: String) -> [Sensor] {
    let names = Set(entries(path))
    func numbers(_ prefix: String, _ suffix: String) -> [Int] {
      names.compactMap { name in
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
        return Int(name.dropFirst(prefix.count).dropLast(suffix.count))
      }.sorted()
    }
    func title(_ kind: String, _ number: Int) -> String {
      line("\(path)/\(kind)\(number)_label") ?? "\(chip) \(kind)\(number)"
    }
    var sensors: [Sensor] = []
    for number in numbers("energy", "_input") {
      sensors.append(
        Sensor(
          name: title("energy", number),
          chip: chip,
          quantity: .energy,
          paths: ["\(path)/energy\(number)_input"],
          factor: 1e-6
        )
      )
    }
    // amdgpu has an average only on most cards, and an input on the others.
    var powered: Set<Int> = []
    for suffix in ["_input", "_average"] {
      for number in numbers("power", suffix) where powered.insert(number).inserted {
        sensors.append(
          Sensor(
            name: title("power", number),
            chip: chip,
            quantity: .power,
            paths: ["\(path)/power\(number)\(suffix)"],
            factor: 1e-6
          )
        )
      }
    }
    guard powered.isEmpty else { return sensors }
    for number in numbers("curr", "_input") where names.contains("in\(number)_input") {
      sensors.append(
        Sensor(
          name: title("in", number),
          chip: chip,
          quantity: .power,
          paths: ["\(path)/in\(number)_input", "\(path)/curr\(number)_input"],
          factor: 1e-6
        )
      )
    }
    return sensors
  }

  public func probe() -> Availability {
    let sensors = sensors()
    guard !sensors.isEmpty else {
      return .unavailable(
        reason: "no sensor below \(folder) tells power",
        remedy: "none is needed; boards with an INA2xx show one when its kernel module is loaded"
      )
    }
    if let locked = sensors.flatMap(\.paths).first(where: { !Host.isReadable($0) }) {
      return .unavailable(
        reason: "\(locked) may not be read by this user",
        remedy: "sudo chmod a+r \(locked)"
      )
    }
    return .available(version: sensors.map(\.name).joined(separator: ", "))
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    if case .unavailable(let reason, let remedy) = probe() {
      throw Diagnostic("MTR001", "hwmon cannot be used: \(reason)", remedy: remedy)
    }
    let sensors = sensors()
    let channels = sensors.enumerated().map { index, sensor in
      MeterChannel(
        sensor.name,
        sensor.quantity,
        sensor.chip == "amdgpu" ? .gpu : .board,
        isPrimary: index == 0,
        accuracy: HwmonMeter.accuracy(sensor)
      )
    }
    return try SysfsReader(
      identity: MeterIdentity(
        driver: id,
        name: Set(sensors.map(\.chip)).sorted().joined(separator: ", ")
      ),
      channels: channels,
      period: period(rate: options.rate, standard: 50),
      paths: sensors.flatMap(\.paths),
      row: HwmonMeter.row(sensors)
    )
  }

  /// Makes rows of the sensors' files.
  static func row(_ sensors: [Sensor]) -> ([Int64]) -> [Double] {
    { numbers in
      var next = 0
      return sensors.map { sensor in
        let product = sensor.paths.indices.reduce(1.0) { $0 * Double(numbers[next + $1]) }
        next += sensor.paths.count
        return product * sensor.factor
      }
    }
  }

  /// What is known of a chip's accuracy.
  static func accuracy(_ sensor: Sensor) -> MeterAccuracy {
    let isCounter = sensor.quantity == .energy
    switch sensor.chip {
    case "ina226", "ina230", "ina231":
      return MeterAccuracy(
        gain: 0.011,
        resolution: isCounter ? 1e-6 : 0.025,
        latencyNanoseconds: 2_200_000,
        isIntegrating: true,
        source: "INA226: 0.1 % gain of the chip, 1 % shunt"
      )
    case "ina219", "ina220":
      return MeterAccuracy(
        gain: 0.015,
        resolution: isCounter ? 1e-6 : 0.02,
        latencyNanoseconds: 1_000_000,
        source: "INA219: 0.5 % gain of the chip, 1 % shunt"
      )
    case "ina237", "ina238":
      return MeterAccuracy(
        gain: 0.012,
        resolution: isCounter ? 1e-6 : 0.005,
        latencyNanoseconds: 1_100_000,
        isIntegrating: true,
        source: "INA238: 0.1 % gain of the chip, 1 % shunt"
      )
    default:
      return MeterAccuracy(
        gain: 0.05,
        resolution: isCounter ? 1e-6 : 1e-6,
        latencyNanoseconds: sensor.chip == "amdgpu" ? 100_000_000 : 10_000_000,
        isIntegrating: isCounter,
        source: "no maker's figure for \(sensor.chip); 5 % is assumed"
      )
    }
  }
}
