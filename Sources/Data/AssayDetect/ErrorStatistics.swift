import AssayBase

/// What windows of reconstruction errors are like: their mean and covariance.
///
/// A window is `window` samples of all channels; its elements are ordered by time, then by channel.
public struct ErrorStatistics: Sendable, Equatable {
  /// Samples in a window.
  public var window: Int
  /// Channels of the series.
  public var channelCount: Int
  /// The mean of each element.
  public var mean: [Double]
  /// The covariance of the elements, row by row (over one less than the number of windows).
  public var covariance: [Double]

  /// Elements of a window.
  public var dimension: Int { window * channelCount }

  /// Known statistics.
  ///
  /// - Precondition: `mean` and `covariance` have the extents that follow.
  public init(window: Int, channelCount: Int, mean: [Double], covariance: [Double]) {
    precondition(mean.count == window * channelCount, "\(mean.count) means")
    precondition(covariance.count == mean.count * mean.count, "\(covariance.count) covariances")
    self.window = window
    self.channelCount = channelCount
    self.mean = mean
    self.covariance = covariance
  }

  /// The statistics of all windows of some errors.
  ///
  /// Neighbouring windows share all but one sample, so a sum of products along a diagonal of the
  /// covariance follows from the one before: the work is that of one row, not of the whole matrix.
  ///
  /// - Parameter errors: the errors of each channel, equally many and at least `window` + 1.
  public init(errors: [[Double]], window: Int) {
    precondition(!errors.isEmpty && errors[0].count > window && window > 0, "too few errors")
    let (channels, count) = (errors.count, errors[0].count - window + 1)
    let dimension = window * channels
    // Products of numbers around 0 keep their digits.
    let centers = errors.map { $0.reduce(0, +) / Double($0.count) }
    let shifted = zip(errors, centers).map { channel, center in channel.map { $0 - center } }
    var means = [Double](repeating: 0, count: dimension)
    for channel in 0..<channels {
      var sum = shifted[channel][..<count].reduce(0, +)
      for offset in 0..<window {
        means[offset * channels + channel] = sum / Double(count)
        if offset + 1 < window {
          sum += shifted[channel][count + offset] - shifted[channel][offset]
        }
      }
    }
    var sums = [Double](repeating: 0, count: dimension * dimension)
    for row in 0..<channels {
      for column in 0..<channels {
        for lag in 0..<window {
          let first = sumOfProducts(shifted[row], 0, shifted[column], lag, count)
          var sum = first
          // Along the diagonal: (offset, row) with (offset + lag, column).
          for offset in 0..<window - lag {
            let (a, b) = (offset * channels + row, (offset + lag) * channels + column)
            sums[a * dimension + b] = sum
            sums[b * dimension + a] = sum
            let (next, leaving) = (count + offset, offset)
            guard offset + lag + 1 < window else { break }
            sum += shifted[row][next] * shifted[column][next + lag]
            sum -= shifted[row][leaving] * shifted[column][leaving + lag]
          }
        }
      }
    }
    for a in 0..<dimension {
      for b in 0..<dimension {
        let product = Double(count) * means[a] * means[b]
        sums[a * dimension + b] = (sums[a * dimension + b] - product) / Double(max(count - 1, 1))
      }
    }
    self.init(
      window: window,
      channelCount: channels,
      mean: means.indices.map { means[$0] + centers[$0 % channels] },
      covariance: sums
    )
  }

  /// The statistics of windows drawn with replacement, as the published method draws them.
  ///
  /// - Parameters:
  ///   - part: drawn windows for each window that there is.
  ///   - seed: of the draws.
  public init(errors: [[Double]], window: Int, sampling part: Double, seed: UInt64) {
    precondition(!errors.isEmpty && errors[0].count > window && window > 0, "too few errors")
    let (channels, count) = (errors.count, errors[0].count - window + 1)
    let dimension = window * channels
    var random = SeededRNG(seed: seed)
    let drawn = max(2, Int(part * Double(count)))
    var weights = [Double](repeating: 0, count: count)
    for _ in 0..<drawn { weights[Int.random(in: 0..<count, using: &random)] += 1 }
    let total = Double(drawn)
    var means = [Double](repeating: 0, count: dimension)
    for element in 0..<dimension {
      let (offset, channel) = (element / channels, element % channels)
      var sum = 0.0
      for index in 0..<count { sum += weights[index] * errors[channel][index + offset] }
      means[element] = sum / total
    }
    var covariance = [Double](repeating: 0, count: dimension * dimension)
    var weighted = [Double](repeating: 0, count: count)
    for a in 0..<dimension {
      let (offset, channel) = (a / channels, a % channels)
      for index in 0..<count {
        weighted[index] = weights[index] * (errors[channel][index + offset] - means[a])
      }
      for b in a..<dimension {
        let (otherOffset, otherChannel) = (b / channels, b % channels)
        // The weighted deviations of `a` sum to 0, so the mean of `b` need not be taken off.
        let sum = sumOfProducts(weighted, 0, errors[otherChannel], otherOffset, count)
        covariance[a * dimension + b] = sum / (total - 1)
        covariance[b * dimension + a] = sum / (total - 1)
      }
    }
    self.init(window: window, channelCount: channels, mean: means, covariance: covariance)
  }
}

/// The sum of products of `count` numbers of `a` and `b` from the given places.
func sumOfProducts(
  _ a: [Double],
  _ aStart: Int,
  _ b: [Double],
  _ bStart: Int,
  _ count: Int
)
  -> Double
{
  unsafe a.withUnsafeBytes { a in
    unsafe b.withUnsafeBytes { b in
      let stride = MemoryLayout<Double>.stride
      var (first, second) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
      var index = 0
      while index + 16 <= count {
        let (x, y) = ((aStart + index) * stride, (bStart + index) * stride)
        first +=
          unsafe a.loadUnaligned(fromByteOffset: x, as: SIMD8<Double>.self)
          * b.loadUnaligned(fromByteOffset: y, as: SIMD8<Double>.self)
        second +=
          unsafe a.loadUnaligned(fromByteOffset: x + 64, as: SIMD8<Double>.self)
          * b.loadUnaligned(fromByteOffset: y + 64, as: SIMD8<Double>.self)
        index += 16
      }
      var sum = (first + second).sum()
      while index < count {
        sum +=
          unsafe a.loadUnaligned(fromByteOffset: (aStart + index) * stride, as: Double.self)
          * b.loadUnaligned(fromByteOffset: (bStart + index) * stride, as: Double.self)
        index += 1
      }
      return sum
    }
  }
}
