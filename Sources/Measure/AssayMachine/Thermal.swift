import AssayBase

/// Temperatures, and what was slowed down because of them.
public struct Thermal: Sendable, Equatable {
  /// One place where a temperature is measured, in thousandths of a degree Celsius.
  public struct Zone: Sendable, Equatable {
    /// What is measured, in the kernel's words.
    public var name: String
    /// The temperature.
    public var temperature: Int
    /// The temperature above which the system slows down.
    public var limit: Int?
  }

  /// Places with a temperature.
  public var zones: [Zone] = []
  /// Names of what cools by slowing processors down and does so now.
  public var cooling: [String] = []
  /// The Raspberry Pi's own word: bits 0-3 now, 16-19 since its start.
  public var raspberryFlags: Int?

  /// Reads them.
  public init(_ files: SystemFiles) {
    let folder = "/sys/class/thermal"
    for name in files.list(folder) {
      let path = "\(folder)/\(name)"
      if name.hasPrefix("thermal_zone"), let temperature = files.int(path + "/temp") {
        zones.append(
          Zone(
            name: files.line(path + "/type") ?? name,
            temperature: temperature,
            limit: Thermal.passiveLimit(path, files)
          )
        )
      }
      if name.hasPrefix("cooling_device"), let type = files.line(path + "/type"),
        Thermal.slowsProcessors(type), let state = files.int(path + "/cur_state"), state > 0
      {
        cooling.append(type)
      }
    }
    for name in files.list("/sys/class/hwmon") {
      let path = "/sys/class/hwmon/\(name)"
      guard let chip = files.line(path + "/name"),
        ["coretemp", "k10temp", "zenpower"].contains(chip)
      else { continue }
      if let temperature = files.int(path + "/temp1_input") {
        zones.append(
          Zone(name: chip, temperature: temperature, limit: files.int(path + "/temp1_max"))
        )
      }
    }
    if let text = files.line("/sys/devices/platform/soc/soc:firmware/get_throttled") {
      raspberryFlags = Int(text.hasPrefix("0x") ? String(text.dropFirst(2)) : text, radix: 16)
    }
  }

  private static func slowsProcessors(_ type: String) -> Bool {
    let type = type.lowercased()
    return type.contains("processor") || type.contains("cpufreq") || type.contains("cpu-idle")
  }

  private static func passiveLimit(_ path: String, _ files: SystemFiles) -> Int? {
    for index in 0..<8 {
      guard let type = files.line("\(path)/trip_point_\(index)_type") else { break }
      if type == "passive" { return files.int("\(path)/trip_point_\(index)_temp") }
    }
    return nil
  }

  /// The hottest place.
  public var hottest: Zone? { zones.max { $0.temperature < $1.temperature } }
  /// The Raspberry Pi is slowed down now, by heat or for want of voltage.
  public var isRaspberryThrottled: Bool { (raspberryFlags ?? 0) & 0b1111 != 0 }
}

/// What a machine is fed from.
public struct Supply: Sendable, Equatable {
  /// Whether the mains are there; `nil` when the system does not tell.
  public var isOnMains: Bool?
  /// Charge of the battery in percent.
  public var batteryPercent: Int?
  /// Whether a battery is being emptied.
  public var isDischarging: Bool?

  /// Reads it.
  public init(_ files: SystemFiles) {
    let folder = "/sys/class/power_supply"
    for name in files.list(folder) {
      let path = "\(folder)/\(name)"
      let type = files.line(path + "/type") ?? ""
      // A mouse has a battery too, and says that it is its own.
      if files.line(path + "/scope") == "Device" { continue }
      if type == "Battery" {
        batteryPercent = files.int(path + "/capacity") ?? batteryPercent
        if let status = files.line(path + "/status") {
          isDischarging = (isDischarging ?? false) || status == "Discharging"
        }
      } else if type == "Mains" || type.hasPrefix("USB"), let online = files.int(path + "/online") {
        isOnMains = (isOnMains ?? false) || online != 0
      }
    }
  }
}
