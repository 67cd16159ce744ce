import AssayHost

/// Looks again and again until something holds, and says whether it did.
///
/// The limit is generous, since tests run side by side on machines that others use too: it ends what would
/// never come, and gates no speed.
public func eventually(
  within seconds: UInt64 = 60,
  _ holds: () throws -> Bool
) rethrows -> Bool {
  let deadline = Host.monotonicNanoseconds() + seconds * 1_000_000_000
  while try !holds() {
    guard Host.monotonicNanoseconds() < deadline else { return false }
    Host.sleep(nanoseconds: 10_000_000)
  }
  return true
}
