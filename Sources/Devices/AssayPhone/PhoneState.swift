import AssayBase
import AssayDevice

/// What of a phone's state bears on a measurement, at a moment; what it does not tell is `nil`.
public struct PhoneState: Sendable, Equatable {
  /// A sensor or zone.
  public struct Temperature: Sendable, Equatable {
    /// Its name, such as `battery` or `cpu-0-0`.
    public var name: String
    /// Degrees Celsius.
    public var celsius: Double
  }

  /// Seconds since the phone's start, on its own clock.
  public var uptime: Double?
  /// Charge, percent.
  public var batteryLevel: Int?
  /// Whether it is fed by a charger, a computer or a coil.
  public var isPowered: Bool?
  /// `charging`, `discharging`, `full`, `not charging`.
  public var batteryStatus: String?
  /// Degrees Celsius of the battery.
  public var batteryCelsius: Double?
  /// Temperatures of the system's zones.
  public var zones: [Temperature] = []
  /// Android's word for how much it throttles: 0 none, 1 light, 2 moderate, 3 severe, 4 critical,
  /// 5 emergency, 6 shutdown.
  public var throttling: Int?
  /// The governor of each processor that tells one.
  public var governors: [String] = []
  /// The frequency now of each processor that tells one, kHz.
  public var frequencies: [Int] = []
  /// Whether the screen is on.
  public var isScreenOn: Bool?
  /// Whether radios are off.
  public var isAirplaneMode: Bool?
  /// Whether the system saves power.
  public var isPowerSaving: Bool?

  /// A state of which nothing is known.
  public init() {}

  /// The script by which a phone tells its state; it changes nothing there.
  public static let script = """
    export LC_ALL=C
    echo @uptime; cat /proc/uptime
    echo @battery; dumpsys battery 2>/dev/null
    echo @thermal; dumpsys thermalservice 2>/dev/null | head -n 80
    echo @zones
    for z in /sys/class/thermal/thermal_zone*; do
      t=$(cat $z/temp 2>/dev/null) && echo "$(cat $z/type 2>/dev/null) $t"
    done
    echo @governor
    cat /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor 2>/dev/null
    echo @frequency
    cat /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq 2>/dev/null
    echo @power; dumpsys power 2>/dev/null | grep -m 3 -E 'mWakefulness=|Display Power: state='
    echo @airplane; settings get global airplane_mode_on 2>/dev/null
    echo @saving; settings get global low_power 2>/dev/null
    exit 0
    """

  /// Asks a phone.
  public init(of device: any ShellDevice) throws {
    self.init(transcript: try device.run(PhoneState.script, seconds: 30).output)
  }

  /// Reads what the script printed; what is absent or odd is not known.
  public init(transcript: String) {
    var section = ""
    var isBatteryService = false
    for line in transcript.split(whereSeparator: \.isNewline) {
      if line.first == "@" {
        section = String(line.dropFirst())
        continue
      }
      let text = PhoneState.plain(line)
      switch section {
      case "uptime": uptime = text.split(separator: " ").first.flatMap { PhoneState.number($0) }
      case "battery":
        if text.hasPrefix("Current Battery Service state") { isBatteryService = true }
        if isBatteryService { readBattery(text) }
      case "thermal": readThermal(text)
      case "zones": readZone(text)
      case "governor": governors.append(String(text.prefix(40)))
      case "frequency":
        if let frequency = Int(text), (1...20_000_000).contains(frequency) {
          frequencies.append(frequency)
        }
      case "power":
        if text.contains("mWakefulness=") { isScreenOn = text.hasSuffix("=Awake") }
        if text.contains("Display Power: state=") { isScreenOn = text.hasSuffix("=ON") }
      case "airplane": isAirplaneMode = PhoneState.flag(text)
      case "saving": isPowerSaving = PhoneState.flag(text)
      default: break
      }
    }
  }

  private mutating func readBattery(_ text: Substring) {
    guard let colon = text.firstIndex(of: ":") else { return }
    let value = PhoneState.plain(text[text.index(after: colon)...])
    switch text[..<colon] {
    case "AC powered", "USB powered", "Wireless powered", "Dock powered":
      if value == "true" {
        isPowered = true
      } else if value == "false" {
        isPowered = isPowered ?? false
      }
    case "level": batteryLevel = Int(value).flatMap { (0...100).contains($0) ? $0 : nil }
    case "temperature":
      // Tenths of a degree.
      batteryCelsius = Int(value).flatMap { PhoneState.plausible(Double($0) / 10) }
    case "status":
      batteryStatus =
        ["2": "charging", "3": "discharging", "4": "not charging", "5": "full"][String(value)]
    default: break
    }
  }

  /// `Thermal Status: 0`; of the first list of temperatures nothing is taken, zones tell the same.
  private mutating func readThermal(_ text: Substring) {
    guard text.hasPrefix("Thermal Status:") else { return }
    let value = Int(PhoneState.plain(text.dropFirst("Thermal Status:".count)))
    throttling = value.flatMap { (0...6).contains($0) ? $0 : nil }
  }

