import AssayBase
import CProbe

/// Counters of this process: what the processor and the kernel counted between two moments.
///
/// They must be opened before a runtime starts its threads: a thread is counted when it was started
/// afterwards. They stand still until `start`.
public final class Counters {
  /// What is counted, in the order of tables.
  public enum Event: String, CaseIterable, Sendable {
    case cycles, instructions, cacheReferences, cacheMisses, branchMisses
    case taskClockNs, contextSwitches, migrations, pageFaults

    fileprivate var code: CProbeEvent {
      switch self {
      case .cycles: CProbeCycles
      case .instructions: CProbeInstructions
      case .cacheReferences: CProbeCacheReferences
      case .cacheMisses: CProbeCacheMisses
      case .branchMisses: CProbeBranchMisses
      case .taskClockNs: CProbeTaskClock
      case .contextSwitches: CProbeContextSwitches
      case .migrations: CProbeMigrations
      case .pageFaults: CProbePageFaults
      }
    }
  }

  private var open: [(event: Event, descriptor: Int32)] = []
  /// Why an event cannot be counted here.
  public private(set) var missing: [Event: String] = [:]

  /// Opens every counter that the system grants.
  public init() {
    for event in Event.allCases {
      var descriptor: Int32 = -1
      let status = unsafe cprobe_counter_open(event.code, &descriptor)
      if status == 0 {
        open.append((event, descriptor))
      } else {
        missing[event] = Counters.reason(status)
      }
    }
  }

  deinit { for counter in open { cprobe_counter_close(counter.descriptor) } }

  private static func reason(_ status: Int32) -> String {
    switch cprobe_counter_reason(status) {
    case CProbeNoCounter: "this processor, or the host of this virtual machine, has none"
    case CProbeNotAllowed:
      "the kernel does not allow it (sudo sysctl kernel.perf_event_paranoid=2)"
    case CProbeNotBuilt: "the kernel was built without them, or this system has none"
    default: "the system refused with error \(status)"
    }
  }

  /// Lets the counters count.
  public func start() {
    for counter in open { _ = cprobe_counter_switch(counter.descriptor, true) }
  }
  /// Lets the counters stand still.
  public func stop() {
    for counter in open { _ = cprobe_counter_switch(counter.descriptor, false) }
  }

  /// What was counted so far.
  ///
  /// Where there are more events than the processor has counters, they take turns and the value is
  /// scaled up to the whole time; an event that had no turn is left out.
  public func values() -> [Event: UInt64] {
    var values: [Event: UInt64] = [:]
    for counter in open {
      var (value, enabled, running): (UInt64, UInt64, UInt64) = (0, 0, 0)
      let status = unsafe cprobe_counter_read(counter.descriptor, &value, &enabled, &running)
      guard status == 0 else { continue }
      if enabled > 0, running == 0 { continue }
      values[counter.event] =
        running < enabled
        ? UInt64(Double(value) * Double(enabled) / Double(running)) : value
    }
    return values
  }
}
