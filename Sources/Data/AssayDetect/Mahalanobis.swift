import AssayBase
import AssayHost
import Synchronization

/// The squared Mahalanobis distance of windows of errors from what windows are like.
///
/// With the covariance as `L Lᵀ`, the distance is the square of `L⁻¹ (w - mean)`. Each row of `L⁻¹` is a
/// filter that slides over the errors; sixteen windows are computed at a time.
public struct Mahalanobis: Sendable {
  /// Samples in a window.
  public let window: Int
  /// Channels of the series.
  public let channelCount: Int
  /// Whether the covariance could not be inverted, and the identity stands in for it.
  public let isSingular: Bool
  /// The rows of `L⁻¹` up to the diagonal, one after the other.
  private let filters: [Double]
  /// What the mean adds to each row.
  private let offsets: [Double]

  /// Prepares the distance.
  public init(_ statistics: ErrorStatistics) {
    window = statistics.window
    channelCount = statistics.channelCount
    let dimension = statistics.dimension
    let inverse = inverseCholesky(statistics.covariance, dimension)
    isSingular = inverse == nil
    var filters: [Double] = []
    filters.reserveCapacity(dimension * (dimension + 1) / 2)
    for row in 0..<dimension {
      for column in 0...row {
        filters.append(inverse.map { $0[row * dimension + column] } ?? (row == column ? 1 : 0))
      }
    }
    var start = 0
    offsets = (0..<dimension).map { row in
      var sum = 0.0
      for column in 0...row { sum += filters[start + column] * statistics.mean[column] }
      start += row + 1
      return sum
    }
    self.filters = filters
  }

  /// The squared distance of every window of some errors.
  ///
  /// - Parameter errors: the errors of each channel, equally many.
  public func squaredDistances(_ errors: [[Double]], threads: Int = 1) -> [Double] {
    let count = (errors.first?.count ?? 0) - window + 1
    guard count > 0 else { return [] }
    // The channels in one row of memory, with room for lanes that look beyond the end.
    let pitch = count + window + Self.lanes
    var flat = [Double](repeating: 0, count: pitch * channelCount)
    for (channel, values) in errors.enumerated() {
      for index in values.indices { flat[channel * pitch + index] = values[index] }
    }
    let blocks = (count + Self.lanes - 1) / Self.lanes
    let share = 64
    let parts = (blocks + share - 1) / share
    let source = flat
    let results = Mutex([[Double]](repeating: [], count: parts))
    Host.forEach(below: parts, threads: threads) { part in
      var distances: [Double] = []
      for block in part * share..<min((part + 1) * share, blocks) {
        let sums = squares(source, pitch, at: block * Self.lanes)
        for lane in sums.indices where block * Self.lanes + lane < count {
          distances.append(sums[lane])
        }
      }
      results.withLock { $0[part] = distances }
    }
    return results.withLock { Array($0.joined()) }
  }

  /// Windows that are computed at a time.
  private static let lanes = 16

  /// The squared distances of the windows that begin at `place` and after it.
  private func squares(_ flat: [Double], _ pitch: Int, at place: Int) -> [Double] {
    typealias Lanes = SIMD8<Double>
    var (s0, s1) = (Lanes.zero, Lanes.zero)
    unsafe flat.withUnsafeBytes { source in
      unsafe filters.withUnsafeBufferPointer { filters in
        var filter = 0
        for row in offsets.indices {
          var a0 = Lanes(repeating: -offsets[row])
          var a1 = a0
          var (offset, channel) = (0, 0)
          for _ in 0...row {
            let weight = unsafe filters[filter]
            filter += 1
            let start = (channel * pitch + place + offset) * MemoryLayout<Double>.stride
            unsafe a0 += weight * source.loadUnaligned(fromByteOffset: start, as: Lanes.self)
            unsafe a1 += weight * source.loadUnaligned(fromByteOffset: start + 64, as: Lanes.self)
            channel += 1
            if channel == channelCount { (offset, channel) = (offset + 1, 0) }
          }
          s0 += a0 * a0
          s1 += a1 * a1
        }
      }
    }
    return [s0, s1].flatMap { sum in (0..<8).map { sum[$0] } }
  }
}

/// The inverse of the lower triangle `L` of `matrix` = `L Lᵀ`; `nil` for a matrix that is not positive
/// definite, to rounding.
private func inverseCholesky(_ matrix: [Double], _ dimension: Int) -> [Double]? {
  var lower = matrix
  let greatest = (0..<dimension).reduce(0) { max($0, matrix[$1 * dimension + $1]) }
  for column in 0..<dimension {
    for row in column..<dimension {
      var sum = lower[row * dimension + column]
      for index in 0..<column {
        sum -= lower[row * dimension + index] * lower[column * dimension + index]
      }
      if row == column {
        guard sum > greatest * 1e-14 * Double(dimension), sum.isFinite else { return nil }
        lower[row * dimension + column] = sum.squareRoot()
      } else {
        lower[row * dimension + column] = sum / lower[column * dimension + column]
      }
    }
  }
  var inverse = [Double](repeating: 0, count: dimension * dimension)
  for column in 0..<dimension {
    inverse[column * dimension + column] = 1 / lower[column * dimension + column]
    for row in column + 1..<max(dimension, column + 1) {
      var sum = 0.0
      for index in column..<row {
        sum -= lower[row * dimension + index] * inverse[index * dimension + column]
      }
      inverse[row * dimension + column] = sum / lower[row * dimension + row]
    }
  }
  return inverse
}
