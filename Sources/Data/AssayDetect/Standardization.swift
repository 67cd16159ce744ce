import AssayBase
import AssayData

/// The mean and deviation by which a series is brought to mean 0 and deviation 1, channel by channel.
public struct Standardization: Sendable, Equatable {
  /// The mean of each channel.
  public var mean: [Double]
  /// The standard deviation of each channel, over all samples (not corrected for their number).
  public var deviation: [Double]

  /// Known figures.
  ///
  /// - Precondition: equally many of both.
  public init(mean: [Double], deviation: [Double]) {
    precondition(mean.count == deviation.count, "\(mean.count) means")
    self.mean = mean
    self.deviation = deviation
  }

  /// The figures of a series.
  public init(of series: TimeSeries) {
    mean = series.values.map { $0.reduce(0, +) / Double(max($0.count, 1)) }
    deviation = zip(series.values, mean).map { channel, mean in
      let sum = channel.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (sum / Double(max(channel.count, 1))).squareRoot()
    }
  }

  /// A standardized channel, in the precision in which networks compute.
  public func applied(to channel: [Double], _ index: Int) -> [Float] {
    let (mean, scale) = (mean[index], deviation[index] > 0 ? deviation[index] : 1)
    return channel.map { Float(($0 - mean) / scale) }
  }

  /// A standardized sample of one channel.
  public func applied(to sample: Double, channel: Int) -> Float {
    Float((sample - mean[channel]) / (deviation[channel] > 0 ? deviation[channel] : 1))
  }

  /// A standardized series, channel by channel.
  public func applied(to series: TimeSeries) -> [[Float]] {
    series.values.indices.map { applied(to: series.values[$0], $0) }
  }
}
