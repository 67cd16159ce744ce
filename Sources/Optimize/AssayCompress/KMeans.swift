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

/// The weights of a layer as places in lists of few values.
public struct ClusteredWeights: Sendable, Equatable {
  /// The values of each channel, or of all channels in one list, ascending.
  public private(set) var centroids: [[Float]]
  /// The place of each weight's value in its list, in the Constant's order.
  public private(set) var assignment: [UInt8]
  /// The list of each weight, in the Constant's order.
  private let lists: [Int32]

  /// Clusters a layer's weights.
  ///
  /// - Parameters:
  ///   - weights: the weights, in the Constant's order.
  ///   - layer: their shape.
  ///   - keepsZeros: whether weights that are zero stay so: zero is then one of the values.
  ///   - seed: of the draws.
  public init(
    _ weights: [Float],
    of layer: LayerWeights,
    _ clustering: Clustering,
    keepsZeros: Bool,
    seed: UInt64
  ) {
    var rng = SeededRNG(seed: seed)
    let listCount = clustering.isPerChannel ? layer.rows : 1
    var members = [[Int]](repeating: [], count: listCount)
    var lists = [Int32](repeating: 0, count: weights.count)
    for row in 0..<layer.rows {
      for column in 0..<layer.columns {
        let index = layer.index(row, column)
        let list = clustering.isPerChannel ? row : 0
        lists[index] = Int32(list)
        members[list].append(index)
      }
    }
    centroids = []
    assignment = [UInt8](repeating: 0, count: weights.count)
    self.lists = lists
    for places in members {
      var numbers = places.map { weights[$0] }
      let hasZeros = keepsZeros && numbers.contains(0)
      if hasZeros { numbers.removeAll { $0 == 0 } }
      var values: [Float] = hasZeros ? [0] : []
      if !numbers.isEmpty {
        let rest = max(clustering.count - values.count, 1)
        values += KMeans(numbers).centroids(rest, clustering.initialization, rng: &rng)
      }
      values = Set(values).sorted()
      centroids.append(values)
      for index in places { assignment[index] = Self.nearest(weights[index], values, hasZeros) }
    }
  }

  /// The place of the value that is nearest; zeros, where they are kept, stay zeros, and nothing else
  /// becomes one.
  private static func nearest(_ weight: Float, _ values: [Float], _ keepsZeros: Bool) -> UInt8 {
    var best = 0
    var least = Float.infinity
    for (index, value) in values.enumerated() {
      if keepsZeros, (value == 0) != (weight == 0) { continue }
      let distance = (value - weight).magnitude
      if distance < least { (best, least) = (index, distance) }
    }
    return UInt8(best)
  }

  /// The weights that the places stand for.
  public var weights: [Float] {
    assignment.indices.map { centroids[Int(lists[$0])][Int(assignment[$0])] }
  }

  /// The mean of the weights in each cluster becomes its value; a value of zero stays zero if wanted.
  ///
  /// After a step of training all weights of a cluster are equal up to rounding, and so they become
  /// exactly equal.
  mutating func gather(_ weights: [Float], keepsZeros: Bool) {
    var sums = centroids.map { [Double](repeating: 0, count: $0.count) }
    var counts = centroids.map { [Int](repeating: 0, count: $0.count) }
    for (index, weight) in weights.enumerated() {
      let (list, place) = (Int(lists[index]), Int(assignment[index]))
      sums[list][place] += Double(weight)
      counts[list][place] += 1
    }
    for list in centroids.indices {
      for place in centroids[list].indices {
        let count = counts[list][place]
        guard count > 0, !(keepsZeros && centroids[list][place] == 0) else { continue }
        centroids[list][place] = Float(sums[list][place] / Double(count))
      }
    }
  }

  /// The sum of each cluster's gradients in the place of each of them: the gradient of the values
  /// (Han, Mao and Dally, 2016).
  ///
  /// All weights of a cluster then take the same step under any optimizer that works by element.
  func summed(_ gradients: [Float], keepsZeros: Bool) -> [Float] {
    var sums = centroids.map { [Double](repeating: 0, count: $0.count) }
    for (index, gradient) in gradients.enumerated() {
      sums[Int(lists[index])][Int(assignment[index])] += Double(gradient)
    }
    return gradients.indices.map { index in
      let (list, place) = (Int(lists[index]), Int(assignment[index]))
      if keepsZeros, centroids[list][place] == 0 { return 0 }
      return Float(sums[list][place])
    }
  }
}
