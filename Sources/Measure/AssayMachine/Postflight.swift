import AssayBase

/// What changed for the worse while something was measured.
public struct Postflight: Sendable {
  /// The state before and after.
  public var before: Conditions
  public var after: Conditions
  /// How much time lies between, nanoseconds.
  public var elapsedNanoseconds: UInt64

  /// Compares two states.
  public init(before: Conditions, after: Conditions, elapsedNanoseconds: UInt64) {
    self.before = before
    self.after = after
    self.elapsedNanoseconds = elapsedNanoseconds
  }

  /// Part of the processors' time that the host gave to others; `nil` when it is not told, or the
  /// time was too short for its ticks of 10 ms.
  public var stealShare: Double? {
    guard let first = before.time, let last = after.time, last.count > 0,
      last.steal >= first.steal, elapsedNanoseconds > 200_000_000
    else { return nil }
    return Double(last.steal - first.steal) / Double(elapsedNanoseconds) / Double(last.count)
  }

  /// What went wrong; with `strict` as errors, which make a verdict INVALID.
  public func findings(_ policy: PreflightPolicy) -> [Diagnostic] {
    var findings: [Diagnostic] = []
    func find(_ code: String, _ text: String, _ remedy: String, isGrave: Bool = true) {
      let severity: Diagnostic.Severity = policy == .strict && isGrave ? .error : .warning
      findings.append(
        Diagnostic(code, text, at: ["postflight"], remedy: remedy, severity: severity)
      )
    }
    heat(find)
    if let steal = stealShare, steal > 0.01 {
      find(
        "PRE202",
        "the host gave \(Words.percent(steal)) of this virtual machine's time to others meanwhile",
        "measure when the host is quieter, or on a machine of your own",
        isGrave: steal > 0.05
      )
    }
    let governors = (before.processors.map(\.governor), after.processors.map(\.governor))
    let limits = (
      before.processors.map(\.maximumFrequency), after.processors.map(\.maximumFrequency)
    )
    if governors.0 != governors.1 || limits.0 != limits.1 || before.boost != after.boost {
      find(
        "PRE203",
        "somebody changed the governor, the frequency limits or boost meanwhile",
        "keep power managers (tuned, power-profiles-daemon) from it, and measure again"
      )
    }
    if let first = before.group.throttledNanoseconds, let last = after.group.throttledNanoseconds,
      last > first
    {
      find(
        "PRE204",
        "a control group kept processes from running for \(Words.time(Double(last &- first))) meanwhile",
        "give the container or unit more time (docker --cpus, systemd CPUQuota=), or fewer threads"
      )
    }
    let swapped = (after.swappedIn ?? 0) &- (before.swappedIn ?? after.swappedIn ?? 0)
    let put = (after.swappedOut ?? 0) &- (before.swappedOut ?? after.swappedOut ?? 0)
    if swapped > 0 || put > 0 {
      find(
        "PRE205",
        "the system swapped \(put) pages out and \(swapped) in meanwhile",
        "free memory, or measure fewer variants at once"
      )
    }
    if before.clockSource != after.clockSource {
      find(
        "PRE206",
        "the kernel changed its clock from \(before.clockSource ?? "?") to "
          + "\(after.clockSource ?? "?") meanwhile",
        "see the kernel's log; measure again"
      )
    }
    if before.supply.isOnMains == true, after.supply.isOnMains == false {
      find("PRE208", "the machine went from the mains to its battery", "connect it to the mains")
    }
    if before.allowed != after.allowed {
      find(
        "PRE209",
        "the processors that may be used changed from \(ProcessorList.text(before.allowed)) to "
          + ProcessorList.text(after.allowed),
        "somebody bound this process or switched processors off; measure again"
      )
    }
    return findings
  }

  private func heat(_ find: (String, String, String, Bool) -> Void) {
    let remedy = "let the machine cool between measurements, cool it better, or switch boost off"
    if let first = before.throttleCount, let last = after.throttleCount, last > first {
      find("PRE201", "the processors were slowed down by heat \(last &- first) times", remedy, true)
    } else if let flags = after.thermal.raspberryFlags,
      (flags >> 16) & 0b1111 & ~((before.thermal.raspberryFlags ?? 0) >> 16) != 0
        || after.thermal.isRaspberryThrottled
    {
      find("PRE201", "the board was slowed down by heat or low voltage meanwhile", remedy, true)
    } else if before.thermal.cooling.isEmpty, !after.thermal.cooling.isEmpty {
      find("PRE201", "the processors were slowed down by heat at the end", remedy, true)
    }
  }
}
