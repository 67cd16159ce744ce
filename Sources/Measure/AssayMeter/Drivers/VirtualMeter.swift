import AssayBase
import AssayHost

/// A model of a machine's power, for trying things out: idle power, and more for each busy processor.
///
/// No instrument: everything that is made of it is marked as estimated. `virtual:idle=3W;busy=8W` is
/// 3 W at rest and 8 W with one processor busy.
public struct VirtualMeter: PowerMeter {
  public let id = "virtual"
  public let summary = "no instrument: a model from the processors' busy time, marked as estimated"

  /// A driver.
  public init() {}

  public func probe() -> Availability {
    guard Host.busyNanoseconds() != nil else {
      return .unavailable(
        reason: "the system does not tell how busy its processors are",
        remedy: "use it on Linux"
      )
    }
    return .available(version: "virtual:idle=3W;busy=8W (never a measurement)")
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    if case .unavailable(let reason, let remedy) = probe() {
      throw Diagnostic("MTR001", "virtual cannot be used: \(reason)", remedy: remedy)
    }
    let idle = options.values["idle"].flatMap(MeterSpec.watts) ?? 3
    let busy = options.values["busy"].flatMap(MeterSpec.watts) ?? max(8, idle)
    guard busy >= idle else {
      throw Diagnostic(
        "MTR002",
        "virtual takes \(Words.short(busy)) W when busy, which is less than its \(Words.short(idle)) W at rest"
      )
    }
    return Reader(idle: idle, busy: busy, period(rate: options.rate, standard: 20))
  }

  private final class Reader: MeterReader {
    let identity: MeterIdentity
    let channels: [MeterChannel]
    let period: UInt64
    let isPolled = true
    private let idle: Double
    private let perProcessor: Double
    private let start = Host.monotonicNanoseconds()
    private let startBusy = Host.busyNanoseconds() ?? 0

    init(idle: Double, busy: Double, _ period: UInt64) {
      self.idle = idle
      perProcessor = busy - idle
      self.period = period
      identity = MeterIdentity(
        driver: "virtual",
        name: "\(Words.short(idle)) W idle, \(Words.short(busy)) W with a processor busy",
        isEstimate: true
      )
      channels = [
        MeterChannel(
          "model",
          .energy,
          .package,
          isPrimary: true,
          accuracy: MeterAccuracy(
            gain: nil,
            resolution: 0.01 * (busy - idle),
            latencyNanoseconds: 10_000_000,
            isIntegrating: true,
            source: "a model: it has no accuracy"
          )
        )
      ]
    }

    func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
      let now = Host.monotonicNanoseconds()
      guard let busy = Host.busyNanoseconds() else {
        throw Diagnostic("MTR010", "the system does not tell how busy its processors are")
      }
      let seconds = Double(now &- start) / 1e9
      let busySeconds = Double(max(busy, startBusy) - startBusy) / 1e9
      trace.append(Int64(clamping: now), [idle * seconds + perProcessor * busySeconds])
    }
  }
}
