import AssayBase
import AssayHost
import AssayMachine
import AssayRecord

extension Record.Counters {
  /// Counts while `body` runs inferences.
  ///
  /// - Parameter body: does the work and returns how many inferences there were.
  static func count(_ counters: Counters, _ body: () throws -> Int) rethrows -> Record.Counters {
    let faults = ProcessMemory().minorFaults
    let before = counters.values()
    let busy = Host.ownBusyNanoseconds()
    let begin = Host.monotonicNanoseconds()
    counters.start()
    let runs = try body()
    counters.stop()
    let end = Host.monotonicNanoseconds()
    let spent = Host.ownBusyNanoseconds() &- busy
    let values = counters.values()
    var result = Record.Counters(
      runs: runs,
      wall: Int64(clamping: end &- begin),
      processor: Int64(clamping: spent)
    )
    if let faults, let now = ProcessMemory().minorFaults {
      result.minorFaults = .value(now &- faults)
    }
    for event in Counters.Event.allCases {
      if let value = values[event] {
        let earlier = before[event] ?? 0
        result.events[event.rawValue] = .value(Int(clamping: value &- min(earlier, value)))
      } else {
        let reason = counters.missing[event] ?? "the processor had no free counter"
        result.events[event.rawValue] = .missing(reason: reason)
      }
    }
    return result
  }
}