  private mutating func readZone(_ text: Substring) {
    let words = text.split(separator: " ")
    guard words.count >= 2, let raw = Int(words[words.count - 1]) else { return }
    // Most zones tell thousandths of a degree, some degrees, and a few a value for 'off'.
    let celsius = abs(raw) >= 1000 ? Double(raw) / 1000 : Double(raw)
    guard let celsius = PhoneState.plausible(celsius) else { return }
    zones.append(
      Temperature(
        name: String(words.dropLast().joined(separator: " ").prefix(60)),
        celsius: celsius
      )
    )
  }

  private static func plausible(_ celsius: Double) -> Double? {
    (-30...150).contains(celsius) && celsius != 0 ? celsius : nil
  }

  private static func flag(_ text: Substring) -> Bool? {
    text == "1" ? true : text == "0" ? false : nil
  }

  private static func plain(_ text: Substring) -> Substring {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }

  private static func number(_ text: Substring) -> Double? {
    guard let value = Double(String(text)), value.isFinite, value >= 0 else { return nil }
    return value
  }

  /// The greatest temperature of a zone that is of processors; of any zone when none says so.
  public var hottest: Temperature? {
    let processors = zones.filter { zone in
      let name = zone.name.lowercased()
      return ["cpu", "big", "mid", "little", "tsens", "soc", "cluster"].contains {
        name.contains($0)
      }
    }
    return (processors.isEmpty ? zones : processors).max { $0.celsius < $1.celsius }
  }

  /// The state as a JSON object; what is not known is left out.
  public var json: JSON {
    var object = JSON.emptyObject
    object["uptimeSeconds"] = uptime.map { JSON($0) }
    object["batteryPercent"] = batteryLevel.map { JSON($0) }
    object["powered"] = isPowered.map { .bool($0) }
    object["batteryStatus"] = batteryStatus.map { .string($0) }
    object["batteryCelsius"] = batteryCelsius.map { JSON($0) }
    if let hottest {
      object["hottest"] = .object([
        "zone": .string(hottest.name), "celsius": JSON(hottest.celsius),
      ])
    }
    object["throttling"] = throttling.map { JSON($0) }
    if !governors.isEmpty {
      object["governors"] = .array(Set(governors).sorted().map { .string($0) })
    }
    if !frequencies.isEmpty { object["frequenciesKHz"] = .array(frequencies.map { JSON($0) }) }
    object["screenOn"] = isScreenOn.map { .bool($0) }
    object["airplaneMode"] = isAirplaneMode.map { .bool($0) }
    object["powerSaving"] = isPowerSaving.map { .bool($0) }
    return object
  }

  /// What of the state before a measurement, and of what became of it, disturbs the figures.
  ///
  /// PHN001 throttled (an error when it set in meanwhile), PHN002 hot, PHN003 low battery, PHN004 power
  /// saving, PHN005 screen on, PHN006 radios on, PHN007 warmed up meanwhile.
  public static func findings(before: PhoneState, after: PhoneState?) -> [Diagnostic] {
    var findings: [Diagnostic] = []
    func warn(_ code: String, _ summary: String, _ remedy: String, isNote: Bool = false) {
      findings.append(
        Diagnostic(code, summary, remedy: remedy, severity: isNote ? .note : .warning)
      )
    }
    let words = ["none", "light", "moderate", "severe", "critical", "emergency", "shutdown"]
    let (old, new) = (before.throttling ?? 0, after?.throttling ?? 0)
    if max(old, new) >= 2 {
      findings.append(
        Diagnostic(
          "PHN001",
          "the phone throttled (\(words[max(old, new)])): the figures are those of a slowed phone",
          remedy: "let it cool down: --cool-down, out of its case, on a stone"
        )
      )
    } else if max(old, new) == 1 {
      warn("PHN001", "the phone throttled lightly", "let it cool down: --cool-down")
    }
    if let celsius = before.batteryCelsius, celsius >= 38 {
      warn(
        "PHN002",
        "the battery is at \(Words.short(celsius)) °C",
        "let it cool down: --cool-down"
      )
    }
    if let level = before.batteryLevel, level < 20 {
      warn("PHN003", "the battery is at \(level) %", "charge it: many phones slow down below 20 %")
    }
    if before.isPowerSaving == true {
      warn("PHN004", "the phone saves power", "turn battery saver off")
    }
    if before.isScreenOn == true {
      warn("PHN005", "the screen is on", "turn it off: it draws power and heats", isNote: true)
    }
    if before.isAirplaneMode == false {
      warn("PHN006", "radios are on", "turn airplane mode on for steady figures", isNote: true)
    }
    if let from = before.batteryCelsius, let to = after?.batteryCelsius, to - from >= 3 {
      warn(
        "PHN007",
        "the battery warmed by \(Words.short(to - from)) °C meanwhile",
        "measure shorter, or cool down between runs",
        isNote: true
      )
    }
    return findings
  }
}
