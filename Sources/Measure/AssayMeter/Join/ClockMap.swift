import AssayBase

/// How a meter's clock maps to this machine's: an offset and a drift, each with its uncertainty.
public struct ClockMap: Sendable, Equatable {
  /// How it was found.
  public enum Method: String, Sendable {
    /// The meter's readings carry this machine's times.
    case host
    /// By a coded marker in the load.
    case marker
    /// As the user said.
    case given
  }

  /// How it was found.
  public var method: Method
  /// A time of the meter's clock, nanoseconds, about which the map turns.
  public var reference: Double
  /// This machine's time at the reference, less the reference, nanoseconds.
  public var offset: Double
  /// Nanoseconds that this machine's clock gains on the meter's in each of the meter's.
  public var drift: Double
  /// Standard uncertainty of the offset, nanoseconds.
  public var offsetUncertainty: Double
  /// Standard uncertainty of the drift.
  public var driftUncertainty: Double

  /// Makes a map.
  public init(
    method: Method,
    reference: Double = 0,
    offset: Double = 0,
    drift: Double = 0,
    offsetUncertainty: Double,
    driftUncertainty: Double = 0
  ) {
    self.method = method
    self.reference = reference
    self.offset = offset
    self.drift = drift
    self.offsetUncertainty = offsetUncertainty
    self.driftUncertainty = driftUncertainty
  }

  /// This machine's time at a time of the meter's.
  public func host(_ meter: Double) -> Double {
    meter + offset + drift * (meter - reference)
  }

  /// The meter's time at a time of this machine's.
  public func meter(_ host: Double) -> Double {
    reference + (host - offset - reference) / (1 + drift)
  }

  /// Standard uncertainty of a mapped time, nanoseconds.
  public func uncertainty(at meter: Double) -> Double {
    let far = driftUncertainty * (meter - reference)
    return (offsetUncertainty * offsetUncertainty + far * far).squareRoot()
  }

  /// The map of a trace whose times are this machine's: late by up to the meter's own delay.
  ///
  /// A reading is of some moment within the latency before it came; its middle is taken, and half of
  /// it is what is not known.
  public static func host(_ trace: PowerTrace, channel: Int) -> ClockMap {
    let latency = Double(trace.channels[channel].accuracy.latencyNanoseconds)
    let own = trace.timeUncertaintyNanoseconds
    return ClockMap(
      method: .host,
      offset: -latency / 2,
      offsetUncertainty: (latency * latency / 12 + own * own).squareRoot()
    )
  }

  /// Standard uncertainty of the drift of two clocks of which nothing is known: within 100 ppm.
  static let crystalDrift = 1e-4 / 1.732_050_807_568_877_2

  /// The map that a user gives: one moment on both clocks, with a drift that no crystal exceeds.
  public static func given(
    meter: Double,
    host: Double,
    uncertainty: Double
  ) -> ClockMap {
    ClockMap(
      method: .given,
      reference: meter,
      offset: host - meter,
      offsetUncertainty: uncertainty,
      driftUncertainty: crystalDrift
    )
  }

  /// The map through two found markers, or through one with a drift that no crystal exceeds.
  ///
  /// - Precondition: there is one at least.
  public static func markers(_ found: [FoundMarker]) -> ClockMap {
    precondition(!found.isEmpty, "a marker was found")
    let first = found[0]
    guard let last = found.last, found.count > 1, last.meterTime > first.meterTime else {
      return ClockMap(
        method: .marker,
        reference: first.meterTime,
        offset: first.hostTime - first.meterTime,
        offsetUncertainty: first.uncertainty,
        driftUncertainty: crystalDrift
      )
    }
    let span = last.meterTime - first.meterTime
    let told = (last.hostTime - first.hostTime) / span - 1
    let middle = (first.meterTime + last.meterTime) / 2
    let offset = (first.hostTime + last.hostTime) / 2 - middle
    let (a, b) = (first.uncertainty, last.uncertainty)
    let both = (a * a + b * b).squareRoot()
    // What the markers tell and what crystals hold (100 ppm), weighed by how well each is known.
    let (marked, known) = (both / span, crystalDrift)
    let weight = known * known / (known * known + marked * marked)
    let drift = told * weight
    return ClockMap(
      method: .marker,
      reference: middle,
      offset: offset,
      drift: drift,
      offsetUncertainty: both / 2,
      driftUncertainty: marked * weight.squareRoot()
    )
  }
}
