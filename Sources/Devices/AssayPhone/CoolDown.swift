import AssayBase
import AssayDevice
import AssayHost

/// Waits until a phone is cool enough that one measurement does not heat the next.
public struct CoolDown: Sendable, Equatable {
  /// The battery's temperature to wait for, degrees Celsius.
  public var celsius: Double
  /// The longest wait, seconds.
  public var seconds: Double
  /// Seconds between looks.
  public var pause: Double

  /// Makes a rule.
  public init(celsius: Double = 32, seconds: Double = 600, pause: Double = 10) {
    self.celsius = celsius
    self.seconds = seconds
    self.pause = pause
  }

  /// Whether a state is cool enough; a phone that tells no temperature is.
  public func isMet(_ state: PhoneState) -> Bool {
    (state.throttling ?? 0) == 0 && (state.batteryCelsius.map { $0 <= celsius } ?? true)
  }

  /// Waits.
  ///
  /// - Parameter say: is told how it stands, at each look.
  /// - Returns: the last state, and a finding (PHN008) when the phone did not cool down in time.
  public func wait(
    _ device: any ShellDevice,
    say: (String) -> Void = { _ in }
  ) throws -> (state: PhoneState, finding: Diagnostic?) {
    let deadline = Host.monotonicNanoseconds() &+ UInt64(max(seconds, 0) * 1e9)
    while true {
      let state = try PhoneState(of: device)
      if isMet(state) { return (state, nil) }
      let now = Host.monotonicNanoseconds()
      let at = state.batteryCelsius.map { "\(Words.short($0)) °C" } ?? "throttling"
      guard now < deadline, !Host.isInterrupted else {
        return (
          state,
          Diagnostic(
            "PHN008",
            "the phone did not cool down to \(Words.short(celsius)) °C within \(Int(seconds)) s: \(at)",
            remedy: "out of its case, screen off, on a stone; or measure shorter",
            severity: .warning
          )
        )
      }
      say("cooling down: \(at), waiting for \(Words.short(celsius)) °C")
      Host.sleep(nanoseconds: min(UInt64(pause * 1e9), deadline - now))
    }
  }
}
