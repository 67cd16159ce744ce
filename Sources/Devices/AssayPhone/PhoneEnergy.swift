import AssayBase
import AssayDevice
import AssayHost
import AssayMeter
import AssayRecord
import VendorPhone

/// Meters that look on while a tool measures on a phone: the phone's own, or external ones that are
/// started with the run.
public final class PhoneEnergy {
  /// Meters with what is asked of them.
  public struct Source: Sendable {
    /// The meters.
    public var meters: [(meter: any PowerMeter, options: MeterOptions)]
    /// Seconds of rest before and after, at least.
    public var restSeconds: Double

    /// Makes a source.
    public init(
      meters: [(meter: any PowerMeter, options: MeterOptions)],
      restSeconds: Double = 5
    ) {
      self.meters = meters
      self.restSeconds = restSeconds
    }
  }

  /// What the meters told, with the rests and the phone's clock.
  struct Readings {
    var traces: [PowerTrace]
    var rests: [ClosedRange<Int64>]
    /// This machine's time less the phone's uptime, nanoseconds; `nil` when it was not told.
    var offset: Int64?
    /// Half of the round trip in which it was asked, nanoseconds.
    var offsetUncertainty: Int64
  }

  private let device: any ShellDevice
  private let source: Source
  private var samplers: [MeterSampler] = []
  private var rests: [ClosedRange<Int64>] = []

  init(_ device: any ShellDevice, _ source: Source) throws {
    self.device = device
    self.source = source
  }

  /// Starts the meters, and lets the phone rest for its idle power.
  func begin(_ progress: (String) -> Void) throws {
    samplers = try source.meters.map { try MeterSampler($0.meter, $0.options) }
    progress("idle power before")
    rest()
  }

  private func rest() {
    let slowest =
      samplers.map { sampler in
        max(sampler.period, sampler.channels.map(\.accuracy.latencyNanoseconds).max() ?? 0)
      }.max() ?? 0
    let begin = Int64(clamping: Host.monotonicNanoseconds())
    Host.sleep(nanoseconds: max(UInt64(max(source.restSeconds, 0) * 1e9), slowest * 5))
    rests.append(begin...Int64(clamping: Host.monotonicNanoseconds()))
  }

  /// Lets the phone rest again, and stops the meters.
  func finish() throws -> Readings {
    rest()
    var offset: Int64?
    var uncertainty: Int64 = .max
    // The shortest of a few round trips tells the phone's clock best.
    for _ in 0..<5 {
      let start = Host.monotonicNanoseconds()
      guard let text = try? device.run("cat /proc/uptime", seconds: 5).output,
        let word = text.split(separator: " ").first, let uptime = Double(String(word)),
        uptime >= 0, uptime < 1e9
      else { continue }
      let span = Int64(clamping: Host.monotonicNanoseconds() &- start)
      guard span / 2 < uncertainty else { continue }
      uncertainty = span / 2
      offset = Int64(clamping: start) + span / 2 - Int64(uptime * 1e9)
    }
    let traces = try samplers.map { try $0.stop() }
    samplers = []
    return Readings(
      traces: traces,
      rests: rests,
      offset: offset,
      offsetUncertainty: uncertainty
    )
  }
}

extension PhoneEnergy.Readings {
  /// The joules of the measured runs, or why they cannot be told.
  ///
  /// The tool does not tell when its runs began: they are the last that it does, so that their number
  /// and mean reach back from its end.
  func energy(
    of run: BenchmarkModelRun,
    processEnd uptime: Double?
  ) -> (energy: [Record.Energy], findings: [Diagnostic]) {
    func missing(_ reason: String) -> (energy: [Record.Energy], findings: [Diagnostic]) {
      (
        [],
        [Diagnostic("PHN020", "no energy can be told: \(reason)", severity: .warning)]
      )
    }
    guard let count = run.measured?.count, count > 0, let mean = run.timings?.inference,
      let each = mean.nanoseconds(unit: 1000), each > 0
    else { return missing("the tool tells no measured runs") }
    guard let uptime, let offset else { return missing("the phone does not tell its uptime") }
    guard run.profile.tables.isEmpty else {
      return missing("profiling takes power of its own: measure energy without it")
    }
    let length = Int64(clamping: each.multipliedReportingOverflow(by: Int64(count)).partialValue)
    guard length > 0, length < 1 << 50 else { return missing("the tool's figures are odd") }
    let end = Int64(uptime * 1e9) &+ offset
    let window = (end - length)...end
    var all: [Record.Energy] = []
    var findings: [Diagnostic] = []
    for trace in traces {
      let account = EnergyAccount(
        trace: trace,
        windows: [window],
        idle: rests,
        inferenceCount: count
      )
      let told = account.energy()
      all.append(told.energy)
      findings += told.findings
    }
    findings.append(
      Diagnostic(
        "PHN021",
        "the window of the measured runs is reckoned back from the tool's end, known to within "
          + Words.time(Double(offsetUncertainty) + 1e7),
        severity: .note
      )
    )
    return (all, findings)
  }
}
