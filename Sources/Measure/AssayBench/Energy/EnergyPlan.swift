import AssayMeter

/// What is to be told of a comparison's energy, and by what.
public struct EnergyPlan: Sendable {
  /// A meter with what is asked of it.
  public struct Meter: Sendable {
    /// The instrument.
    public var meter: any PowerMeter
    /// What is asked of it.
    public var options: MeterOptions

    /// Makes a meter.
    public init(_ meter: any PowerMeter, _ options: MeterOptions) {
      self.meter = meter
      self.options = options
    }
  }

  /// The meters that look on.
  public var meters: [Meter]
  /// Watts to multiply with time: an estimate, made only when asked for.
  public var estimateWatts: Double?
  /// Whether a coded load is played before and after, to join the clocks by.
  public var playsMarkers: Bool
  /// Seconds of rest before and after at least.
  public var leastRestSeconds: Double
  /// Threads of the measured runtimes, which a meter's thread keeps away from.
  public var threads: Int

  /// Makes a plan.
  public init(
    meters: [Meter],
    estimateWatts: Double? = nil,
    playsMarkers: Bool = false,
    leastRestSeconds: Double = 1,
    threads: Int = 1
  ) {
    self.meters = meters
    self.estimateWatts = estimateWatts
    self.playsMarkers = playsMarkers
    self.leastRestSeconds = leastRestSeconds
    self.threads = threads
  }
}
