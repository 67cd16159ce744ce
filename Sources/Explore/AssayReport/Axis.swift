#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A scale from values to a part of a chart's side, 0...1.
package struct Axis: Sendable {
  /// The least and greatest value shown.
  package let range: ClosedRange<Double>
  package let isLogarithmic: Bool

  /// A linear scale over the values with some air, or over a unit where they are all alike.
  package init(linear values: [Double], air: Double = 0.08) {
    let finite = values.filter(\.isFinite)
    let low = finite.min() ?? 0
    let high = finite.max() ?? 1
    let reach = high > low ? (high - low) * air : max(abs(high) * 0.05, 0.01)
    range = low - reach...high + reach
    isLogarithmic = false
  }

  /// A logarithmic scale over positive values with some air.
  package init(logarithmic values: [Double], air: Double = 0.06) {
    let positive = values.filter { $0.isFinite && $0 > 0 }
    let low = log(positive.min() ?? 1)
    let high = log(positive.max() ?? 10)
    let reach = max((high - low) * air, 0.05)
    range = exp(low - reach)...exp(high + reach)
    isLogarithmic = true
  }

  /// Where a value lies, kept within 0...1.
  package func place(_ value: Double) -> Double {
    let part =
      isLogarithmic
      ? (log(max(value, .leastNormalMagnitude)) - log(range.lowerBound))
        / (log(range.upperBound) - log(range.lowerBound))
      : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    return part.isNaN ? 0 : min(max(part, 0), 1)
  }

  /// The value at a part of the side.
  package func value(at part: Double) -> Double {
    isLogarithmic
      ? exp(log(range.lowerBound) + part * (log(range.upperBound) - log(range.lowerBound)))
      : range.lowerBound + part * (range.upperBound - range.lowerBound)
  }

  /// Round values within the range, about `count` of them.
  package func ticks(_ count: Int = 5) -> [Double] {
    let width = range.upperBound - range.lowerBound
    guard width > 0, count > 0 else { return [] }
    if isLogarithmic, range.upperBound / range.lowerBound > 6 {
      let steps: [Double] = range.upperBound / range.lowerBound > 300 ? [1] : [1, 2, 5]
      var ticks: [Double] = []
      var decade = pow(10, log10(range.lowerBound).rounded(.down))
      while decade <= range.upperBound, ticks.count < 100 {
        ticks += steps.map { $0 * decade }.filter(range.contains)
        decade *= 10
      }
      return ticks
    }
    let rough = width / Double(count)
    let power = pow(10, log10(rough).rounded(.down))
    let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.75 } ?? rough
    var tick = (range.lowerBound / step).rounded(.up) * step
    var ticks: [Double] = []
    while tick <= range.upperBound, ticks.count < 100 {
      ticks.append(tick)
      tick += step
    }
    return ticks
  }
}

/// The density of samples on an axis, in `bins` equal parts of it, the greatest being 1.
///
/// A histogram smoothed by a binomial kernel. Samples beyond the axis count into its last part.
func density(_ samples: [Int64], _ axis: Axis, bins: Int) -> [Double] {
  guard bins > 1, !samples.isEmpty else { return [] }
  var counts = [Double](repeating: 0, count: bins)
  for sample in samples {
    counts[min(bins - 1, Int(axis.place(Double(sample)) * Double(bins)))] += 1
  }
  for _ in 0..<2 {
    let old = counts
    for index in old.indices {
      let left = index > 0 ? old[index - 1] : old[index]
      let right = index < bins - 1 ? old[index + 1] : old[index]
      counts[index] = (left + 2 * old[index] + right) / 4
    }
  }
  let greatest = counts.max() ?? 1
  return counts.map { $0 / greatest }
}
