import AssayBase
import AssayMeter
import AssayRecord

extension Record {
  /// When a record's inferences ran, and how many there were.
  ///
  /// A load without pause is one window; its record keeps only some of the latencies.
  public var energyWork: (windows: [ClosedRange<Int64>], count: Int) {
    let perQuery = scenario?.inferencesPerQuery ?? 1
    if let sustained, let first = windows.first?.begin, let last = windows.last?.end, last > first {
      let inputs = sustained.windows.reduce(0) { $0 + $1.count }
      return ([first...last], inputs / max(scenario?.samplesPerQuery ?? 1, 1) * perQuery)
    }
    return (windows.map { $0.begin...max($0.begin, $0.end) }, samples.count * perQuery)
  }

  /// The energy of the record's inferences by a recording that was made meanwhile.
  ///
  /// - Parameters:
  ///   - trace: the recording; of this machine's clock, or joined by `map` or the record's markers.
  ///   - map: how the recording's clock maps to the record's; `nil` to find it by the markers.
  /// - Returns: the energy, whose figures are missing where they cannot be told, and findings.
  public func energy(
    by trace: PowerTrace,
    map: ClockMap? = nil
  ) -> (energy: Energy, findings: [Diagnostic]) {
    let markers = (powerMarks?.markers ?? []).map { marker in
      PlayedMarker(
        begin: marker.whole.begin,
        end: marker.whole.end,
        busy: marker.busy.map { $0.begin..<max($0.begin, $0.end) }
      )
    }
    let join = map == nil ? joinedClocks(trace, markers) : (map, [])
    let (windows, count) = energyWork
    let account = EnergyAccount(
      trace: trace,
      map: join.0,
      windows: windows,
      idle: (powerMarks?.rests ?? []).map { $0.begin...max($0.begin, $0.end) },
      inferenceCount: count
    )
    let (energy, findings) = account.energy()
    return (energy, join.1 + findings)
  }
}

/// Joins a trace's clock by markers, where some were played.
func joinedClocks(
  _ trace: PowerTrace,
  _ markers: [PlayedMarker]
) -> (map: ClockMap?, findings: [Diagnostic]) {
  guard !markers.isEmpty, let primary = trace.primary,
    let energy = CumulativeEnergy(trace, channel: primary)
  else { return (nil, []) }
  let search = MarkerSearch(energy)
  let lags = trace.clock == .host ? -2e9...2e9 : -1e19...1e19
  var found: [FoundMarker] = []
  var findings: [Diagnostic] = []
  for marker in markers {
    do {
      found.append(try search.find(marker, lags: lags))
    } catch {
      var finding = (error as? Diagnostic) ?? Diagnostic("MTR040", "\(error)")
      finding.severity = .warning
      findings.append(finding)
    }
  }
  return (found.isEmpty ? nil : ClockMap.markers(found), findings)
}
