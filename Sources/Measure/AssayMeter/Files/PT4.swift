import AssayBase

/// Recordings of Monsoon's Power Tool (`.pt4`): a header, a status packet, samples from byte 1024.
public enum PT4 {
  /// Bytes before the first sample.
  static let headerCount = 1024
  private static let missingCurrent: Int16 = 0x7001
  private static let missingVoltage: UInt16 = 0xFFFF
  /// Where the header keeps the number of samples, the bytes of one, and which currents it holds.
  private static let places = (count: 136, size: 150, mask: 158)

  /// Whether bytes begin as such a file does.
  public static func sniff(_ bytes: ByteView) -> Bool {
    guard let size = try? bytes.load(UInt32.self, at: 0), bytes.count >= headerCount else {
      return false
    }
    return size == 144
  }

  /// Reads a recording: 5,000 samples a second of its own clock.
  ///
  /// - Throws: `Diagnostic` MTR063 when it is none.
  public static func read(_ bytes: ByteView, name: String) throws -> PowerTrace {
    guard sniff(bytes) else {
      throw Diagnostic(
        "MTR063",
        "this is no recording of Monsoon's Power Tool",
        at: [name],
        remedy: "save it as PT4, or export it as CSV"
      )
    }
    let mask = try bytes.load(UInt16.self, at: places.mask)
    let names = [(UInt16(0x1000), "main"), (0x2000, "usb"), (0x4000, "aux")]
    let captured = names.filter { mask & $0.0 != 0 }.map(\.1)
    let size = 2 * captured.count + 2
    guard try Int(bytes.load(UInt16.self, at: places.size)) == size, !captured.isEmpty else {
      throw Diagnostic("MTR063", "the recording's samples have another size", at: [name])
    }
    let accuracy = MeterAccuracy(
      gain: 0.01,
      offsetWatts: 2e-4,
      resolution: 1e-5,
      latencyNanoseconds: 200_000,
      isIntegrating: true,
      isSpecified: true,
      source: "Monsoon: 1 % or 50 µA, 5,000 means a second"
    )
    var channels: [MeterChannel] = []
    for (index, title) in captured.enumerated() {
      channels.append(
        MeterChannel(title, .power, .supply, isPrimary: index == 0, accuracy: accuracy)
      )
      channels.append(MeterChannel("\(title) current", .current, .supply, accuracy: accuracy))
    }
    channels.append(MeterChannel("voltage", .voltage, .supply, accuracy: accuracy))
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "file", name: "Monsoon Power Tool: \(name)"),
      channels: channels,
      clock: .own,
      period: 200_000
    )
    let told = Int(clamping: try bytes.load(Int64.self, at: places.count))
    let there = (bytes.count - headerCount) / size
    let count = told > 0 ? min(told, there) : there
    guard count >= 2 else {
      throw Diagnostic("MTR063", "the recording has fewer than two samples", at: [name])
    }
    for sample in 0..<count {
      let base = headerCount + sample * size
      let rawVoltage = try bytes.load(UInt16.self, at: base + size - 2)
      let volts =
        rawVoltage == missingVoltage ? Double.nan : Double(rawVoltage & ~3) * 125e-6
      var row: [Double] = []
      for index in captured.indices {
        let raw = try bytes.load(Int16.self, at: base + 2 * index)
        let amperes = amperes(raw)
        row.append(amperes * volts)
        row.append(amperes)
      }
      row.append(volts)
      if !volts.isFinite { trace.lostCount += 1 }
      trace.append(
        Int64(sample) * 200_000,
        row,
        marker: rawVoltage == missingVoltage ? 0 : UInt8(rawVoltage & 3)
      )
    }
    return trace
  }

  /// Amperes of a raw number: its lowest bit tells the coarse range.
  private static func amperes(_ raw: Int16) -> Double {
    if raw == missingCurrent { return .nan }
    return raw & 1 != 0 ? Double(raw & ~1) / 1000 * 0.25 : Double(raw) / 1e6
  }
}
