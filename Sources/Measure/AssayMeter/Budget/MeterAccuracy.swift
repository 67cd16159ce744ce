/// How well a channel of a meter is known, as its maker says or as is assumed.
///
/// Limits are half-widths of rectangular distributions (GUM 4.3.7): all that is known is that the
/// error is not beyond them.
public struct MeterAccuracy: Sendable, Equatable {
  /// The greatest relative error of gain, 0.01 for 1 %; `nil` when nothing is known of it.
  public var gain: Double?
  /// The greatest error at zero, watts.
  public var offsetWatts: Double
  /// The least step of the channel's numbers, in its own unit.
  public var resolution: Double
  /// How late a number may be, nanoseconds: the time between updates, or the window of an average.
  public var latencyNanoseconds: UInt64
  /// Whether each number is the mean since the one before, or of a counter: nothing is missed between.
  public var isIntegrating: Bool
  /// Whether gain and offset are a maker's figures; otherwise they are assumed.
  public var isSpecified: Bool
  /// Where the figures are from, in words.
  public var source: String

  /// Makes an accuracy.
  public init(
    gain: Double?,
    offsetWatts: Double = 0,
    resolution: Double = 0,
    latencyNanoseconds: UInt64 = 0,
    isIntegrating: Bool = false,
    isSpecified: Bool = false,
    source: String
  ) {
    self.gain = gain
    self.offsetWatts = offsetWatts
    self.resolution = resolution
    self.latencyNanoseconds = latencyNanoseconds
    self.isIntegrating = isIntegrating
    self.isSpecified = isSpecified
    self.source = source
  }
}
