import AssayBase
import AssayHost
import AssayMachine

extension Catalog {
  /// What of a measurement beside the clock can be had here.
  static func machineProbes() -> [Probe] {
    [pageCache(), memoryGroup(), counters(), state()]
  }

  private static func pageCache() -> Probe {
    let path = Host.executablePath ?? "/"
    if PageCache.state(of: path) != nil {
      return Probe(
        name: "page cache",
        availability: .available(version: "cold starts can be measured")
      )
    }
    return Probe(
      name: "page cache",
      availability: .unavailable(
        reason: "this system does not tell which pages of a file are in memory",
        remedy: "measure cold starts on Linux"
      )
    )
  }

  private static func memoryGroup() -> Probe {
    do {
      let group = try MemoryGroup("assay-probe-\(Host.processID)")
      group.remove()
      return Probe(
        name: "memory group",
        availability: .available(version: "peak of a worker's own")
      )
    } catch {
      return Probe(
        name: "memory group",
        availability: Availability(unavailableBecauseOf: error, remedy: "run as root")
      )
    }
  }

  private static func counters() -> Probe {
    let counters = Counters()
    let have = Counters.Event.allCases.filter { counters.missing[$0] == nil }.map(\.rawValue)
    if let reason = counters.missing[.cycles] {
      let rest = have.isEmpty ? "" : " (there are \(have.joined(separator: ", ")))"
      return Probe(
        name: "processor counters",
        availability: .unavailable(
          reason: reason + rest,
          remedy:
            "measure on real hardware, or let the host pass its counters on (-cpu host,pmu=on)"
        )
      )
    }
    return Probe(
      name: "processor counters",
      availability: .available(version: have.joined(separator: ", "))
    )
  }

  private static func state() -> Probe {
    let conditions = Conditions()
    let unknown = conditions.unknown
    return Probe(
      name: "machine's state",
      availability: unknown.count < 9
        ? .available(
          version: unknown.isEmpty
            ? "everything is told" : "not told here: " + unknown.joined(separator: ", ")
        )
        : .unavailable(reason: "this system tells nothing of it", remedy: "measure on Linux")
    )
  }
}
