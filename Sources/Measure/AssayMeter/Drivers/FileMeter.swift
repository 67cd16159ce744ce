import AssayBase
import AssayHost

/// A file that another program writes while the measurement runs: our CSV, whose times are of this
/// machine, read when the measurement is over.
///
/// Recordings with a clock of their own are read the same way, and joined by markers.
public struct FileMeter: PowerMeter {
  public let id = "file"
  public let summary = "a recording made by another program meanwhile: CSV, PT4, PPK2"

  /// A driver.
  public init() {}

  public func probe() -> Availability { .available(version: "file:trace.csv;volts=3.7") }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    guard let path = options.values["argument"], !path.isEmpty else {
      throw Diagnostic("MTR002", "no file is given", remedy: "--meter file:trace.csv")
    }
    return Reader(path, options)
  }

  private final class Reader: MeterReader {
    let identity: MeterIdentity
    let channels: [MeterChannel] = []
    let period: UInt64 = 0
    let isPolled = false
    let clock = PowerTrace.Clock.own
    private let path: String
    private let options: MeterOptions

    init(_ path: String, _ options: MeterOptions) {
      self.path = path
      self.options = options
      identity = MeterIdentity(driver: "file", name: path)
    }

    func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
      let now = Host.monotonicNanoseconds()
      if now < deadline { Host.sleep(nanoseconds: deadline - now) }
    }

    func finish(_ trace: inout PowerTrace) {
      do {
        trace = try TraceFile.read(
          path: path,
          volts: options.values["volts"].flatMap { Double($0) },
          gain: options.values["gain"].flatMap(MeterSpec.fraction),
          offsetWatts: options.values["offset"].flatMap(MeterSpec.watts)
        )
      } catch {
        trace.notes.append(
          (error as? Diagnostic) ?? Diagnostic("MTR010", "the file cannot be read")
        )
      }
    }
  }
}
