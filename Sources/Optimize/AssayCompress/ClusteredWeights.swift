import AssayBase
import AssayKernels
import AssayQuantize

/// The weights of a layer as places in lists of few values.
public struct ClusteredWeights: Sendable, Equatable {
  /// The values, list after list, each list ascending at first.
  private var values: [Float] = []
  /// How many values each list has.
  private var sizes: [Int] = []
  /// The place of each weight's value among `values`, in the Constant's order.
  private var places: [Int32]

  /// The values of each channel, or of all channels in one list.
  public var centroids: [[Float]] {
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return Array(values[start..<start + size])
    }
  }

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
    places = [Int32](repeating: 0, count: weights.count)
    for rows in clustering.isPerChannel
      ? (0..<layer.rows).map({ $0..<$0 + 1 }) : [0..<layer.rows]
    {
      let members = rows.flatMap { row in (0..<layer.columns).map { layer.index(row, $0) } }
      var numbers = members.map { weights[$0] }
      let hasZeros = keepsZeros && numbers.contains(0)
      if hasZeros { numbers.removeAll { $0 == 0 } }
      var list: [Float] = hasZeros ? [0] : []
      if !numbers.isEmpty {
        let rest = max(clustering.count - list.count, 1)
        list += KMeans(numbers).centroids(rest, clustering.initialization, rng: &rng)
      }
      list = Set(list).sorted()
      for index in members {
        places[index] = Int32(values.count + Self.nearest(weights[index], list, hasZeros))
      }
      values += list
      sizes.append(list.count)
    }
  }

  /// The place of the value that is nearest; zeros, where they are kept, stay zeros, and nothing else
  /// becomes one.
  private static func nearest(_ weight: Float, _ list: [Float], _ keepsZeros: Bool) -> Int {
    var best = 0
    var least = Float.infinity
    for (index, value) in list.enumerated() {
      if keepsZeros, (value == 0) != (weight == 0) { continue }
      let distance = (value - weight).magnitude
      if distance < least { (best, least) = (index, distance) }
    }
    return best
  }

  /// The weights that the places stand for.
  public var weights: [Float] { places.map { values[Int($0)] } }

  /// Makes the weights of each cluster their mean, and that its value; a value of zero stays zero if
  /// wanted.
  ///
  /// After a step of training all weights of a cluster are equal up to rounding, and so they become
  /// exactly equal.
  public mutating func gather(_ weights: FloatBuffer, keepsZeros: Bool) {
    var sums = [Double](repeating: 0, count: values.count)
    var counts = [Int](repeating: 0, count: values.count)
    for (index, place) in places.enumerated() {
      sums[Int(place)] += Double(weights[index])
      counts[Int(place)] += 1
    }
    for place in values.indices {
      guard counts[place] > 0, !(keepsZeros && values[place] == 0) else { continue }
      values[place] = Float(sums[place] / Double(counts[place]))
    }
    for (index, place) in places.enumerated() { weights[index] = values[Int(place)] }
  }

  /// Puts the sum of each cluster's gradients in the place of each of them: the gradient of the value
  /// (Han, Mao and Dally, 2016).
  ///
  /// All weights of a cluster then take the same step under any optimizer that works by element.
  public func sum(_ gradients: FloatBuffer, keepsZeros: Bool) {
    var sums = [Double](repeating: 0, count: values.count)
    for (index, place) in places.enumerated() { sums[Int(place)] += Double(gradients[index]) }
    for place in values.indices {
      if keepsZeros, values[place] == 0 { sums[place] = 0 }
    }
    for (index, place) in places.enumerated() { gradients[index] = Float(sums[Int(place)]) }
  }
}
