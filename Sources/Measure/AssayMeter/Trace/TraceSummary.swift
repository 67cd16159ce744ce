import AssayBase

/// What a trace says, channel by channel.
public struct TraceSummary: Sendable {
  /// One channel.
  public struct Row: Sendable, Equatable {
    /// The channel.
    public var channel: MeterChannel
    /// The mean: watts, amperes or volts.
    public var mean: Double
    /// The least and greatest; of a counter the least and greatest rise in a tenth of a second.
    public var range: ClosedRange<Double>?
    /// Joules from the first reading to the last.
    public var joules: Double?
  }

  /// The trace.
  public let trace: PowerTrace
  /// Its channels that have readings.
  public let rows: [Row]

  /// Sums up a trace.
  public init(_ trace: PowerTrace) {
    self.trace = trace
    rows = trace.channels.indices.compactMap { index in
      let channel = trace.channels[index]
      let finite = trace.values[index].filter(\.isFinite)
      guard let low = finite.min(), let high = finite.max() else { return nil }
      guard channel.tellsEnergy, let energy = CumulativeEnergy(trace, channel: index) else {
        return Row(
          channel: channel,
          mean: finite.reduce(0, +) / Double(finite.count),
          range: low...high,
          joules: nil
        )
      }
      let span = Double(energy.range.lowerBound)...Double(energy.range.upperBound)
      var range: ClosedRange<Double>? = low...high
      if channel.quantity == .energy {
        let parts = min(Int(trace.seconds * 10), 10_000)
        let step = parts > 0 ? (span.upperBound - span.lowerBound) / Double(parts) : 0
        let watts = (0..<parts).map { part in
          let from = span.lowerBound + Double(part) * step
          return energy.watts(from...from + step)
        }
        range = watts.min().flatMap { low in watts.max().map { low...max(low, $0) } }
      }
      return Row(
        channel: channel,
        mean: energy.watts(span),
        range: range,
        joules: energy.joules(span)
      )
    }
  }

  /// The summary as JSON.
  public var json: JSON {
    .object([
      "schema": "assay.power.trace/1",
      "meter": .object([
        "driver": .string(trace.identity.driver), "name": .string(trace.identity.name),
        "serial": JSON(trace.identity.serial), "version": JSON(trace.identity.version),
        "estimate": .bool(trace.identity.isEstimate),
      ]),
      "clock": .string(trace.clock.rawValue), "seconds": JSON(trace.seconds),
      "readings": JSON(trace.count), "readingsPerSecond": JSON(trace.rate),
      "lost": JSON(trace.lostCount),
      "channels": .array(
        rows.map { row in
          .object([
            "name": .string(row.channel.name), "covers": .string(row.channel.scope.rawValue),
            "quantity": .string(row.channel.quantity.rawValue),
            "primary": .bool(row.channel.isPrimary), "mean": JSON(row.mean),
            "min": row.range.map { JSON($0.lowerBound) } ?? .null,
            "max": row.range.map { JSON($0.upperBound) } ?? .null,
            "joules": row.joules.map { JSON($0) } ?? .null,
            "gainLimit": row.channel.accuracy.gain.map { JSON($0) } ?? .null,
            "accuracy": .string(row.channel.accuracy.source),
          ])
        }
      ),
      "notes": .array(trace.notes.map(\.json)),
    ])
  }
}
