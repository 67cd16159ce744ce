/// The two modes of samples, if there are two.
///
/// Otsu's threshold on the logarithms (Otsu 1979): two modes when splitting there explains most of the
/// variance, each side has at least a tenth of the samples and their medians lie 30 % apart. A
/// uniform distribution explains 75 % and is not split.
func modes(of samples: [Int64]) -> (low: Int64, high: Int64, share: Double)? {
  guard samples.count >= 20 else { return nil }
  let sorted = samples.sorted()
  // A few far outliers must not count as a mode, nor hide one.
  let logs = sorted.map { logarithm(Double(max($0, 1))) }
  let total = logs.reduce(0, +)
  let count = Double(logs.count)
  let mean = total / count
  let variance = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
  guard variance > 0 else { return nil }
  var sum = 0.0
  var best = (split: 0, explained: 0.0)
  for index in 0..<(logs.count - 1) {
    sum += logs[index]
    let below = Double(index + 1)
    let above = count - below
    let difference = sum / below - (total - sum) / above
    let explained = below * above / (count * count) * difference * difference / variance
    if explained > best.explained { best = (index + 1, explained) }
  }
  let low = sorted[..<best.split]
  let high = sorted[best.split...]
  guard best.explained > 0.85, low.count * 10 >= sorted.count, high.count * 10 >= sorted.count
  else { return nil }
  let lowMedian = low[low.startIndex + (low.count - 1) / 2]
  let highMedian = high[high.startIndex + (high.count - 1) / 2]
  guard Double(highMedian) > 1.3 * Double(lowMedian) else { return nil }
  return (lowMedian, highMedian, Double(high.count) / count)
}

/// The binary logarithm to about 1e-4, without libm.
private func logarithm(_ value: Double) -> Double {
  // value = 2^e m with m in [1, 2); log2 m by the first terms of the series of atanh.
  let m = value.significand
  let t = (m - 1) / (m + 1)
  let t2 = t * t
  let series = t * (1 + t2 * (1.0 / 3 + t2 * (0.2 + t2 / 7)))
  return Double(value.exponent) + series * 2.885_390_081_777_927
}
