import AssayBase
import AssayHost

/// Monsoon's power monitors HVPM and LVPM over USB: 5,000 observations a second of the main output.
///
/// `monsoon:volts=4.0` sets the output's voltage first; without that it stays as it is. Observations
/// have no time of their own but their number; the first of each packet's arrival fixes the clock.
public struct MonsoonMeter: PowerMeter {
  public let id = "monsoon"
  public let summary = "Monsoon power monitors HVPM and LVPM over USB (libusb)"
  /// Both generations have the same number on the bus.
  static let address = USBAddress(vendor: 0x2AB9, product: 0x0001)
  private let library: String?
  private let transport: (@Sendable () throws -> any USBTransport)?

  /// A driver.
  ///
  /// - Parameters:
  ///   - library: libusb's path; the system's own when `nil`.
  ///   - transport: another way to a device than libusb's.
  public init(library: String? = nil, transport: (@Sendable () throws -> any USBTransport)? = nil) {
    self.library = library
    self.transport = transport
  }

  public func probe() -> Availability {
    if transport != nil { return .available(version: "by another transport") }
    do {
      guard try USBLibrary(path: library).has(MonsoonMeter.address) else {
        return .unavailable(
          reason: "none is on the bus (2ab9:0001)",
          remedy: "plug it in and switch it on"
        )
      }
      return .available(version: "on the bus")
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: "see assay doctor")
    }
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    let device =
      try transport?() ?? (try USBLibrary(path: library).open(MonsoonMeter.address))
    return try MonsoonReader(device, options)
  }
}

/// The device's control protocol: four-byte values under numbered places.
struct MonsoonControl {
  let device: any USBTransport

  /// Places of values.
  enum Place: UInt16 {
    case coarseResistor = 0x11
    case fineResistor = 0x02
    case calibrateVoltage = 0x03
    case fineScale = 0x1A
    case coarseScale = 0x1B
    case fineZero = 0x25
    case coarseZero = 0x26
    case passthrough = 0x10
    case voltage = 0x41
    case serial = 0x42
    case runLimit = 0x44
    case model = 0x45
    case dacLow = 0x88
    case dacHigh = 0x89
    case firmware = 0xC0
    case status = 0xC4
  }

  func get(_ place: Place) throws -> UInt32 {
    let bytes = try device.receive(request: 0x01, value: 0, index: place.rawValue, length: 4)
    // Small values come in fewer bytes.
    return bytes.prefix(4).enumerated().reduce(0) {
      $0 | UInt32($1.element) << (8 * UInt32($1.offset))
    }
  }

  func set(_ place: Place, _ value: UInt32) throws {
    try device.send(
      request: 0x01,
      value: UInt16(truncatingIfNeeded: value),
      index: place.rawValue | UInt16(truncatingIfNeeded: value >> 16 & 0xFF) << 8,
      data: MonsoonControl.bytes(value)
    )
  }

  /// Starts sampling, with a calibration each `calibrationMilliseconds`.
  func start(calibrationMilliseconds: UInt16 = 1250) throws {
    try device.send(
      request: 0x02,
      value: calibrationMilliseconds,
      index: 0,
      data: MonsoonControl.bytes(0xFFFF_FFFF)
    )
  }

  func stop() throws { try device.send(request: 0x03, value: 0, index: 0, data: []) }

  private static func bytes(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
  }
}

/// An open monitor that samples.
final class MonsoonReader: MeterReader {
  let identity: MeterIdentity
  let channels: [MeterChannel]
  /// Five thousand a second.
  let period: UInt64 = 200_000
  let isPolled = false
  private let device: any USBTransport
  private let control: MonsoonControl
  private var scale: MonsoonScale
  private var rest: [UInt8] = []
  private var observationCount = 0
  private var lostCount = 0
  private var arrivals = ArrivalClock()
  /// The number of each row's observation.
  private var numbers: [Int] = []

