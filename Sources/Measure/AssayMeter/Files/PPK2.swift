import AssayBase
import AssayCodec

/// Recordings of Nordic's Power Profiler (`.ppk2`): a ZIP with `session.raw` (microamperes as float32,
/// then 16 bits of digital inputs) and `metadata.json`.
public enum PPK2 {
  /// Bytes of one sample.
  private static let size = 6
  /// What of a file is unpacked at most.
  private static let limit = 1 << 28

  /// Reads a recording.
  ///
  /// - Parameter volts: what the profiler gave or saw; the file does not hold it.
  /// - Throws: `Diagnostic` MTR064 when it is none, MTR061 when no voltage is given.
  public static func read(_ bytes: ByteView, name: String, volts: Double?) throws -> PowerTrace {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic(
        "MTR064",
        "this is no recording of Nordic's Power Profiler: \(what)",
        at: [name],
        remedy: "save it as .ppk2 with nRF Connect 4 or later, or export it as CSV"
      )
    }
    let archive = try ZipArchive(bytes, limit: limit)
    guard let meta = archive.entry("metadata.json"), let raw = archive.entry("session.raw") else {
      throw fault("it has no metadata.json and session.raw")
    }
    let facts = try JSON(parsing: try archive.read(meta).array)
    guard let rate = facts["metadata"]?["samplesPerSecond"]?.double, (1...1e6).contains(rate) else {
      throw fault("its rate is not known")
    }
    guard let volts else {
      throw Diagnostic(
        "MTR061",
        "the recording has a current but no voltage",
        at: [name],
        remedy: "give the voltage: file:\(name);volts=3.7"
      )
    }
    let content = try archive.read(raw)
    let count = content.count / size
    guard count >= 2 else { throw fault("it has fewer than two samples") }
    let accuracy = MeterAccuracy(
      gain: 0.1,
      offsetWatts: 2e-7 * volts,
      resolution: 2e-7 * volts,
      latencyNanoseconds: UInt64(1e9 / rate),
      isIntegrating: true,
      source: "no figure over the whole range; 10 % is assumed"
    )
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "file", name: "Power Profiler: \(name)"),
      channels: [
        MeterChannel("main", .power, .supply, isPrimary: true, accuracy: accuracy),
        MeterChannel("main current", .current, .supply, accuracy: accuracy),
      ],
      clock: .own,
      period: UInt64(1e9 / rate)
    )
    for sample in 0..<count {
      let microamperes = Double(try content.load(Float.self, at: sample * size))
      let bits = try content.load(UInt16.self, at: sample * size + 4)
      let amperes = microamperes.isFinite ? microamperes / 1e6 : .nan
      // Each of eight inputs takes two bits, of which the upper one says that it was high.
      var marker: UInt8 = 0
      for input in 0..<8 where bits >> UInt16(2 * input) & 0b10 != 0 { marker |= 1 << UInt8(input) }
      trace.append(
        Int64((Double(sample) * 1e9 / rate).rounded()),
        [amperes * volts, amperes],
        marker: marker
      )
    }
    return trace
  }
}
