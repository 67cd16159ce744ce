import AssayBase

/// A meter that exists only as numbers: it sees a known load with known faults.
///
/// Its stated accuracy is what its budget is made of; its faults are drawn from within that.
public struct VirtualInstrument: Sendable {
  /// Power or a counter of energy.
  public var quantity: MeterChannel.Quantity
  /// What it states of itself.
  public var accuracy: MeterAccuracy
  /// Nanoseconds between readings.
  public var period: Double
  /// Standard deviation of the noise of a reading, watts.
  public var noise: Double
  /// Standard deviation of how unevenly readings are timed, nanoseconds.
  public var jitter: Double
  /// Its real relative error of gain.
  public var gain = 0.0
  /// Its real error at zero, watts.
  public var offset = 0.0
  /// Its clock less the host's at the host's time 0, nanoseconds.
  public var skew = 0.0
  /// By how much its clock gains on the host's.
  public var drift = 0.0

  /// Makes an instrument without faults.
  public init(
    _ quantity: MeterChannel.Quantity,
    period: Double,
    accuracy: MeterAccuracy,
    noise: Double = 0,
    jitter: Double = 0
  ) {
    self.quantity = quantity
    self.period = period
    self.accuracy = accuracy
    self.noise = noise
    self.jitter = jitter
  }

  /// Its clock at the host's time.
  public func clock(_ host: Double) -> Double { host + skew + drift * host }

  /// What it tells of a load, in its own clock.
  ///
  /// A meter that integrates tells the mean since the reading before; one that does not tells the
  /// moment.
  ///
  /// - Parameters:
  ///   - range: of the host's clock.
  ///   - phase: where in a period the first reading falls, 0..<1.
  public func trace(
    of load: VirtualLoad,
    over range: ClosedRange<Double>,
    phase: Double,
    random: inout SeededRNG
  ) -> PowerTrace {
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "virtual", name: "virtual meter"),
      channels: [
        MeterChannel("main", quantity, .supply, isPrimary: true, accuracy: accuracy)
      ],
      clock: .own,
      period: UInt64(period)
    )
    var time = range.lowerBound + phase * period
    var last = time - period
    var count = 0.0
    var extra = 0.0
    while time <= range.upperBound {
      let seconds = (time - last) / 1e9
      let error = Double(random.normal()) * noise
      let value: Double
      switch quantity {
      case .energy:
        extra += error * seconds
        let joules = load.joules(from: range.lowerBound, to: time)
        value =
          joules * (1 + gain) + offset * (time - range.lowerBound) / 1e9 + extra
      default:
        let watts =
          accuracy.isIntegrating
          ? load.joules(from: last, to: time) / seconds : load.watts(at: time)
        value = watts * (1 + gain) + offset + error
      }
      let step = accuracy.resolution
      let told = step > 0 ? (value / step).rounded() * step : value
      trace.append(Int64(clock(time).rounded()), [told])
      last = time
      count += 1
      time =
        range.lowerBound + (phase + count) * period + Double(random.normal()) * jitter
      time = max(time, last + period / 10)
    }
    return trace
  }
}
