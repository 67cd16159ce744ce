/// The quantile of numbers, with a straight line between neighbours (Hyndman and Fan's type 7).
///
/// - Precondition: there is a number, and `part` lies from 0 to 1.
func quantile(_ sorted: [Double], _ part: Double) -> Double {
  let place = Double(sorted.count - 1) * part
  let below = Int(place)
  guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
  return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - Double(below))
}

/// The weighted median as the published method and its library take it, on values in an order.
///
/// It is not the usual one: a value whose successor takes the weight over one half is returned before
/// that successor, which would be the median. Kept as it is, because published ratings come from it.
///
/// - Parameters:
///   - values: in ascending or descending order.
///   - weights: with sum 1.
func publishedMedian(_ values: [Double], _ weights: [Double]) -> Double {
  var sum = 0.0
  for (index, value) in values.enumerated() {
    sum += weights[index]
    let next = index + 1 < values.count ? sum + weights[index + 1] : sum
    if sum == 0.5, index + 1 < values.count { return (value + values[index + 1]) / 2 }
    if sum > 0.5 || (sum < 0.5 && next > 0.5) { return value }
  }
  return values.last ?? 0
}