  init(_ device: any USBTransport, _ options: MeterOptions) throws {
    self.device = device
    control = MonsoonControl(device: device)
    let code = try control.get(.model)
    guard let model = MonsoonScale.Model(rawValue: Int(code)) else {
      throw Diagnostic(
        "MTR034",
        "the monitor says that it is neither LVPM nor HVPM (\(code))",
        remedy: "update its firmware with Monsoon's own program"
      )
    }
    let firmware = try control.get(.firmware)
    if firmware >= 26, try control.get(.status) & 0x80 != 0 {
      throw Diagnostic(
        "MTR035",
        "the monitor is sampling for somebody else",
        remedy: "end the other program, or switch the monitor off and on"
      )
    }
    switch model {
    case .hvpm:
      scale = MonsoonScale(
        hvpm: try control.get(.coarseScale),
        try control.get(.fineScale),
        coarseOffset: Int16(truncatingIfNeeded: try control.get(.coarseZero)),
        fineOffset: Int16(truncatingIfNeeded: try control.get(.fineZero))
      )
    case .lvpm:
      scale = MonsoonScale(
        lvpm: Int8(truncatingIfNeeded: try control.get(.coarseResistor)),
        Int8(truncatingIfNeeded: try control.get(.fineResistor))
      )
    }
    identity = MeterIdentity(
      driver: "monsoon",
      name: model == .hvpm ? "Monsoon HVPM" : "Monsoon LVPM",
      serial: "\(try control.get(.serial))",
      version: "firmware \(firmware)"
    )
    let accuracy = MeterAccuracy(
      gain: 0.01,
      offsetWatts: 50e-6 * 4,
      resolution: model == .hvpm ? 3e-6 : 1.2e-5,
      latencyNanoseconds: 200_000,
      isIntegrating: true,
      isSpecified: true,
      source: "Monsoon: 1 % or 50 µA, 5,000 means a second"
    )
    channels = [
      MeterChannel("main", .power, .supply, isPrimary: true, accuracy: accuracy),
      MeterChannel("main current", .current, .supply, accuracy: accuracy),
      MeterChannel("main voltage", .voltage, .supply, accuracy: accuracy),
    ]
    if let text = options.values["usb"] {
      try control.set(.passthrough, text == "off" ? 0 : text == "on" ? 1 : 2)
    }
    if let amps = options.values["amps"].flatMap({ Double($0) }) {
      try control.set(.runLimit, MonsoonReader.limit(amps, model))
    }
    if let volts = options.values["volts"].flatMap({ Double($0) }) {
      try setVoltage(volts, model)
    }
    try control.start()
  }

  private func setVoltage(_ volts: Double, _ model: MonsoonScale.Model) throws {
    let range = model == .hvpm ? 0.8...13.5 : 2.01...4.55
    guard volts == 0 || range.contains(volts) else {
      throw Diagnostic(
        "MTR036",
        "the monitor cannot give \(volts) V",
        remedy: "\(range.lowerBound) to \(range.upperBound) V, or 0 to switch it off"
      )
    }
    // A monitor whose converter lost its calibration would give another voltage than asked for.
    if model == .hvpm, volts != 0 {
      let (low, high) = (try control.get(.dacLow), try control.get(.dacHigh))
      guard (0xD000...0xF000).contains(low), (0xC000...0xD000).contains(high) else {
        throw Diagnostic(
          "MTR037",
          "the monitor's voltage is not calibrated, so that its output could be wrong",
          remedy: "calibrate it with Monsoon's own program",
          cause: "low \(low), high \(high)"
        )
      }
    }
    try control.set(.voltage, UInt32((volts * 1_048_576).rounded()))
  }

  private static func limit(_ amps: Double, _ model: MonsoonScale.Model) -> UInt32 {
    switch model {
    case .hvpm:
      UInt32(min(max((65535 - 3840) * amps / 15.625 + 3840, 0), 65535))
    case .lvpm: UInt32(min(max(1023 * (1 - amps / 8), 0), 1023))
    }
  }

  func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
    let now = Host.monotonicNanoseconds()
    let wait = deadline > now ? Int((deadline - now) / 1_000_000) : 1
    let bytes = try device.read(endpoint: 0x81, limit: 64 * 16, milliseconds: wait)
    guard !bytes.isEmpty else { return }
    take(bytes, arrivedAt: Host.monotonicNanoseconds(), into: &trace)
  }

  /// Takes in packets that arrived together.
  func take(_ bytes: [UInt8], arrivedAt arrival: UInt64, into trace: inout PowerTrace) {
    rest += bytes
    let whole = rest.count / 64 * 64
    for start in stride(from: 0, to: whole, by: 64) {
      guard let packet = MonsoonPacket(rest[start..<start + 64]) else { continue }
      lostCount += packet.lostCount
      observationCount += packet.lostCount
      for observation in packet.observations {
        observationCount += 1
        guard let (amperes, volts) = scale.advance(observation) else { continue }
        numbers.append(observationCount)
        trace.append(
          Int64(clamping: arrival),
          [amperes * volts, amperes, volts]
        )
      }
    }
    rest.removeFirst(whole)
    // The last observation of what came together is the youngest.
    arrivals.add(number: observationCount, arrival: arrival)
  }

  func finish(_ trace: inout PowerTrace) {
    try? control.stop()
    trace.lostCount = lostCount
    guard let fit = arrivals.fit(nominalPeriod: Double(period)) else { return }
    let numbers = numbers
    trace = trace.retimed(.host) { row, time in
      numbers.indices.contains(row) ? fit.time(of: numbers[row]) : time
    }
    trace.timeUncertaintyNanoseconds = fit.uncertainty
    trace.notes.append(
      Diagnostic(
        "MTR015",
        "the meter's clock runs \(Int((fit.driftPPM).rounded())) ppm against this machine's",
        severity: .note
      )
    )
  }
}
