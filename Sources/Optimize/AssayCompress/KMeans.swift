import AssayBase
import AssayQuantize

/// Finds the few values that stand for many numbers with the least squared error (Lloyd, 1982).
///
/// On a line a cluster is a stretch of the sorted numbers, so that one round of the algorithm costs
/// no more than a binary search for each cluster.
struct KMeans {
  /// The sorted numbers, and sums of all before each place.
  private let sorted: [Float]
  private let sums: [Double]
  private let squares: [Double]

  /// Prepares numbers, of which there is at least one.
  init(_ numbers: [Float]) {
    sorted = numbers.sorted()
    var sums: [Double] = [0]
    var squares: [Double] = [0]
    sums.reserveCapacity(numbers.count + 1)
    squares.reserveCapacity(numbers.count + 1)
    for number in sorted {
      sums.append(sums[sums.count - 1] + Double(number))
      squares.append(squares[squares.count - 1] + Double(number) * Double(number))
    }
    self.sums = sums
    self.squares = squares
  }

  /// At most `count` values in ascending order; fewer when there are fewer different numbers.
  func centroids(
    _ count: Int,
    _ initialization: Clustering.Initialization,
    rng: inout SeededRNG
  ) -> [Float] {
    guard let low = sorted.first, let high = sorted.last else { return [] }
    var values = different(limit: count)
    if values.count <= count { return values }
    switch initialization {
    case .kMeansPlusPlus: values = drawn(count, &rng)
    case .linear:
      values = (0..<count).map { low + (high - low) * Float($0) / Float(max(count - 1, 1)) }
    case .density:
      values = (0..<count).map { sorted[(2 * $0 + 1) * sorted.count / (2 * count)] }
    }
    for _ in 0..<100 {
      values.sort()
      let next = improved(values)
      if next == values { break }
      values = next
    }
    return different(values.sorted())
  }

  /// The different numbers in ascending order; the search ends when there are more than `limit`.
  private func different(limit: Int) -> [Float] {
    var result: [Float] = []
    var place = 0
    while place < sorted.count, result.count <= limit {
      result.append(sorted[place])
      place = firstPlace(above: sorted[place])
    }
    return result
  }

  private func different(_ values: [Float]) -> [Float] {
    values.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }

  /// The place of the first number greater than `value`.
  private func firstPlace(above value: Float) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] > value { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Each value moved to the mean of the numbers that are nearest to it.
  ///
  /// A value without numbers takes the outermost number of the stretch of greatest error.
  private func improved(_ values: [Float]) -> [Float] {
    let ends = values.indices.map { index in
      index + 1 < values.count
        ? firstPlace(above: KMeans.boundary(values[index], values[index + 1])) : sorted.count
    }
    var result = values
    var errors = [Double](repeating: 0, count: values.count)
    var empty: [Int] = []
    var start = 0
    for (index, end) in ends.enumerated() {
      if end > start {
        let (count, sum) = (Double(end - start), sums[end] - sums[start])
        result[index] = Float(sum / count)
        errors[index] = squares[end] - squares[start] - sum * sum / count
      } else {
        empty.append(index)
      }
      start = max(end, start)
    }
    for index in empty {
      guard let worst = errors.indices.max(by: { errors[$0] < errors[$1] }), errors[worst] > 0
      else { break }
      let (from, to) = (worst == 0 ? 0 : ends[worst - 1], ends[worst])
      let center = result[worst]
      result[index] =
        center - sorted[from] > sorted[to - 1] - center ? sorted[from] : sorted[to - 1]
      errors[worst] = 0
    }
    return result
  }

  /// Between two values; numbers up to it belong to the lower one.
  static func boundary(_ low: Float, _ high: Float) -> Float { low + (high - low) / 2 }

  /// Seeded draws, each more likely the further it is from those before (k-means++).
  private func drawn(_ count: Int, _ rng: inout SeededRNG) -> [Float] {
    // So many numbers tell the distribution; more would only cost time.
    let step = max(Double(sorted.count) / 65536, 1)
    let sample = (0..<Int(Double(sorted.count) / step)).map { sorted[Int(Double($0) * step)] }
    var result = [sample[min(Int(rng.uniform() * Float(sample.count)), sample.count - 1)]]
    var distances = [Double](repeating: .infinity, count: sample.count)
    while result.count < count, let last = result.last {
      var total = 0.0
      for (index, number) in sample.enumerated() {
        let difference = Double(number) - Double(last)
        distances[index] = min(distances[index], difference * difference)
        total += distances[index]
      }
      guard total > 0 else { break }
      var rest = Double(rng.uniform()) * total
      var chosen = sample.count - 1
      for (index, distance) in distances.enumerated() {
        rest -= distance
        if rest < 0 {
          chosen = index
          break
        }
      }
      result.append(sample[chosen])
    }
    return result
  }
}
