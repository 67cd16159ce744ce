import AssayBase
import AssayHost
import AssayStore
import Synchronization

/// The right to use devices and meters alone for the time of one job, kept in the ledger that all who
/// work from one store share.
///
/// Each device and each meter is a trial of a sweep that never ends: claimed while somebody uses it, given
/// back afterwards. A holder that ended without giving back is found by its process, or by its lease's end.
public final class DeviceLease: Sendable {
  /// The sweep of the ledger in which devices and meters stand.
  public static let sweep = leaseSweep

  /// How long a holder may be silent, nanoseconds: longer than any step of a measurement.
  static let span: Int64 = 900_000_000_000

  private let store: any TrialLedger
  private let state: Mutex<State>

  private struct State {
    var claims: [LedgerClaim]
    var renewed: UInt64
  }

  /// The names of what is used, as the ledger has them.
  public let names: [String]

  private init(_ store: any TrialLedger, _ claims: [LedgerClaim]) {
    self.store = store
    names = claims.map(\.trial.key)
    state = Mutex(State(claims: claims, renewed: Host.monotonicNanoseconds()))
  }

  deinit { release() }

  /// Takes all of them, or waits until it can.
  ///
  /// - Parameters:
  ///   - names: such as `device ssh:pi` and `meter monsoon`; taken in one order by everybody, so that no
  ///     two wait for one another.
  ///   - seconds: how long to wait for others.
  ///   - waits: told once in a while who is waited for.
  /// - Throws: `Diagnostic` DEV030 when somebody else keeps one for longer.
  public static func take(
    _ names: [String],
    in store: any TrialLedger,
    seconds: Double = 600,
    holder: String = Host.ProcessIdentity.current.text,
    isGone: (String) -> Bool = { Host.ProcessIdentity(text: $0)?.isGone ?? false },
    sleep: (Double) -> Void = { Host.sleep(nanoseconds: UInt64(max($0, 0) * 1e9)) },
    waits: (String) -> Void = { _ in }
  ) throws -> DeviceLease {
    let wanted = Set(names).sorted()
    try store.enroll(
      LedgerSweep(id: sweep, name: "leases of devices and meters", plan: .emptyObject),
      wanted.map { LedgerTrial(key: $0, device: $0, title: $0, specification: .emptyObject) }
    )
    var claims: [LedgerClaim] = []
    do {
      var waited = 0.0
      for name in wanted {
        while true {
          let claim = try store.claim(
            sweep: sweep,
            devices: [name],
            holder: holder,
            lease: span,
            isGone: isGone
          )
          if let claim {
            claims.append(claim)
            break
          }
          let other = try self.holder(of: name, in: store)
          guard waited < seconds, !Host.isInterrupted else { throw taken(name, by: other, waited) }
          waits("\(name) is used by another job (\(other)): waiting")
          sleep(0.5)
          waited += 0.5
        }
      }
    } catch {
      for claim in claims { try? store.release(claim) }
      throw error
    }
    return DeviceLease(store, claims)
  }

  /// Lengthens the lease when half a minute has passed since; to be called between steps, never while
  /// anything is timed on this machine.
  ///
  /// - Returns: whether everything is still this job's.
  @discardableResult
  public func renew() -> Bool {
    state.withLock { state in
      guard Host.monotonicNanoseconds() &- state.renewed > 30_000_000_000 else { return true }
      state.renewed = Host.monotonicNanoseconds()
      return state.claims.allSatisfy {
        (try? store.renew($0, lease: DeviceLease.span)) ?? false
      }
    }
  }

  /// Gives everything back.
  public func release() {
    state.withLock { state in
      for claim in state.claims { try? store.release(claim) }
      state.claims = []
    }
  }

  /// Who took it last.
  private static func holder(of name: String, in store: any TrialLedger) throws -> String {
    try store.events(sweep: sweep, kinds: [.claimed]).last { $0.trial == name }?.holder ?? "unknown"
  }

  private static func taken(_ name: String, by other: String, _ waited: Double) -> Diagnostic {
    Diagnostic(
      "DEV030",
      "\(name) is used by another job",
      at: [name],
      remedy:
        "wait until that one ends; a job that is gone is noticed by itself, on another machine"
        + " after \(DeviceLease.span / 60_000_000_000) minutes",
      cause: "held by \(other); waited for \(Int(waited)) s"
    )
  }
}
