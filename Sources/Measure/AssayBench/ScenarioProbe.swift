import AssayBase
import AssayHost
import AssayRecord

extension Record.Scenario.Kind {
  /// Whether queries can be issued in this way here, and how.
  public func probe() -> Availability {
    let processors = Host.allowedProcessors().count
    let streams = "\(processors) processor\(processors == 1 ? "" : "s") for --streams"
    let percentile = Record.Scenario(self).percentile
    switch self {
    case .singleStream:
      return .available(version: "one inference after the other, \(percentile)")
    case .multiStream:
      return .available(version: "8 inputs a query, \(percentile)")
    case .offline:
      return .available(version: "as fast as all sessions can, \(streams)")
    case .server:
      // A stream that waits on the clock takes a processor from those that work.
      guard processors > 1 else {
        return .unavailable(
          reason: "waiting for arrivals and working share the one processor of this process",
          remedy: "allow it a second processor (taskset -c, cpuset); figures are too high meanwhile"
        )
      }
      return .available(version: "Poisson arrivals by --rate, \(percentile), \(streams)")
    }
  }
}
