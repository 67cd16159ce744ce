#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Finds the part of a distribution that 8 bits should hold.
struct RangeSearch {
  private let histogram: Histogram
  /// The least and greatest number seen.
  private let low: Double, high: Double
  /// Counts, and sums of counts times numbers and squares, of all bins below each.
  private let below: [(count: Double, first: Double, second: Double)]

  init(_ histogram: Histogram, low: Float, high: Float) {
    self.histogram = histogram
    self.low = Double(min(low, 0))
    self.high = Double(max(high, 0))
    var sums: [(count: Double, first: Double, second: Double)] = [(0, 0, 0)]
    sums.reserveCapacity(histogram.counts.count + 1)
    for (bin, count) in histogram.counts.enumerated() {
      let (count, middle, last) = (Double(count), histogram.middle(bin), sums[sums.count - 1])
      sums.append(
        (last.count + count, last.first + count * middle, last.second + count * middle * middle)
      )
    }
    below = sums
  }

  private var total: Double { below[below.count - 1].count }

  /// The bin in which a number lies.
  private func bin(_ value: Double) -> Int {
    let place = (value / histogram.width).rounded(.down)
    return Int(min(max(place + Double(Histogram.half), 0), Double(below.count - 2)))
  }

  /// The range for a method; the whole one for methods that take no distribution.
  func range(_ method: CalibrationMethod) -> (low: Float, high: Float) {
    guard total > 0, high > low else { return (Float(low), Float(high)) }
    let found: (low: Double, high: Double) =
      switch method {
      case .automatic, .minMax, .movingAverage: (low, high)
      case .percentile(let part): percentile(part / 100)
      case .meanSquaredError: least { squaredError($0, $1) }
      case .entropy: least { divergence($0, $1) }
      }
    return (Float(found.low), Float(found.high))
  }

  // MARK: Percentile

  private func percentile(_ part: Double) -> (low: Double, high: Double) {
    let all = total + Double(histogram.zeros)
    // A side on which nothing lies needs no share.
    let sides = (low < 0 ? 1.0 : 0) + (high > 0 ? 1 : 0)
    let share = (1 - part) * all / max(sides, 1)
    var (least, most) = (low, high)
    if low < 0, let bin = below.indices.dropFirst().first(where: { below[$0].count > share }) {
      least = min(max(low, histogram.middle(bin - 1) - histogram.width / 2), 0)
    }
    if high > 0, let bin = below.indices.last(where: { total - below[$0].count > share }) {
      most = max(min(high, histogram.middle(bin) + histogram.width / 2), 0)
    }
    return (least, most)
  }

  // MARK: Search

  /// The range of least cost: each end is drawn in while the other stays, twice.
  private func least(_ cost: (Double, Double) -> Double) -> (low: Double, high: Double) {
    var best = (low: low, high: high)
    var value = cost(low, high)
    for _ in 0..<2 {
      for isHigh in [true, false] {
        let end = isHigh ? high : low
        guard end != 0 else { continue }
        for step in 1..<48 {
          let candidate = end * (1 - Double(step) / 50)
          let range = isHigh ? (best.low, candidate) : (candidate, best.high)
          let own = cost(range.0, range.1)
          if own < value {
            value = own
            best = range
          }
        }
      }
    }
    return best
  }

  /// The squared error of 8 bits between two ends.
  ///
  /// What lies within has a step's rounding noise, what is cut off the distance to the end; exact zeros
  /// stay exact.
  private func squaredError(_ low: Double, _ high: Double) -> Double {
    guard high > low else { return .infinity }
    let step = (high - low) / 255
    let (from, to) = (bin(low), bin(high) + 1)
    let (under, all) = (below[from], below[below.count - 1])
    let over = (
      count: all.count - below[to].count, first: all.first - below[to].first,
      second: all.second - below[to].second
    )
    let cut =
      under.second - 2 * low * under.first + low * low * under.count
      + over.second - 2 * high * over.first + high * high * over.count
    return cut + total * step * step / 12
  }

  /// The Kullback-Leibler divergence of the distribution, cut at two ends, from what 256 levels can
  /// tell of it.
  private func divergence(_ low: Double, _ high: Double) -> Double {
    guard high > low else { return .infinity }
    let (from, to) = (bin(low), bin(high) + 1)
    guard to > from else { return .infinity }
    var p = (from..<to).map { Double(histogram.counts[$0]) }
    let inside = p
    p[0] += below[from].count
    p[p.count - 1] += total - below[to].count
    let within = inside.reduce(0, +)
    guard within > 0 else { return .infinity }
    let levels = min(256, p.count)
    var result = 0.0
    for level in 0..<levels {
      let range = level * p.count / levels..<(level + 1) * p.count / levels
      // What is cut off is in p but not in q: that is what a range too narrow costs.
      let sum = range.reduce(0) { $0 + inside[$1] }
      let filled = range.reduce(0) { $0 + (p[$1] > 0 ? 1 : 0) }
      guard filled > 0 else { continue }
      let q = max(sum / Double(filled), 1e-9) / within
      for bin in range where p[bin] > 0 {
        let part = p[bin] / total
        result += part * log(part / q)
      }
    }
    return result
  }
}
